"""The common grid that maps are laid on: north-up, square pixels.

Its edges are those of the maps where these lie on one grid, as the tiles of a satellite's product do: then no label is
moved. Else they lie at multiples of the pixel size, which two mosaics of one campaign share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.errors import OutputError
from hsigeo.grid import Grid, apply_transform
from hsigeo.io.georeference import find_crs
from hsigeo.lines.placement import project

__all__ = ["choose_grid", "outline_in", "parse_crs"]

FloatArray = NDArray[np.float64]

MOST_PIXELS = 40_000_000_000
"""200 000 by 200 000. More is a slip: a line on another continent, or degrees taken for metres."""

_POINTS_PER_EDGE = 33
_SAME_SIZE_DIGITS = 6


def parse_crs(text: str) -> CRS:
    """A CRS from ``EPSG:32633``, WKT or PROJ text.

    Raises
    ------
    OutputError
        It is none.
    """
    crs = find_crs(text)
    if crs is None:
        raise OutputError(f"{text!r} is not a CRS; write for instance EPSG:32633")
    return crs


def choose_grid(
    grids: Sequence[Grid],
    *,
    crs: str | None = None,
    resolution: float | None = None,
    bounds: tuple[float, float, float, float] | None = None,
) -> Grid:
    """The grid of a mosaic.

    Parameters
    ----------
    grids
        Of the maps; each with CRS and transform.
    crs
        Any text that names one. Default: the one most maps have; of several, that of the first.
    resolution
        Side of a pixel in units of the CRS. Default: the one most maps in that CRS have; of several, the finest.
    bounds
        Left, bottom, right, top in the CRS. Default: all maps. They are moved outwards to the edges of pixels.

    Raises
    ------
    OutputError
        The CRS is none, the bounds are empty, no map can be placed in the CRS, or there would be too many pixels.
    """
    target = _commonest_crs(grids) if crs is None else parse_crs(crs)
    if resolution is None:
        resolution = _commonest_size(grids, target)
    if not (math.isfinite(resolution) and resolution > 0):
        raise OutputError(
            f"a resolution of {resolution} is not a pixel size; give the side of a pixel in units of the CRS"
        )
    left, bottom, right, top = _bounds_of_all(grids, target) if bounds is None else bounds
    if not (left < right and bottom < top) or not all(map(math.isfinite, (left, bottom, right, top))):
        raise OutputError(
            f"the bounds {left} {bottom} {right} {top} enclose nothing; give left, bottom, right and top of the CRS"
        )
    if max(right - left, top - bottom) < resolution:
        raise OutputError(
            f"a pixel of {resolution:g} is larger than the whole extent ({right - left:.3g} x {top - bottom:.3g}, "
            f"in units of {target.to_string():.40}); give the side of a pixel in units of this CRS"
        )
    x, y = _edges_of_most(grids, target, resolution)
    first_col, first_row = _floor((left - x) / resolution), _floor((y - top) / resolution)
    samples, lines = _ceil((right - x) / resolution) - first_col, _ceil((y - bottom) / resolution) - first_row
    if lines * samples > MOST_PIXELS:
        raise OutputError(
            f"the mosaic would have {lines} x {samples} pixels, {MOST_PIXELS:.0e} is the most; does a map lie far from "
            "the others? Give --bounds or a coarser --resolution"
        )
    transform = Affine(resolution, 0, x + first_col * resolution, 0, -resolution, y - first_row * resolution)
    return Grid(lines=max(lines, 1), samples=max(samples, 1), transform=transform, crs=target.to_wkt())


def outline_in(grid: Grid, target: CRS) -> tuple[FloatArray, FloatArray]:
    """(point,) x and y of a grid's outer edge in another CRS, clockwise from its first corner; infinite if nowhere.

    Longitudes do not jump at 180: they run on.
    """
    share = np.arange(_POINTS_PER_EDGE - 1) / (_POINTS_PER_EDGE - 1)
    zero, one = np.zeros_like(share), np.ones_like(share)
    cols = np.concatenate([share, one, 1 - share, zero]) * grid.samples
    rows = np.concatenate([zero, share, one, 1 - share]) * grid.lines
    x, y = apply_transform(grid.transform, cols, rows)
    source = CRS.from_wkt(grid.crs)
    if source != target:
        x, y = project(x, y, source, target)
    if target.is_geographic and np.isfinite(x).all():
        x = np.unwrap(x, period=360)
    return x, y


def _commonest_crs(grids: Sequence[Grid]) -> CRS:
    counts = Counter(grid.crs for grid in grids)
    systems: list[tuple[CRS, int]] = []
    for wkt, count in counts.items():
        crs = CRS.from_wkt(wkt)
        for number, (other, so_far) in enumerate(systems):
            if other == crs:
                systems[number] = (other, so_far + count)
                break
        else:
            systems.append((crs, count))
    return max(systems, key=lambda item: item[1])[0]


def _commonest_size(grids: Sequence[Grid], target: CRS) -> float:
    native = [grid for grid in grids if CRS.from_wkt(grid.crs) == target]
    sizes = [min(grid.pixel_size) for grid in native] or [_size_in(grid, target) for grid in grids]
    # To some digits, or rounding in a rotated transform would make every size its own.
    counts = Counter(float(f"{size:.{_SAME_SIZE_DIGITS}g}") for size in sizes)
    most = max(counts.values())
    return min(size for size, count in counts.items() if count == most)


def _edges_of_most(grids: Sequence[Grid], target: CRS, resolution: float) -> tuple[float, float]:
    """Where a pixel's corner is to lie: on the grid of most maps that need not be turned or resized, else at 0, 0."""
    corners: dict[tuple[float, float], list[tuple[float, float]]] = {(0.0, 0.0): []}
    for grid in grids:
        t = grid.transform
        fits = np.allclose(
            (abs(t.a), t.b, t.d, abs(t.e)), (resolution, 0, 0, resolution), rtol=0, atol=1e-6 * resolution
        )
        if fits and CRS.from_wkt(grid.crs) == target:
            share = tuple(round(at / resolution % 1, 3) % 1 for at in (t.c, t.f))
            corners.setdefault((share[0], share[1]), []).append((t.c, t.f))
    share, found = max(corners.items(), key=lambda item: len(item[1]))
    return found[0] if any(share) else (0.0, 0.0)


def _size_in(grid: Grid, target: CRS) -> float:
    """Side of a pixel in the middle of a grid, in another CRS; to three digits, as it varies over the grid."""
    middle = np.array([grid.samples / 2, grid.lines / 2])
    cols, rows = middle[0] + np.array([0.0, 1.0, 0.0]), middle[1] + np.array([0.0, 0.0, 1.0])
    x, y = project(*apply_transform(grid.transform, cols, rows), CRS.from_wkt(grid.crs), target)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise OutputError(f"a map cannot be placed in the CRS {target.to_string():.60}; choose another with --crs")
    size = min(math.hypot(x[1] - x[0], y[1] - y[0]), math.hypot(x[2] - x[0], y[2] - y[0]))
    return float(f"{size:.3g}")


def _bounds_of_all(grids: Sequence[Grid], target: CRS) -> tuple[float, float, float, float]:
    boxes = []
    reference: float | None = None
    for grid in grids:
        x, y = outline_in(grid, target)
        seen = np.isfinite(x) & np.isfinite(y)
        if not seen.any():
            continue
        x, y = x[seen], y[seen]
        if target.is_geographic:
            middle = float(x.mean())
            reference = middle if reference is None else reference
            x = x + 360 * round((reference - middle) / 360)
        boxes.append((x.min(), y.min(), x.max(), y.max()))
    if not boxes:
        raise OutputError(f"no map can be placed in the CRS {target.to_string():.60}; choose another with --crs")
    left, bottom, right, top = np.array(boxes).T
    return float(left.min()), float(bottom.min()), float(right.max()), float(top.max())


def _floor(value: float) -> int:
    """Down to a whole number, but not from one that only rounding keeps below the next."""
    nearest = round(value)
    return nearest if abs(value - nearest) < 1e-6 else math.floor(value)


def _ceil(value: float) -> int:
    return -_floor(-value)
