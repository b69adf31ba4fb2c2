"""Where a map is classified, at a coarse resolution: enough for outlines and centre lines, fast at any size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.class_raster import ClassRaster, GdalValues
from hsigeo.lines.handles import Handles
from hsigeo.lines.mapped_line import KeptOpen
from hsigeo.tiling import iter_slices

__all__ = ["CoarseMask", "read_coarse_mask"]

LONGEST_SIDE = 1024
_STRIP_VALUES = 1 << 22


@dataclass(frozen=True, kw_only=True, eq=False)
class CoarseMask:
    """Which cells of a coarse grid over a map hold a class.

    Parameters
    ----------
    classified : (y, x) bool
        One value for each cell.
    cell
        Rows and columns of the map that a cell spans; not always whole numbers.
    """

    classified: NDArray[np.bool_]
    cell: tuple[float, float]

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(cell,) row and column in the map, pixel corners at whole numbers, of the middle of each classified cell."""
        rows, cols = np.nonzero(self.classified)
        return np.asarray((rows + 0.5) * self.cell[0]), np.asarray((cols + 0.5) * self.cell[1])


def read_coarse_mask(raster: ClassRaster, handles: Handles, *, longest_side: int = LONGEST_SIDE) -> CoarseMask:
    """Read the mask, from overviews where the map has them.

    Raises
    ------
    LabelError
        The map cannot be read.
    """
    lines, samples = raster.grid.shape
    step = math.ceil(max(lines, samples) / longest_side)
    values, nodata = raster.values, raster.nodata
    if isinstance(values, GdalValues | KeptOpen):
        shape = (math.ceil(lines / step), math.ceil(samples / step))
        stored = handles.read_coarse(values.path, shape, values.driver)
        classified = stored > 0
        if nodata is not None:
            classified &= stored != nodata
    else:
        height = max(1, _STRIP_VALUES // samples // step) * step
        strips = [raster.read(rows)[step // 2 :: step, step // 2 :: step] > 0 for rows in iter_slices(0, lines, height)]
        classified = np.concatenate(strips)
        if 0 in classified.shape:
            classified = np.ones((1, 1), dtype=bool)
    return CoarseMask(classified=classified, cell=(lines / classified.shape[0], samples / classified.shape[1]))
