"""The patches of a map as outlines, without the whole map or all outlines in memory.

A strip of rows is traced at a time. Patches that end in it are done. The pixels of those that touch its neighbours go
to a file, in which nothing else is, and at the end that file is traced as a whole, which GDAL does row by row. So what
is held is the outlines of a strip, or of the patches that cross from one strip to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes

from hsigeo.classes import UNCLASSIFIED
from hsigeo.io.class_areas import PixelAreas
from hsigeo.io.class_raster import ClassRaster
from hsigeo.progress import Progress
from hsigeo.refinement.rows import read_ids
from hsigeo.refinement.staged_ids import StagedIds
from hsigeo.tiling import iter_slices

__all__ = ["STRIP_PIXELS", "Patches", "trace_patches"]

STRIP_PIXELS = 1 << 20
"""Traced at once. An outline takes about 1 kB, so noise, in which every pixel is a patch, takes a gigabyte."""

Outlines = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Patches:
    """Some patches of a map.

    Parameters
    ----------
    outlines : (patch,) shapely polygons
        (column, row) of corners of pixels.
    ids : (patch,) int64
        Their classes.
    areas : (patch,) float64
        In the unit of the map's areas.
    """

    outlines: Outlines
    ids: NDArray[np.int64]
    areas: NDArray[np.float64]


def trace_patches(
    raster: ClassRaster,
    areas: PixelAreas,
    folder: Path,
    *,
    diagonal: bool,
    progress: Progress | None = None,
) -> Generator[Patches]:
    """Every patch of one class, once.

    Parameters
    ----------
    areas
        Of the map's pixels.
    folder
        Where pixels of patches that cross strips are stored temporarily.
    diagonal
        Whether pixels that touch at a corner are of one patch.
    progress
        Called with (rows traced, rows in all).

    Raises
    ------
    LabelError
        The map cannot be read, or holds what its class table does not.
    OSError
        The folder cannot be written.
    """
    lines, samples = raster.grid.shape
    height = max(1, STRIP_PIXELS // samples)
    with StagedIds(folder, raster.grid.shape, raster.classes.dtype) as crossing:
        for strip in iter_slices(0, lines, height):
            first, stop = strip.start, strip.stop
            ids = read_ids(raster, first, stop).astype(raster.classes.dtype)
            outlines, numbers = _trace(ids, ids != UNCLASSIFIED, diagonal=diagonal)
            _, top, _, bottom = shapely.bounds(outlines).T
            crosses = ((top == 0) & (first > 0)) | ((bottom == len(ids)) & (stop < lines))
            if crosses.any():
                held = rasterize(outlines[crosses], out_shape=ids.shape, fill=0, default_value=1, dtype="uint8")
                crossing.write(first, ids * held)
            done = shapely.transform(outlines[~crosses], lambda corners, first=first: np.add(corners, (0, first)))
            yield _measured(done, numbers[~crosses], areas, (first, stop), samples)
            if progress is not None:
                progress(stop, lines)
        if crossing.pixels:
            with crossing.bands() as (band, mask):
                outlines, numbers = _trace(band, mask, diagonal=diagonal)
            crossing.check_pixels(int(shapely.area(outlines).sum()))
            yield _measured(outlines, numbers, areas, (0, lines), samples)


def _trace(ids: Any, mask: Any, *, diagonal: bool) -> tuple[Outlines, NDArray[np.int64]]:
    """Outlines of patches, (column, row) of pixel corners, and their class ids, out of arrays or bands of files."""
    outlines: list[Any] = []
    numbers: list[int] = []
    for outline, number in shapes(ids, mask=mask, connectivity=8 if diagonal else 4):
        outlines.append(shapely.Polygon(outline["coordinates"][0], outline["coordinates"][1:]))
        numbers.append(int(number))
    return np.array(outlines, dtype=object), np.array(numbers, dtype=np.int64)


def _measured(
    outlines: Outlines, ids: NDArray[np.int64], areas: PixelAreas, rows: tuple[int, int], samples: int
) -> Patches:
    if areas.is_constant:
        found = shapely.area(outlines) * areas.area.item()
    else:
        found = _sum_areas(outlines, areas.of_rows, rows, samples)
    return Patches(outlines=outlines, ids=ids, areas=found)


def _sum_areas(
    outlines: Outlines,
    areas_of_rows: Callable[[int, int, int], NDArray[np.float64]],
    rows: tuple[int, int],
    samples: int,
) -> NDArray[np.float64]:
    """Area of each outline where pixels differ in area: each is filled with its number, and its pixels are summed."""
    total = np.zeros(len(outlines) + 1)
    _, top, _, bottom = shapely.bounds(outlines).T
    height = max(1, STRIP_PIXELS // samples)
    for strip in iter_slices(*rows, height):
        first, stop = strip.start, strip.stop
        here = np.flatnonzero((top < stop) & (bottom > first))
        if not len(here):
            continue
        numbered = rasterize(
            zip(outlines[here], (here + 1).tolist(), strict=True),
            out_shape=(stop - first, samples),
            transform=Affine.translation(0, first),
            fill=0,
            dtype="int32",
        )
        weights = areas_of_rows(first, stop, samples)
        total += np.bincount(numbered.ravel(), weights.ravel(), minlength=len(total))
    return total[1:]
