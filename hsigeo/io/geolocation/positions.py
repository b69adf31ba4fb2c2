"""From longitude and latitude (or easting and northing) of each sensor pixel to a map grid: the nearest pixel wins.

The strategy here: each sensor pixel offers itself to the few map pixels around it, and a map pixel keeps the nearest
offer within the maximum distance. That is an exact nearest neighbour, needs no search tree, and walks through the scene
once, a few MB at a time; what is held is one index and one distance for each map pixel, on disk where they are many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.geolocation.lookup import Plane
from hsigeo.io.spool import Spool, release_pages
from hsigeo.tiling import iter_slices

__all__ = ["NearestLookup", "PixelPositions", "utm_epsg"]

_BLOCK_PIXELS = 1 << 18
_MAX_REACH = 25
_MAX_GROWTH = 100
_SAMPLED = 200

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PixelPositions:
    """Where the centre of each pixel of a scene lies. Implements `hsigeo.io.geolocation.Geolocation`.

    Parameters
    ----------
    x, y
        Planes of the size of the scene: longitude and latitude, or easting and northing.
    crs
        Of the positions, as WKT.
    nodata
        Means "not known" in either plane, besides what is not finite; `None` where there is no such number.
    where
        The file, for messages.
    """

    x: Plane
    y: Plane
    crs: str
    nodata: float | None = None
    where: str

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape:
            raise SceneError(f"{self.where}: its positions have the sizes {self.x.shape} and {self.y.shape}")

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return "position of each pixel"

    @contextmanager
    def lookup(self, spool: Spool, *, max_distance: float | None = None) -> Iterator[NearestLookup]:
        """The nearest sensor pixel of each map pixel; see `hsigeo.io.geolocation.Geolocation.lookup`.

        Raises
        ------
        SceneError
            No position is known, or they are spread out so far that no map could hold them.
        """
        target = self._map_crs()
        grid, spacing = self._plan(target)
        reach = (spacing if max_distance is None else max_distance) / grid.pixel_size[0]
        if not 0 < reach <= _MAX_REACH:
            raise SceneError(
                f"{self.where}: a maximum distance of {max_distance:g} is {reach:.3g} pixels of "
                f"{grid.pixel_size[0]:g}; it must be above 0 and at most {_MAX_REACH} pixels"
            )
        count = self.x.shape[0] * self.x.shape[1]
        index = spool.array(grid.shape, np.int32 if count < 1 << 31 else np.int64, -1)
        distance = spool.array(grid.shape, np.float32, np.inf)
        for first, x, y in self._blocks(target):
            _offer(index.reshape(-1), distance.reshape(-1), grid, (first, x, y), reach)
            release_pages(index)
            release_pages(distance)
        yield NearestLookup(grid=grid, index=index, max_distance=reach * grid.pixel_size[0])

    def _map_crs(self) -> CRS:
        """The CRS of the map: that of the positions if it is projected, else the UTM zone (or pole) of the scene."""
        own = CRS.from_wkt(self.crs)
        if not own.is_geographic:
            return own
        step = max(1, self.x.shape[0] // _SAMPLED)
        found = [self._read(slice(line, line + 1)) for line in range(0, self.x.shape[0], step)]
        lon, lat = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if not lon.size:
            raise SceneError(f"{self.where}: no pixel of the scene has a known position")
        angle = np.radians(lon)
        centre = math.degrees(math.atan2(np.sin(angle).mean(), np.cos(angle).mean()))
        return CRS.from_epsg(utm_epsg(centre, float(np.median(lat))))

    def _plan(self, target: CRS) -> tuple[Grid, float]:
        """The map grid, and the larger of the two distances between neighbours."""
        left = bottom = math.inf
        right = top = -math.inf
        across: list[FloatArray] = []
        along: list[FloatArray] = []
        for _, x, y in self._blocks(target):
            if not np.isfinite(x).any():
                continue
            left, right = min(left, np.nanmin(x)), max(right, np.nanmax(x))
            bottom, top = min(bottom, np.nanmin(y)), max(top, np.nanmax(y))
            across.append(_steps(x, y, 1))
            along.append(_steps(x, y, 0))
        if not math.isfinite(left):
            raise SceneError(f"{self.where}: no pixel of the scene has a known position")
        spacings = [float(np.median(steps)) for steps in map(np.concatenate, (across, along)) if len(steps)]
        spacings = [spacing for spacing in spacings if spacing > 0]
        if not spacings:
            raise SceneError(f"{self.where}: all pixels of the scene lie at the same position; the file may be damaged")
        pixel = _two_digits(math.sqrt(spacings[0] * spacings[-1]))
        column, row = math.floor((left - pixel / 2) / pixel), math.ceil((top + pixel / 2) / pixel)
        samples = math.ceil((right + pixel / 2) / pixel) - column
        lines = row - math.floor((bottom - pixel / 2) / pixel)
        if lines * samples > _MAX_GROWTH * self.x.shape[0] * self.x.shape[1] + (1 << 20):
            raise SceneError(
                f"{self.where}: the positions spread over {lines} x {samples} pixels of {pixel:g} for a scene of "
                f"{self.x.shape[0]} x {self.x.shape[1]}; some may be wrong. --geometry sensor ignores them"
            )
        grid = Grid(
            lines=lines,
            samples=samples,
            transform=Affine(pixel, 0, column * pixel, 0, -pixel, row * pixel),
            crs=target.to_wkt(),
        )
        return grid, max(*spacings, pixel)

    def _blocks(self, target: CRS) -> Iterator[tuple[int, FloatArray, FloatArray]]:
        """First line, x and y (line, sample) in the map's CRS, NaN where not known."""
        own = CRS.from_wkt(self.crs)
        lines, samples = self.x.shape
        step = max(1, _BLOCK_PIXELS // samples)
        for rows in iter_slices(0, lines, step):
            x, y = self._masked(rows)
            known = np.isfinite(x)
            if own != target and known.any():
                moved = transform_coordinates(own, target, x[known], y[known])
                x[known], y[known] = np.asarray(moved[0]), np.asarray(moved[1])
                x[~np.isfinite(y)] = np.nan
            yield rows.start, x, y

    def _masked(self, rows: slice) -> tuple[FloatArray, FloatArray]:
        x = np.array(self.x.read(rows, slice(None)), dtype=np.float64)
        y = np.array(self.y.read(rows, slice(None)), dtype=np.float64)
        unknown = ~(np.isfinite(x) & np.isfinite(y))
        if self.nodata is not None:
            unknown |= (x == self.nodata) | (y == self.nodata)
        if CRS.from_wkt(self.crs).is_geographic:
            with np.errstate(invalid="ignore"):
                unknown |= (np.abs(y) > 90) | (np.abs(x) > 360)
        x[unknown] = y[unknown] = np.nan
        return x, y

    def _read(self, rows: slice) -> tuple[FloatArray, FloatArray]:
        x, y = self._masked(rows)
        known = np.isfinite(x)
        return x[known], y[known]


@dataclass(frozen=True, kw_only=True, eq=False)
class NearestLookup:
    """The nearest sensor pixel of each map pixel. Implements `hsigeo.io.geolocation.Lookup`.

    Parameters
    ----------
    grid
        The grid of the map.
    index
        (y, x) line · samples + sample of the sensor pixel, -1 where none is near enough.
    max_distance
        How near, in units of the CRS.
    """

    grid: Grid
    index: NDArray[Any]
    max_distance: float

    @property
    def note(self) -> str:
        """How pixels are placed."""
        pixel = self.grid.pixel_size[0]
        unit = CRS.from_wkt(self.grid.crs).linear_units if self.grid.crs else "unit"
        return (
            "classified in sensor geometry; each map pixel took the label of the nearest sensor pixel, at most "
            f"{self.max_distance:.4g} {unit} away (pixels of {pixel:g})"
        )

    def read(self, rows: slice, cols: slice = slice(None)) -> NDArray[np.int64]:
        """See `hsigeo.io.geolocation.Lookup.read`."""
        found = np.array(self.index[rows, cols], dtype=np.int64)
        release_pages(self.index)
        return found


def _offer(
    index: NDArray[Any], distance: NDArray[Any], grid: Grid, block: tuple[int, FloatArray, FloatArray], reach: float
) -> None:
    """Offer a block of sensor pixels to the map pixels within `reach` (in pixels) of each.

    Parameters
    ----------
    index, distance : (map pixel,), changed in place
    block
        First line, x and y.
    """
    first, x, y = block
    inverse = ~grid.transform
    col = inverse.a * x.ravel() + inverse.c - 0.5  # pixel centres at whole numbers
    row = inverse.e * y.ravel() + inverse.f - 0.5
    pixel = np.flatnonzero(np.isfinite(col))
    col, row = col[pixel], row[pixel]
    nearest_col, nearest_row = np.rint(col).astype(np.int64), np.rint(row).astype(np.int64)
    pixel += first * x.shape[1]
    around = range(-math.floor(reach + 0.5), math.floor(reach + 0.5) + 1)
    for down in around:
        for right in around:
            to_col, to_row = nearest_col + right, nearest_row + down
            far = np.hypot(to_col - col, to_row - row).astype(np.float32)
            inside = (to_col >= 0) & (to_col < grid.samples) & (to_row >= 0) & (to_row < grid.lines)
            cell = np.where(inside, to_row * grid.samples + to_col, 0)
            better = inside & (far <= np.float32(reach)) & (far < distance[cell])
            cell, far, who = cell[better], far[better], pixel[better]
            np.minimum.at(distance, cell, far)
            won = far == distance[cell]
            index[cell[won]] = who[won]


def _steps(x: FloatArray, y: FloatArray, axis: int) -> FloatArray:
    """Distances between neighbours along an axis, a sample of them."""
    far = np.hypot(np.diff(x, axis=axis), np.diff(y, axis=axis)).ravel()
    far = far[np.isfinite(far)]
    return far[:: max(1, far.size // 10_000)]


def _two_digits(value: float) -> float:
    """Rounded to two significant digits: 59.7 is meant to be 60."""
    return float(f"{value:.2g}")


def utm_epsg(longitude: float, latitude: float) -> int:
    """EPSG code of the UTM zone of a place; of the polar stereographic projections (UPS) beyond 84° N and 80° S."""
    if latitude > 84:
        return 32661
    if latitude < -80:
        return 32761
    zone = int((longitude + 180) // 6) % 60 + 1
    return (32600 if latitude >= 0 else 32700) + zone
