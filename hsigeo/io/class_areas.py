"""The ground area that each class of a map covers.

A pixel's area is that of the grid in its own projection, wherever that is within `TOLERANCE` of the truth: so people
can check it with a pocket calculator. Degrees are no lengths, and some projections (Web Mercator above all) stretch;
there the area on the WGS 84 ellipsoid is taken, measured on a lattice over the map and interpolated between its points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import rasterio.crs
import rasterio.warp
from numpy.typing import NDArray

from hsigeo.grid import Grid, apply_transform
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.gdal_errors import GDAL_ERRORS
from hsigeo.progress import Progress

__all__ = [
    "TOLERANCE",
    "ClassAreas",
    "ClassTally",
    "PixelAreas",
    "measure_class_areas",
    "measure_pixel_areas",
    "tally_classes",
]

TOLERANCE = 0.01
"""UTM and most national grids stretch areas by less than half a per cent."""

SQUARE_METRES = 10_000.0
"""Square metres in a hectare."""

_NODES = 129
"""Nodes of the lattice along each side: for a map of the whole Earth, interpolation between them is 5e-5 too small."""

_SEMI_MAJOR, _FLATTENING = 6_378_137.0, 1 / 298.257223563
"""WGS 84."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelAreas:
    """Area of each pixel of a grid.

    Parameters
    ----------
    unit
        ``ha``, or ``pixels`` where the grid has no place on the Earth.
    row, col
        (node,) pixels of the lattice.
    area
        (row node, col node) area of a pixel there.
    note
        What to know about them.
    """

    unit: str
    row: FloatArray
    col: FloatArray
    area: FloatArray
    note: str | None = None

    @property
    def is_constant(self) -> bool:
        """Whether all pixels have the same area."""
        return self.area.size == 1

    def of_rows(self, start: int, stop: int, samples: int) -> FloatArray:
        """(y, x) area of every pixel of some rows."""
        if self.is_constant:
            return np.full((stop - start, samples), self.area.item())
        columns = np.arange(samples, dtype=np.float64)
        along = np.stack([np.interp(columns, self.col, line) for line in self.area])  # (row node, x)
        place = np.interp(np.arange(start, stop), self.row, np.arange(len(self.row)))
        below = np.minimum(place.astype(int), max(len(self.row) - 2, 0))
        above = np.minimum(below + 1, len(self.row) - 1)
        share = (place - below)[:, None]
        return np.asarray((1 - share) * along[below] + share * along[above])


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassAreas:
    """Area of each class of a map.

    Parameters
    ----------
    by_id
        Class id → area; 0 is what is unclassified or nodata.
    unit, note
        As in `PixelAreas`.
    """

    by_id: dict[int, float]
    unit: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassTally:
    """How often each number occurs in a map, and the ground area it covers.

    Parameters
    ----------
    pixels
        (number,) int64, from 0 to the largest class id, or further where the map holds numbers that are no class.
    area
        (number,) float64.
    unit, note
        As in `PixelAreas`.
    """

    pixels: NDArray[np.int64]
    area: FloatArray
    unit: str
    note: str | None


def tally_classes(raster: ClassRaster, *, progress: Progress | None = None) -> ClassTally:
    """Read a whole map once, a few MB at a time.

    Parameters
    ----------
    progress
        Called with (rows read, rows in all).

    Raises
    ------
    LabelError
        The map cannot be read.
    """
    areas = measure_pixel_areas(raster.grid)
    # Only as many as there are ids: 65 536 counters for each strip of a small map would be most of the work.
    size = max(raster.classes.ids, default=0) + 1
    pixels = np.zeros(size, dtype=np.int64)
    area: FloatArray = np.zeros(size)
    for row, ids in raster.strips():
        counts = np.bincount(ids.ravel(), minlength=len(pixels))
        pixels = np.pad(pixels, (0, len(counts) - len(pixels))) + counts
        if not areas.is_constant:
            weights = areas.of_rows(row, row + len(ids), raster.grid.samples).ravel()
            ground = np.bincount(ids.ravel(), weights, minlength=len(area))
            area = np.pad(area, (0, len(ground) - len(area))) + ground
        if progress is not None:
            progress(row + len(ids), raster.grid.lines)
    if areas.is_constant:
        area = np.multiply(pixels, areas.area.item(), dtype=np.float64)
    return ClassTally(pixels=pixels, area=area, unit=areas.unit, note=areas.note)


def measure_class_areas(raster: ClassRaster, *, progress: Progress | None = None) -> ClassAreas:
    """The area of each class of a map; parameters and errors as in `tally_classes`."""
    tally = tally_classes(raster, progress=progress)
    by_id = {number: float(tally.area[number]) for number in (0, *raster.classes.ids)}
    return ClassAreas(by_id=by_id, unit=tally.unit, note=tally.note)


def measure_pixel_areas(grid: Grid) -> PixelAreas:
    """The area of each pixel, in hectares where the grid has a CRS and a transform."""
    if grid.crs is None or not grid.has_transform:
        return _constant(1.0, "pixels", "the map has no georeference, so areas are counted in pixels")
    crs = rasterio.crs.CRS.from_wkt(grid.crs)
    row, col = (np.linspace(0, count - 1, min(count, _NODES)) for count in grid.shape)
    ground = _on_ellipsoid(grid, crs, row, col) / SQUARE_METRES
    known = bool(np.isfinite(ground).all())
    if crs.is_geographic:
        if not known:
            return _constant(1.0, "pixels", "the map's corners lie outside its CRS, so areas are counted in pixels")
        return PixelAreas(unit="ha", row=row, col=col, area=ground, note="areas are measured on the ellipsoid")
    planar = _planar(grid, crs)
    if planar is None:
        return _constant(1.0, "pixels", "the unit of the map's CRS is not known, so areas are counted in pixels")
    stretch = float(np.abs(planar / ground - 1).max()) if known else 0.0
    if stretch <= TOLERANCE:
        return _constant(planar, "ha", None)
    note = f"the map's projection distorts areas by up to {stretch:.0%}, so areas are measured on the ellipsoid"
    return PixelAreas(unit="ha", row=row, col=col, area=ground, note=note)


def _constant(area: float, unit: str, note: str | None) -> PixelAreas:
    nowhere = np.zeros(1)
    return PixelAreas(unit=unit, row=nowhere, col=nowhere, area=np.full((1, 1), area), note=note)


def _planar(grid: Grid, crs: rasterio.crs.CRS) -> float | None:
    """Hectares of a pixel in the map's own projection."""
    try:
        _, metres = crs.linear_units_factor
    except GDAL_ERRORS:
        return None
    return abs(grid.transform.determinant) * float(metres) ** 2 / SQUARE_METRES


def _on_ellipsoid(grid: Grid, crs: rasterio.crs.CRS, row: FloatArray, col: FloatArray) -> FloatArray:
    """(row, col) square metres of the pixels at these positions; NaN where they are no place on the Earth.

    A pixel's corners are joined by straight lines in space: half the cross product of the diagonals, which knows no
    date line and no poles. For pixels of 25 km this is 1e-5 too little.
    """
    corners = [(0, 0), (0, 1), (1, 1), (1, 0)]
    rows, cols = np.meshgrid(row, col, indexing="ij")
    points = []
    for down, right in corners:
        x, y = apply_transform(grid.transform, cols.ravel() + right, rows.ravel() + down)
        try:
            longitude, latitude = rasterio.warp.transform(crs, "EPSG:4326", x, y)[:2]
        except GDAL_ERRORS:
            return np.full(rows.shape, np.nan)
        points.append(_in_space(np.radians(longitude), np.radians(latitude)))
    with np.errstate(invalid="ignore"):
        normal = np.cross(points[2] - points[0], points[3] - points[1])
    return np.asarray(0.5 * np.linalg.norm(normal, axis=1).reshape(rows.shape))


def _in_space(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """(point, 3) metres from the Earth's centre."""
    squared = _FLATTENING * (2 - _FLATTENING)
    with np.errstate(invalid="ignore"):
        normal = _SEMI_MAJOR / np.sqrt(1 - squared * np.sin(latitude) ** 2)
        return np.stack(
            [
                normal * np.cos(latitude) * np.cos(longitude),
                normal * np.cos(latitude) * np.sin(longitude),
                normal * (1 - squared) * np.sin(latitude),
            ],
            axis=1,
        )
