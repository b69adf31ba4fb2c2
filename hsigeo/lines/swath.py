"""The centre line of a swath, and how far a pixel lies from it.

The strategy here: a line is flown straight, so its centre is a straight line. Its direction is that in which the mapped
area is longest; where that is not clear (a short piece of a line), it is the direction in which the raster's rows
follow each other, which for a raster in flight geometry is the flight. The middle between the two edges, every so
often along that direction, gives the line through least squares: ragged edges average out, and a raster that is
north-up with the swath lying askew in it works like one that is turned with the swath. The doubt: a line that was cut
to a tile has its centre in the middle of the tile, for nothing says otherwise. Where view angles are known, none of
this is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.grid import Grid
from hsigeo.lines.coarse import CoarseMask

__all__ = ["Swath", "find_swath", "metres_per_pixel"]

FloatArray = NDArray[np.float64]

CLEARLY_LONGER = 1.5
_SECTIONS = 64
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Swath:
    """A straight centre line.

    Parameters
    ----------
    per_row, per_col, constant
        Distance from it in metres of a place given by row and column: ``per_row·row + per_col·col + constant``.
        Positive towards the east, or towards the south for a line that runs due east.
    half_width
        Metres from the centre to an edge; the median along the line. NaN where the map says nothing at all.
    """

    per_row: float
    per_col: float
    constant: float
    half_width: float

    def distance(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> FloatArray:
        """Metres of pixels' centres from the centre line, with sign."""
        result: FloatArray = self.per_row * (rows + 0.5) + self.per_col * (cols + 0.5) + self.constant
        return result

    def relative(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> FloatArray:
        """The same as a share of the half width: -1 and 1 at the edges, 0 in the centre."""
        result: FloatArray = self.distance(rows, cols) / self.half_width
        return result


def metres_per_pixel(grid: Grid) -> NDArray[np.float64]:
    """(2, 2) matrix from (column, row) to metres east and north, as it holds in the middle of the grid."""
    t = grid.transform
    matrix: FloatArray = np.array([[t.a, t.b], [t.d, t.e]])
    crs = CRS.from_wkt(grid.crs)
    if crs.is_geographic:
        latitude = (t * (grid.samples / 2, grid.lines / 2))[1]
        east = _METRES_PER_DEGREE * max(math.cos(math.radians(latitude)), 1e-6)
        return np.asarray(np.diag([east, _METRES_PER_DEGREE]) @ matrix)
    factor = crs.linear_units_factor[1] if crs.is_projected else 1.0
    return np.asarray(float(factor) * matrix)


def find_swath(grid: Grid, mask: CoarseMask) -> Swath:
    """Estimate the centre line from where the map says anything."""
    rows, cols = mask.centres()
    if not rows.size:
        return Swath(per_row=0.0, per_col=0.0, constant=0.0, half_width=math.nan)
    matrix = metres_per_pixel(grid)
    places = matrix @ np.stack([cols, rows])  # (east and north, cell)
    along = _direction(places, matrix)
    across = np.array([along[1], -along[0]])
    u, v = along @ places, across @ places
    middle, slope, half_width = _fit(u, v)
    norm = math.hypot(1.0, slope)
    weights = (across - slope * along) / norm  # on east and north
    on_pixels = weights @ matrix  # on column and row
    # An edge lies half a cell beyond the middle of the last one.
    beyond = 0.5 * abs(on_pixels) @ np.array([mask.cell[1], mask.cell[0]])
    return Swath(
        per_row=float(on_pixels[1]),
        per_col=float(on_pixels[0]),
        constant=-middle / norm,
        half_width=half_width / norm + float(beyond),
    )


def _direction(places: FloatArray, matrix: FloatArray) -> FloatArray:
    """Unit vector along the line, towards north (west for one that runs due east)."""
    centred = places - places.mean(axis=1, keepdims=True)
    variance, axes = np.linalg.eigh(centred @ centred.T)
    clear = variance[1] > CLEARLY_LONGER**2 * max(variance[0], 0.0) and variance[1] > 0
    along = axes[:, 1] if clear else matrix[:, 1] / np.linalg.norm(matrix[:, 1])
    if along[1] < -1e-9 or (abs(along[1]) <= 1e-9 and along[0] > 0):
        along = -along
    return np.asarray(along)


def _fit(u: FloatArray, v: FloatArray) -> tuple[float, float, float]:
    """Where the middle is at u = 0, its slope, and the half width."""
    start, stop = float(u.min()), float(u.max())
    section = np.minimum((_SECTIONS * (u - start) / max(stop - start, 1e-12)).astype(np.int64), _SECTIONS - 1)
    low, high = np.full(_SECTIONS, np.inf), np.full(_SECTIONS, -np.inf)
    np.minimum.at(low, section, v)
    np.maximum.at(high, section, v)
    seen = np.isfinite(low)
    low, high = low[seen], high[seen]
    at = start + (np.flatnonzero(seen) + 0.5) * (stop - start) / _SECTIONS
    # The corners of a turned swath end in points; their sections say little about the middle.
    wide = (high - low) >= 0.5 * np.median(high - low)
    at, middles = at[wide], ((low + high) / 2)[wide]
    slope, middle = np.polyfit(at, middles, 1) if len(at) > 2 else (0.0, float(middles.mean()))
    return float(middle), float(slope), float(np.median((high - low)[wide]) / 2)
