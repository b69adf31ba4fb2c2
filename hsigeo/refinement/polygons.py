"""A map's patches as polygons in a GeoPackage: class, colour, pixels and area of each.

Polygons follow the pixels' edges. The area is that of the pixels (`hsigeo.io.class_areas`): in the map's projection
where this is true to area, else on the ellipsoid; never square degrees.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyogrio.errors import DataSourceError, FeatureError, FieldError, GeometryError

from hsigeo.atomic import check_not_an_input, check_output, replaced_on_success
from hsigeo.errors import LabelError, OutputError
from hsigeo.grid import apply_transform
from hsigeo.io.class_areas import measure_pixel_areas
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.gdal_errors import reason
from hsigeo.progress import Progress
from hsigeo.refinement.patches import Patches, trace_patches
from hsigeo.refinement.polygon_style import add_style
from hsigeo.software import SOFTWARE

__all__ = ["Polygons", "write_polygons"]

BATCH = 1 << 14
"""Polygons written at a time. A layer's spatial index is opened and closed each time: with 3 000 that took longer than
all else, with these it does not."""

_FAILURES = (DataSourceError, FeatureError, FieldError, GeometryError)


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

    Strip by strip: what is held are the polygons of a strip, or those that cross from one strip to the next
    (`hsigeo.refinement.patches`). They are in the order in which they were found.

    Parameters
    ----------
    raster
        As `hsigeo.io.open_map` gives it.
    path
        A GeoPackage. Its layer has the columns ``class_id``, ``class``, ``color`` and ``pixels``, and ``area_ha`` where
        the map has a place on the Earth; a style of its own makes QGIS show it in the colours of the map.
    diagonal
        Whether pixels that touch at a corner are of one patch. Polygons of such patches touch themselves in a point,
        which some programs call invalid.
    progress
        Called with (rows traced, rows in all).

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
    transform = _transform_of(raster)
    areas = measure_pixel_areas(raster.grid)
    count = 0
    with replaced_on_success(final, overwrite=overwrite) as file:
        # A GeoPackage is made anew, not opened: under a name of its own, cleared away with the one it begins with.
        stage = file.with_name(file.name + ".new.gpkg")
        traced = trace_patches(raster, areas, file.parent, diagonal=diagonal, progress=progress)
        with closing(traced):
            for patches in _batches(traced):
                _append(stage, final.stem, patches, transform, raster, unit=areas.unit)
                count += len(patches.ids)
        add_style(stage, final.stem, raster.classes)
        stage.replace(file)
    return Polygons(path=final, count=count, unit=areas.unit, note=areas.note)


def _transform_of(raster: ClassRaster) -> Affine:
    grid = raster.grid
    if grid.has_transform:
        return grid.transform
    if grid.ground_control_points:
        raise LabelError(f"{raster.path} has only ground control points; warp it first, e.g. `gdalwarp -r near`")
    return Affine.scale(1, -1)  # where a GIS shows a raster without a place


def _batches(traced: Iterable[Patches]) -> Iterator[Patches]:
    """At least `BATCH` patches at a time, but for the last, which may have none."""
    held: list[Patches] = []
    for patches in traced:
        held.append(patches)
        if sum(len(each.ids) for each in held) >= BATCH:
            yield _joined(held)
            held = []
    yield _joined(held)


def _joined(parts: Sequence[Patches]) -> Patches:
    return Patches(
        outlines=np.concatenate([np.array([], dtype=object), *(part.outlines for part in parts)]),
        ids=np.concatenate([np.array([], dtype=np.int64), *(part.ids for part in parts)]),
        areas=np.concatenate([np.array([]), *(part.areas for part in parts)]),
    )


def _append(stage: Path, layer: str, patches: Patches, transform: Affine, raster: ClassRaster, *, unit: str) -> None:
    """Write patches after those that are in the file; the first call makes it."""
    placed = shapely.transform(patches.outlines, lambda xy: np.column_stack(apply_transform(transform, *xy.T)))
    entries = {entry.id: entry for entry in raster.classes}
    found = [entries[number] for number in patches.ids.tolist()]
    columns: dict[str, NDArray[Any]] = {
        "class_id": patches.ids,
        "class": np.array([entry.name for entry in found], dtype=object),
        "color": np.array([entry.hex_color for entry in found], dtype=object),
        "pixels": np.rint(shapely.area(patches.outlines)).astype(np.int64),
    }
    if unit == "ha":
        columns["area_ha"] = patches.areas
    begun = stage.exists()
    said = {"map": Path(raster.path).name, "software": SOFTWARE}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="'crs' was not provided")
            pyogrio.raw.write(
                stage,
                shapely.to_wkb(placed),
                list(columns.values()),
                list(columns),
                layer=layer,
                driver="GPKG",
                geometry_type="Polygon",
                crs=raster.grid.crs,
                append=begun,
                layer_metadata=None if begun else said,
            )
    except _FAILURES as error:
        # For `replaced_on_success`, which knows a full disk by the space that is left.
        raise OSError(reason(error)) from error
