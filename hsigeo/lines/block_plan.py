"""The blocks of a target grid, each with the lines that may overlap it; blocks without any are skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from rasterio.crs import CRS

from hsigeo.grid import Grid, apply_transform
from hsigeo.lines.target import outline_in

__all__ = ["Block", "plan_blocks"]

_MARGIN = 3.0
"""Pixels that a line's outline is widened by, for what its curved edges lose between points."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A part of the target grid.

    Parameters
    ----------
    rows, cols
        Of the target.
    lines
        Numbers of the lines that may lie in it, ascending.
    """

    rows: slice
    cols: slice
    lines: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start


class BlockPlan:
    """All blocks that a line may lie in, in row-major order.

    Parameters
    ----------
    target
        The grid that is cut into blocks.
    size
        Rows and columns of a block; those at the far edges may be smaller.
    outlines
        One for each line, in pixels of the target.
    """

    def __init__(self, target: Grid, size: int, outlines: Sequence[shapely.Polygon]) -> None:
        self._target = target
        self._size = size
        self._outlines = np.array(outlines, dtype=object)
        self._tree = shapely.STRtree(self._outlines)

    def __iter__(self) -> Iterator[Block]:
        lines, samples = self._target.shape
        for top in range(0, lines, self._size):
            bottom = min(top + self._size, lines)
            lefts = np.arange(0, samples, self._size)
            boxes = shapely.box(lefts, top, np.minimum(lefts + self._size, samples), bottom)
            boxes_hit, lines_hit = self._tree.query(boxes, predicate="intersects")
            for number in np.unique(boxes_hit):
                left = int(lefts[number])
                yield Block(
                    rows=slice(top, bottom),
                    cols=slice(left, min(left + self._size, samples)),
                    lines=tuple(sorted(lines_hit[boxes_hit == number].tolist())),
                )


def plan_blocks(grids: Sequence[Grid], target: Grid, size: int) -> BlockPlan:
    """Cut the target into blocks and find which grids may lie in each."""
    crs = CRS.from_wkt(target.crs)
    to_pixels = ~target.transform
    outlines = []
    for grid in grids:
        x, y = outline_in(grid, crs)
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            # Partly beyond what the projection can show: it may lie anywhere.
            outlines.append(shapely.box(0, 0, target.samples, target.lines))
            continue
        if crs.is_geographic:
            middle = target.transform * (target.samples / 2, target.lines / 2)
            x = x + 360 * round((middle[0] - float(x.mean())) / 360)
        outlines.append(shapely.Polygon(np.stack(apply_transform(to_pixels, x, y), axis=1)).buffer(_MARGIN))
    return BlockPlan(target, size, outlines)
