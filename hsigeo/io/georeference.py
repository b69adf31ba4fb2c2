"""Converts between grids and the georeference of rasterio datasets."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint as RasterioPoint
from rasterio.crs import CRS
from rasterio.errors import CRSError, NotGeoreferencedWarning

from hsigeo.grid import Grid, GroundControlPoint
from hsigeo.io.gdal_errors import silence_libtiff

__all__ = ["find_crs", "grid_of_dataset", "open_quietly", "profile_of_grid", "quiet_about_georeference"]


# The warning filters belong to the process: two threads that change them at once undo each other's changes.
_filtering = threading.RLock()


@contextmanager
def quiet_about_georeference() -> Iterator[None]:
    """Keep rasterio from warning that a raster has no georeference: hsigeo says so itself, once.

    One thread at a time; hold it to open a file, not to read it.
    """
    with _filtering, warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning):
        yield


def open_quietly(path: str | Path, mode: str = "r", **options: Any) -> Any:
    """`rasterio.open` without that warning, and without what libtiff would print of a full disk beside GDAL's error."""
    if mode != "r":
        silence_libtiff()
    with quiet_about_georeference():
        return rasterio.open(path, mode, **options)


def find_crs(text: str) -> CRS | None:
    """The CRS that a text names in any spelling (``EPSG:32633``, WKT, PROJ text); `None` where GDAL knows none."""
    try:
        with rasterio.Env():  # without it, GDAL prints its own line as well
            return CRS.from_user_input(text) or None
    except CRSError:
        return None


def grid_of_dataset(dataset: Any) -> Grid:
    """Size and georeference of an open rasterio dataset."""
    points, points_crs = dataset.gcps
    crs = dataset.crs or (points_crs if points else None)
    return Grid(
        lines=dataset.height,
        samples=dataset.width,
        transform=Affine(*tuple(dataset.transform)[:6]),
        crs=crs.to_wkt() if crs else None,
        ground_control_points=tuple(
            GroundControlPoint(row=p.row, col=p.col, x=p.x, y=p.y, z=p.z or 0.0) for p in points
        ),
    )


def profile_of_grid(grid: Grid) -> dict[str, Any]:
    """Keywords for ``rasterio.open(…, "w")`` that give the new file this size and georeference."""
    profile: dict[str, Any] = {"width": grid.samples, "height": grid.lines}
    crs = CRS() if grid.crs is None else CRS.from_wkt(grid.crs)
    if grid.has_transform:
        profile["transform"] = grid.transform
    elif grid.ground_control_points:
        profile["gcps"] = [RasterioPoint(row=p.row, col=p.col, x=p.x, y=p.y, z=p.z) for p in grid.ground_control_points]
    if crs or "gcps" in profile:
        profile["crs"] = crs
    return profile
