"""Where a map lies, in longitude and latitude: the outline of what it says anything about, as GeoJSON.

RFC 7946 asks for three things that are easily forgotten: polygons that cross the 180th meridian are cut there (3.1.9),
their bounding box then runs from a larger to a smaller longitude (5.2), and one around a pole goes up to it (5.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.grid import Grid, apply_transform
from hsigeo.lines.coarse import CoarseMask
from hsigeo.lines.placement import project

__all__ = ["Footprint", "find_footprint"]

FloatArray = NDArray[np.float64]

_LONLAT = CRS.from_epsg(4326)
_EDGES = 16
"""An outline is given a corner at least every sixteenth of the map: straight lines in one CRS are curves in another."""
_DIGITS = 7  # a centimetre
_STRAIGHT = 1e-6
_AS_GOOD_AS_ALL = 0.98


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """An outline on the Earth.

    Parameters
    ----------
    geometry
        GeoJSON, a Polygon, or a MultiPolygon where it crosses the 180th meridian.
    bbox
        West, south, east, north; west is larger than east where it crosses the 180th meridian.
    """

    geometry: dict[str, Any]
    bbox: tuple[float, float, float, float]


def find_footprint(grid: Grid, mask: CoarseMask | None = None) -> Footprint | None:
    """The outline of a map.

    Parameters
    ----------
    mask
        Where the map says anything; the convex hull of that is outlined. Without it, the whole raster is.

    Returns
    -------
    Footprint or None
        `None` where the map has no place on the Earth.
    """
    if grid.crs is None or not grid.has_transform:
        return None
    outline = _outline(grid, mask)
    ring = _ring(shapely.segmentize(outline, max(grid.shape) / _EDGES))
    x, y = apply_transform(grid.transform, *ring.T)
    crs = CRS.from_wkt(grid.crs)
    own = crs == _LONLAT  # such longitudes do not jump, be they far apart
    longitude, latitude = (x, y) if own else project(x, y, crs, _LONLAT)
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        return None
    pole = _pole_inside(outline, grid, crs)
    if pole is not None:
        return _around_pole(longitude, latitude, pole)
    return _cut(longitude if own else np.unwrap(longitude, period=360), latitude)


def _outline(grid: Grid, mask: CoarseMask | None) -> shapely.Polygon:
    """In pixels: the raster's edge, or the hull of what is classified."""
    whole = shapely.box(0, 0, grid.samples, grid.lines)
    if mask is None or not mask.classified.any():
        return whole
    height, width = mask.cell
    rows = np.flatnonzero(mask.classified.any(axis=1))
    seen = mask.classified[rows]
    first, last = np.argmax(seen, axis=1), seen.shape[1] - np.argmax(seen[:, ::-1], axis=1)
    # What lies between the cells that were looked at may reach one cell further.
    beyond = 0.0 if height == width == 1 else 1.0
    corners = [
        ((col + side * beyond) * width, (row + edge) * height)
        for row, left, right in zip(rows.tolist(), first.tolist(), last.tolist(), strict=True)
        for col, side in ((left, -1), (right, 1))
        for edge in (-beyond, 1 + beyond)
    ]
    hull = shapely.MultiPoint(corners).convex_hull.intersection(whole)
    if not isinstance(hull, shapely.Polygon) or hull.area >= _AS_GOOD_AS_ALL * whole.area:
        return whole
    # Rows of pixels make stairs; half a pixel less exact, the outline is some corners instead of hundreds.
    return hull.simplify(0.5 * max(height, width))


def _ring(outline: shapely.Polygon) -> FloatArray:
    ring: FloatArray = shapely.get_coordinates(outline.exterior)
    return ring


def _pole_inside(outline: shapely.Polygon, grid: Grid, crs: CRS) -> float | None:
    if crs.is_geographic:
        return None
    for latitude in (90.0, -90.0):
        x, y = project(np.array([0.0]), np.array([latitude]), _LONLAT, crs)
        if np.isfinite(x).all() and np.isfinite(y).all():
            col, row = ~grid.transform * (float(x[0]), float(y[0]))
            if outline.contains(shapely.Point(col, row)):
                return latitude
    return None


def _around_pole(longitude: FloatArray, latitude: FloatArray, pole: float) -> Footprint:
    order = np.argsort(longitude)
    edge = list(zip(longitude[order].tolist(), latitude[order].tolist(), strict=True))
    at_180 = float(np.interp(180, [edge[-1][0], edge[0][0] + 360], [edge[-1][1], edge[0][1]]))
    polygon = shapely.Polygon([(-180, at_180), *edge, (180, at_180), (180, pole), (-180, pole)])
    south, north = sorted((pole, float(latitude.min() if pole > 0 else latitude.max())))
    return Footprint(geometry=_geojson(polygon), bbox=(-180.0, _round(south), 180.0, _round(north)))


def _cut(longitude: FloatArray, latitude: FloatArray) -> Footprint:
    """From longitudes that run on beyond 180 to what GeoJSON allows."""
    longitude = longitude - 360 * np.floor((_round(longitude.min()) + 180) / 360)
    # Corners that a straight line serves as well, to a tenth of a metre.
    polygon = shapely.Polygon(np.stack([longitude, latitude], axis=1)).simplify(_STRAIGHT)
    west, south, east, north = polygon.bounds
    if _round(east) <= 180:  # a tile that ends there need not do so to the last digit
        return Footprint(geometry=_geojson(polygon), bbox=(_round(west), _round(south), _round(east), _round(north)))
    here = polygon.intersection(shapely.box(-180, -90, 180, 90))
    there = shapely.transform(polygon.intersection(shapely.box(180, -90, 540, 90)), lambda at: at - [360, 0])
    both = shapely.MultiPolygon([part for part in (here, there) if isinstance(part, shapely.Polygon)])
    return Footprint(geometry=_geojson(both), bbox=(_round(west), _round(south), _round(east - 360), _round(north)))


def _geojson(shape: shapely.Geometry) -> dict[str, Any]:
    """With exterior rings counter-clockwise, as RFC 7946 3.1.6 asks."""
    rounded = shapely.transform(shapely.normalize(shape), lambda at: np.round(at, _DIGITS))
    mapping = shapely.geometry.mapping(shapely.orient_polygons(rounded))
    return {"type": mapping["type"], "coordinates": _as_lists(mapping["coordinates"])}


def _as_lists(value: Any) -> Any:
    return [_as_lists(part) for part in value] if isinstance(value, tuple | list) else value


def _round(value: float) -> float:
    return round(float(value), _DIGITS)
