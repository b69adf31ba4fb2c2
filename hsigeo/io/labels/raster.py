"""Labels as a raster of class ids on the scene's grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError
from hsigeo.grid import Grid, apply_transform
from hsigeo.io.class_raster import ClassRaster, open_class_raster
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.labels.patches import connected_patches
from hsigeo.io.labels.rasterise import MAX_LABELLED_PIXELS
from hsigeo.labels import LabelledPixels

__all__ = ["RasterLabels", "open_raster_labels"]

TOLERANCE = 0.01
"""Pixels by which two grids that are meant to be the same may differ anywhere: rounding in headers, not a shift."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RasterLabels:
    """A label raster, opened: a `hsigeo.labels.LabelSource`."""

    raster: ClassRaster

    @property
    def path(self) -> str:
        """The file, as given."""
        return self.raster.path

    @property
    def classes(self) -> ClassTable:
        """The classes the file names or holds."""
        return self.raster.classes

    def on(self, grid: Grid) -> LabelledPixels:
        """The labels that fall on a grid; empty where none does.

        The raster has the size and place of the scene, or lies on the same pixels at a whole-pixel offset. Where one of
        the two has no georeference, equal size decides.

        Raises
        ------
        LabelError
            The two grids differ, or more pixels are labelled than memory should hold.
        """
        found = list(self.strips_on(grid))
        row, col, class_id = (np.concatenate(parts) for parts in zip(*found, strict=True)) if found else _nothing()
        return LabelledPixels(
            row=row,
            col=col,
            class_id=class_id,
            group=connected_patches(row, col, class_id),
            classes=self.classes,
            group_kind="patch",
        )

    def strips_on(
        self, grid: Grid, *, most: int | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]]:
        """Row, column and class id of at most `most` labelled pixels, from the top, a few MB of raster at a time.

        For what needs no groups (accuracy), on rasters of which every pixel may be labelled.

        Raises
        ------
        LabelError
            More pixels are labelled, or the raster cannot be read.
        """
        row_offset, col_offset = _offset(self.raster.grid, grid, where=self.path)
        first = max(0, row_offset)
        stop = min(self.raster.grid.lines, row_offset + grid.lines)
        most = MAX_LABELLED_PIXELS if most is None else most
        count = 0
        for start, ids in self.raster.strips(first, max(first, stop)):
            ids = ids[:, max(0, col_offset) : max(0, col_offset + grid.samples)]
            row, col = np.nonzero(ids)
            count += len(row)
            if count > most:
                raise LabelError(
                    f"{self.path} labels more than {most} pixels of the scene; set most of them to 0 to train on it"
                )
            if len(row):
                yield row + start - row_offset, col + max(0, -col_offset), ids[row, col]


def open_raster_labels(path: str, *, encoding: str | None = None) -> RasterLabels:
    """Open a label raster; see `hsigeo.io.labels.open_labels`."""
    return RasterLabels(raster=open_class_raster(path, encoding=encoding))


def _nothing() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)


def _offset(labels: Grid, scene: Grid, *, where: str) -> tuple[int, int]:
    """Rows and columns to add to a scene's pixel to find it in the label raster."""
    if not (labels.has_transform and scene.has_transform):
        if labels.shape == scene.shape:
            return 0, 0
        raise LabelError(
            f"{where} has {_describe(labels)}, the scene {_describe(scene)}; where one of the two has no georeference, "
            "both must have the same size"
        )
    corners = np.array([(0, 0), (scene.samples, 0), (0, scene.lines), (scene.samples, scene.lines)], dtype=float)
    x, y = apply_transform(scene.transform, *corners.T)
    if labels.crs is not None and scene.crs is not None:
        x, y = _to_crs(x, y, scene.crs, labels.crs, where=where)
        if CRS.from_wkt(labels.crs).is_geographic:  # 181° and -179° are one place
            middle, _ = labels.transform @ (labels.samples / 2, labels.lines / 2)
            x = x + 360 * np.round((middle - x) / 360)
    shift = np.column_stack(apply_transform(~labels.transform, x, y)) - corners
    offset = np.round(shift[0])
    if not np.isfinite(shift).all() or np.abs(shift - offset).max() > TOLERANCE:
        raise LabelError(
            f"{where} lies on other pixels than the scene: {_describe(labels)}; the scene: {_describe(scene)}; "
            "resample it to the scene's grid (nearest neighbour), or draw the labels as vectors"
        )
    return int(offset[1]), int(offset[0])


def _to_crs(
    x: NDArray[np.float64], y: NDArray[np.float64], source: str, target: str, *, where: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moved, because one CRS has many spellings: what counts is where the corners land."""
    if source == target:
        return x, y
    try:
        with rasterio.Env():
            moved = transform_coordinates(CRS.from_wkt(source), CRS.from_wkt(target), x, y)
    except GDAL_ERRORS as error:
        raise LabelError(f"{where}: its CRS and the scene's cannot be compared: {reason(error)}") from error
    return np.asarray(moved[0]), np.asarray(moved[1])


def _describe(grid: Grid) -> str:
    size = f"{grid.lines} lines x {grid.samples} samples"
    if not grid.has_transform:
        return size
    width, height = grid.pixel_size
    place = f"from ({grid.transform.c:.9g}, {grid.transform.f:.9g})"
    crs = "" if grid.crs is None else f" in {grid.crs.split(chr(34))[1]:.80}"  # WKT begins with the name, quoted
    return f"{size} of {width:.9g} x {height:.9g} {place}{crs}"
