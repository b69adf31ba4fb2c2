"""Where labels lie that miss a scene, and which usual mistake would explain it."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.warp import transform as transform_coordinates

from hsigeo.grid import Grid, apply_transform
from hsigeo.io.gdal_errors import GDAL_ERRORS
from hsigeo.io.georeference import find_crs

__all__ = ["ADVICE", "explain_miss"]

ADVICE = "check that both cover the same place and that each states its CRS rightly"
"""What can be said where nothing is known."""

FloatArray = NDArray[np.float64]


def explain_miss(geometries: NDArray[Any], crs: str | None, grid: Grid) -> str:
    """What may be wrong with labels of which none falls on a scene, as the end of a sentence.

    Two mistakes are tried on the middles of the features: x and y exchanged, and coordinates that are in the scene's
    CRS whatever the file states. Where neither brings a feature onto the scene, the extents of both are given.

    Parameters
    ----------
    geometries : (feature,) geometries
        As in the file; missing and empty ones do not count.
    crs
        Of the file; `None` where it states none.
    grid
        Of the scene.
    """
    left, bottom, right, top = np.moveaxis(shapely.bounds(geometries), -1, 0)
    middle = np.column_stack(((left + right) / 2, (bottom + top) / 2))
    middle = middle[np.isfinite(middle).all(axis=1)]
    if not len(middle) or not grid.has_transform or grid.transform.is_degenerate:
        return ADVICE
    placed = _project(middle, crs, grid)
    if hits := _hits(_project(middle[:, ::-1], crs, grid), grid):
        return (
            f"with x and y exchanged, {hits} of {len(middle)} features would fall on it: latitude and longitude (or "
            "northing and easting) are swapped in the file"
        )
    if crs is not None and (hits := _hits(middle, grid)):
        return (
            f"read in the scene's own CRS, {hits} of {len(middle)} features would fall on it: their coordinates are "
            f"not in {_short(crs)}, which the file states or its format implies; assign the right CRS to it"
        )
    reached = placed[np.isfinite(placed).all(axis=1)]
    if not len(reached):
        return ADVICE
    corners = np.array([grid.transform @ (c, r) for c in (0, grid.samples) for r in (0, grid.lines)])
    return f"in the scene's CRS the labels are at {_extent(reached)}, the scene at {_extent(corners)}; {ADVICE}"


def _project(xy: FloatArray, crs: str | None, grid: Grid) -> FloatArray:
    """Coordinates in the scene's CRS; not finite where there is no way."""
    if crs is None or grid.crs is None:
        return xy
    source, target = find_crs(crs), find_crs(grid.crs)
    if source is None or target is None:
        return np.full_like(xy, np.nan)
    with rasterio.Env():
        try:
            x, y = transform_coordinates(source, target, *xy.T)
        except GDAL_ERRORS:
            return np.full_like(xy, np.nan)
    return np.column_stack((x, y))


def _hits(xy: FloatArray, grid: Grid) -> int:
    """How many points lie on the grid."""
    col, row = apply_transform(~grid.transform, *xy[np.isfinite(xy).all(axis=1)].T)
    return int(((col >= 0) & (col < grid.samples) & (row >= 0) & (row < grid.lines)).sum())


def _extent(xy: FloatArray) -> str:
    (left, bottom), (right, top) = xy.min(axis=0), xy.max(axis=0)
    return f"x {_number(left)} to {_number(right)}, y {_number(bottom)} to {_number(top)}"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _short(crs: str) -> str:
    found = find_crs(crs)
    code = None if found is None else found.to_epsg()
    return f"{crs:.40}" if code is None else f"EPSG:{code}"
