"""A map's patches as polygons in a GeoPackage: class, colour, pixels and area of each.

Polygons follow the pixels' edges. The area is that of the pixels (`hsigeo.io.class_areas`): in the map's projection
where this is true to area, else on the ellipsoid; never square degrees.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyogrio.errors import DataSourceError, FeatureError, FieldError, GeometryError
from rasterio.features import rasterize, shapes

import hsigeo
from hsigeo.atomic import check_not_an_input, check_output, replaced_on_success
from hsigeo.classes import UNCLASSIFIED
from hsigeo.errors import LabelError, OutputError
from hsigeo.io.class_areas import measure_pixel_areas
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.gdal_errors import reason
from hsigeo.refinement.rows import check_ids

__all__ = ["Polygons", "write_polygons"]

_FAILURES = (DataSourceError, FeatureError, FieldError, GeometryError)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Polygons:
    """What was written.

    Parameters
    ----------
    path
        The GeoPackage.
    count
        Of polygons.
    unit
        Of the areas: ``ha``, or ``pixels`` where the map has no place on the Earth.
    note
        What to know about the areas.
    """

    path: Path
    count: int
    unit: str
    note: str | None


def write_polygons(
    raster: ClassRaster,
    path: str | os.PathLike[str],
    *,
    diagonal: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Polygons:
    """Write every patch of one class as a polygon.

    The whole map's ids are held at once, and all polygons: remove small patches first.

    Parameters
    ----------
    raster
        As `hsigeo.io.open_map` gives it.
    path
        A GeoPackage. Its layer has the columns ``class_id``, ``class``, ``color`` and ``pixels``, and ``area_ha`` where
        the map has a place on the Earth.
    diagonal
        Whether pixels that touch at a corner are of one patch. Polygons of such patches touch themselves in a point,
        which some programs call invalid.
    progress
        Called with (rows read, rows in all).

    Raises
    ------
    OutputExistsError, OutputError
        The output exists, has another ending, cannot be written, or is the map.
    LabelError
        The map cannot be read, or has only ground control points.
    """
    final = Path(path)
    if final.suffix.casefold() != ".gpkg":
        raise OutputError(f"{path}: polygons are written as GeoPackage; give a name that ends in .gpkg")
    check_output(final, overwrite=overwrite)
    check_not_an_input(final, [raster.path])
    ids = _read_whole(raster, progress)
    outlines, numbers = _trace(ids, diagonal=diagonal)
    transform = _transform_of(raster)
    pixels = shapely.area(outlines)
    pixel_areas = measure_pixel_areas(raster.grid)
    if pixel_areas.is_constant:
        areas = pixels * pixel_areas.area.item()
    else:
        areas = _sum_areas(outlines, ids, pixel_areas.of_rows)
    placed = shapely.transform(outlines, lambda points: np.column_stack(_apply(transform, points)))
    entries = {entry.id: entry for entry in raster.classes}
    columns: dict[str, NDArray[Any]] = {
        "class_id": numbers,
        "class": np.array([entries[n].name for n in numbers.tolist()], dtype=object),
        "color": np.array([entries[n].hex_color for n in numbers.tolist()], dtype=object),
        "pixels": np.rint(pixels).astype(np.int64),
    }
    if pixel_areas.unit == "ha":
        columns["area_ha"] = areas
    with replaced_on_success(final, overwrite=overwrite) as file:
        _write(file, final, placed, columns, raster)
    return Polygons(path=final, count=len(placed), unit=pixel_areas.unit, note=pixel_areas.note)


def _read_whole(raster: ClassRaster, progress: Progress | None) -> NDArray[Any]:
    ids = np.empty(raster.grid.shape, dtype=raster.classes.dtype)
    for row, part in raster.strips():
        check_ids(raster, part)
        ids[row : row + len(part)] = part
        if progress is not None:
            progress(row + len(part), raster.grid.lines)
    return ids


def _trace(ids: NDArray[Any], *, diagonal: bool) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Outlines of patches, (column, row) of pixel corners, and their class ids."""
    outlines, numbers = [], []
    for outline, number in shapes(ids, mask=ids != UNCLASSIFIED, connectivity=8 if diagonal else 4):
        outlines.append(shapely.Polygon(outline["coordinates"][0], outline["coordinates"][1:]))
        numbers.append(int(number))
    return np.array(outlines, dtype=object), np.array(numbers, dtype=np.int64)


def _sum_areas(
    outlines: NDArray[Any], ids: NDArray[Any], areas_of_rows: Callable[[int, int, int], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Area of each outline where pixels differ in area: each is filled with its number, and its pixels are summed."""
    total = np.zeros(len(outlines) + 1)
    if not len(outlines):
        return total[1:]
    lines, samples = ids.shape
    numbered = rasterize(
        zip(outlines, range(1, len(outlines) + 1), strict=True), out_shape=ids.shape, fill=0, dtype="int32"
    )
    height = max(1, (1 << 22) // samples)
    for first in range(0, lines, height):
        stop = min(first + height, lines)
        weights = areas_of_rows(first, stop, samples)
        total += np.bincount(numbered[first:stop].ravel(), weights.ravel(), minlength=len(total))
    return total[1:]


def _transform_of(raster: ClassRaster) -> Affine:
    grid = raster.grid
    if grid.has_transform:
        return grid.transform
    if grid.ground_control_points:
        raise LabelError(f"{raster.path} has only ground control points; warp it first, e.g. `gdalwarp -r near`")
    return Affine.scale(1, -1)  # where a GIS shows a raster without a place


def _apply(transform: Affine, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = points[:, 0], points[:, 1]
    t = transform
    return t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f


def _write(
    file: Path, final: Path, outlines: NDArray[Any], columns: dict[str, NDArray[Any]], raster: ClassRaster
) -> None:
    # A GeoPackage is made anew, not opened: under a name of its own, cleared away with the one it begins with.
    stage = file.with_name(file.name + ".new.gpkg")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="'crs' was not provided")
            pyogrio.raw.write(
                stage,
                shapely.to_wkb(outlines),
                list(columns.values()),
                list(columns),
                layer=final.stem,
                driver="GPKG",
                geometry_type="Polygon",
                crs=raster.grid.crs,
                layer_metadata={"map": Path(raster.path).name, "software": f"hsigeo {hsigeo.__version__}"},
            )
    except _FAILURES as error:
        # For `replaced_on_success`, which knows a full disk by the space that is left.
        raise OSError(reason(error)) from error
    stage.replace(file)
