"""Where a map lies, in words: coordinate system, centre, extent, pixel size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import rasterio.warp
from rasterio.crs import CRS

from hsigeo.grid import Grid
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.gdal_errors import GDAL_ERRORS
from hsigeo.lines.coarse import read_coarse_mask
from hsigeo.lines.footprint import find_footprint
from hsigeo.lines.handles import Handles

__all__ = ["Outline", "Place", "find_outline", "find_place"]

OUTLINE_SIDE = 128
"""Cells of the mask whose hull is the outline, which is drawn a few hundred pixels wide with all lines in it."""

Outline = tuple[tuple[float, float], ...]
"""(longitude, latitude) of its corners."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is known; `None` or empty where it is not.

    Parameters
    ----------
    crs
        Name and, where it has one, code of the coordinate reference system.
    longitude, latitude
        Of the middle, degrees.
    pixel
        Size of a pixel with its unit.
    rotation
        Degrees by which the rows are turned; 0 for north-up maps.
    """

    crs: str = ""
    longitude: float | None = None
    latitude: float | None = None
    pixel: str = ""
    rotation: float = 0.0

    @property
    def middle(self) -> str:
        """As ``52.5310° N, 13.2800° E``; empty where it is not known."""
        if self.longitude is None or self.latitude is None:
            return ""
        north = f"{abs(self.latitude):.4f}° {'N' if self.latitude >= 0 else 'S'}"
        return f"{north}, {abs(self.longitude):.4f}° {'E' if self.longitude >= 0 else 'W'}"


def find_place(grid: Grid) -> Place:
    """What a grid says of its place."""
    if grid.crs is None:
        return Place(pixel="" if not grid.has_transform else _pixel(grid, "units of an unstated CRS"))
    try:
        crs = CRS.from_wkt(grid.crs)
    except GDAL_ERRORS:
        return Place()
    longitude, latitude = _middle(grid, crs)
    unit = "°" if crs.is_geographic else _unit(crs)
    return Place(
        crs=_name(crs),
        longitude=longitude,
        latitude=latitude,
        pixel=_pixel(grid, unit) if grid.has_transform else "",
        rotation=0.0 if grid.is_rectilinear else grid.rotation,
    )


def find_outline(raster: ClassRaster) -> Outline:
    """Around what a map says anything about; empty where its place is not known.

    Empty, too, for a map across the 180th meridian: that is in two pieces, of which a sketch without a background would
    make nothing.

    Raises
    ------
    LabelError
        The map cannot be read.
    """
    with Handles() as handles:
        mask = read_coarse_mask(raster, handles, longest_side=OUTLINE_SIDE)
    footprint = find_footprint(raster.grid, mask)
    if footprint is None or footprint.geometry["type"] != "Polygon":
        return ()
    return tuple((round(x, 5), round(y, 5)) for x, y in footprint.geometry["coordinates"][0])


def _middle(grid: Grid, crs: CRS) -> tuple[float | None, float | None]:
    if not grid.has_transform:
        return None, None
    x, y = grid.transform @ (grid.samples / 2, grid.lines / 2)
    try:
        longitude, latitude = rasterio.warp.transform(crs, "EPSG:4326", [x], [y])[:2]
    except GDAL_ERRORS:
        return None, None
    known = math.isfinite(longitude[0]) and math.isfinite(latitude[0])
    return (_within_180(float(longitude[0])), float(latitude[0])) if known else (None, None)


def _within_180(longitude: float) -> float:
    """Grids in degrees may run on beyond the 180th meridian, or count to 360."""
    return longitude - 360 * round(longitude / 360)


def _name(crs: CRS) -> str:
    """From the WKT, whose first quoted text is the name."""
    parts = crs.to_wkt().split('"')
    name = parts[1] if len(parts) > 2 else "unnamed"
    try:
        code = crs.to_epsg()
    except GDAL_ERRORS:
        code = None
    return f"{name} (EPSG:{code})" if code else name


def _unit(crs: CRS) -> str:
    try:
        name, metres = crs.linear_units_factor
    except GDAL_ERRORS:
        return "units"
    return "m" if metres == 1 else str(name)


def _pixel(grid: Grid, unit: str) -> str:
    across, down = grid.pixel_size
    join = "" if unit == "°" else "\u00a0"
    return f"{across:.6g} × {down:.6g}{join}{unit}"  # noqa: RUF001 - the sign of multiplication
