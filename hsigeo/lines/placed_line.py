"""A line on a common grid, read block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.grid import Grid
from hsigeo.lines.block_plan import Block
from hsigeo.lines.class_union import ClassUnion
from hsigeo.lines.coarse import read_coarse_mask
from hsigeo.lines.companions import Companion, read_companion
from hsigeo.lines.handles import Handles
from hsigeo.lines.mapped_line import MappedLine
from hsigeo.lines.placement import PixelIndex, Placement
from hsigeo.lines.sampling import take_nearest
from hsigeo.lines.swath import Swath, find_swath

__all__ = ["PlacedLine", "place_line"]

Ids = NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedLine:
    """A line, and where its pixels lie on a common grid.

    Parameters
    ----------
    number
        From 0; also what the layer of lines calls it, plus one.
    line
        Read through handles that stay open.
    placement, observed_at
        From the target to the map, and to its view angles where they are needed.
    swath
        Where the centre is needed.
    handles
        For the layers beside the map.
    """

    number: int
    line: MappedLine
    placement: Placement
    observed_at: Placement | None = None
    swath: Swath | None = None
    handles: Handles

    def ids(self, at: PixelIndex, union: ClassUnion) -> Ids:
        """(y, x) common class ids."""
        stored = np.zeros(at.rows.shape, dtype=np.int32)
        take_nearest(self.line.raster.read, at, stored)
        return union.translate(self.number, stored)

    def layer(self, companion: Companion, at: PixelIndex) -> NDArray[np.float32]:
        """(y, x) or (band, y, x) of a layer beside the map, NaN where it says nothing."""
        shape = at.rows.shape if companion.bands == 1 else (companion.bands, *at.rows.shape)
        out = np.full(shape, np.nan, dtype=np.float32)
        take_nearest(read_companion(self.handles, companion), at, out)
        return out

    def zenith(self, block: Block) -> NDArray[np.float32]:
        """(y, x) degrees, NaN where not known."""
        out = np.full(block.shape, np.nan, dtype=np.float32)
        if self.line.observation is not None and self.observed_at is not None:
            take_nearest(self.line.observation.read, self.observed_at.locate(block.rows, block.cols), out)
        return out


def place_line(
    number: int, line: MappedLine, target: Grid, handles: Handles, *, zenith: bool = False, centre: bool = False
) -> PlacedLine:
    """Get a line ready to be asked about blocks of the target.

    Parameters
    ----------
    zenith, centre
        Whether view angles, or the centre line, will be asked for.
    """
    kept = line.keep_open(handles)
    observed = line.observation if zenith else None
    return PlacedLine(
        number=number,
        line=kept,
        placement=Placement(line.grid, target),
        observed_at=None if observed is None else Placement(observed.grid, target),
        swath=find_swath(line.grid, read_coarse_mask(kept.raster, handles)) if centre else None,
        handles=handles,
    )
