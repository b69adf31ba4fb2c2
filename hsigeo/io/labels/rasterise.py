"""From geometries to the pixels they label.

The strategy here is to bring geometries into pixel coordinates first. There the scene is the box from (0, 0) to
(samples, lines) whatever its rotation, so the window that a geometry can touch is its bounding box, and memory
follows the size of the geometry and never that of the scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize

from hsigeo.errors import LabelError

__all__ = ["MAX_LABELLED_PIXELS", "Claims", "burn", "explode", "resolve_claims"]

MAX_LABELLED_PIXELS = 50_000_000
"""Sparse labels cost about 60 bytes a pixel while they are gathered: this many are 3 GB."""

_WINDOW_PIXELS = 1 << 20
_SMALL_PIXELS = 1 << 10
_SLACK = 1e-6  # pixels; which centres are worth a look, not which are inside
_POINT, _POLYGON = 0, 3
_MULTI = (4, 5, 6, 7)

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Claims:
    """Pixels and who claims them; a pixel may be claimed more than once.

    Parameters
    ----------
    pixel
        (claim,) int64, row * samples + column.
    part
        (claim,) int64, position of the claiming geometry in the array that was burnt.
    """

    pixel: IntArray
    part: IntArray


def explode(geometries: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """Points, lines and polygons out of multi-geometries and collections, nested ones too.

    Returns
    -------
    parts : (part,) geometries
        None of them empty.
    owner : (part,) int64
        Position in `geometries` of the geometry each part comes from.
    """
    parts, owner = geometries, np.arange(len(geometries), dtype=np.int64)
    while np.isin(shapely.get_type_id(parts), _MULTI).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owner = owner[index]
    keep = ~(shapely.is_missing(parts) | shapely.is_empty(parts))
    return parts[keep], owner[keep]


def burn(parts: NDArray[Any], shape: tuple[int, int]) -> Claims:
    """The pixels that each geometry claims.

    A polygon claims the pixels whose centre lies inside it, a point the pixel that contains it, a line the pixels
    that GDAL's default line drawing touches (about one per row or column, whichever is more).

    Parameters
    ----------
    parts : (part,) points, lines and polygons
        In pixel coordinates: x is the column, y the row, (0, 0) the outer corner of the first pixel.
    shape
        Lines and samples of the scene.

    Raises
    ------
    LabelError
        The geometries claim more than `MAX_LABELLED_PIXELS`.
    """
    claims = [_burn_points(parts, shape)]
    shapes = np.flatnonzero((shapely.get_type_id(parts) != _POINT) & _may_claim(parts, shape))
    small, rest = _burn_small_polygons(parts, shapes, shape)
    claims += small
    count = _checked(sum(len(claim.pixel) for claim in claims), shape)
    # One environment around the loop: rasterio would otherwise build one for each geometry.
    with rasterio.Env():
        for number in rest:
            for pixel in _burn_with_gdal(parts[number], shape):
                count = _checked(count + len(pixel), shape)
                claims.append(Claims(pixel=pixel, part=np.full(len(pixel), number, dtype=np.int64)))
    return Claims(
        pixel=np.concatenate([claim.pixel for claim in claims]), part=np.concatenate([claim.part for claim in claims])
    )


def _checked(count: int, shape: tuple[int, int]) -> int:
    if count > MAX_LABELLED_PIXELS:
        raise LabelError(
            f"labels cover more than {MAX_LABELLED_PIXELS} pixels of the scene ({shape[0]} lines x {shape[1]} "
            "samples); draw smaller polygons"
        )
    return count


def _may_claim(parts: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether the bounding box overlaps the scene and, for polygons, contains a pixel centre."""
    bounds = shapely.bounds(parts)
    left, top, right, bottom = np.moveaxis(bounds, -1, 0)
    lines, samples = shape
    overlaps = (right >= 0) & (left <= samples) & (bottom >= 0) & (top <= lines)
    # GDAL counts columns and rows in 32 bits; what reaches further is no label but a broken coordinate.
    overlaps &= (np.abs(bounds) < 2**31).all(axis=1)
    first_col, first_row = np.ceil(left - 0.5 - _SLACK), np.ceil(top - 0.5 - _SLACK)
    last_col, last_row = np.floor(right - 0.5 + _SLACK), np.floor(bottom - 0.5 + _SLACK)
    is_polygon = shapely.get_type_id(parts) == _POLYGON
    result: NDArray[np.bool_] = overlaps & (~is_polygon | ((last_col >= first_col) & (last_row >= first_row)))
    return result


def _burn_points(parts: NDArray[Any], shape: tuple[int, int]) -> Claims:
    number = np.flatnonzero(shapely.get_type_id(parts) == _POINT)
    x, y = np.floor(shapely.get_x(parts[number])), np.floor(shapely.get_y(parts[number]))
    inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    pixel = y[inside].astype(np.int64) * shape[1] + x[inside].astype(np.int64)
    return Claims(pixel=pixel, part=number[inside])


def _burn_small_polygons(
    parts: NDArray[Any], numbers: IntArray, shape: tuple[int, int]
) -> tuple[list[Claims], IntArray]:
    """Test the pixel centres of small polygons all at once, where GDAL would take a call for each (0.5 ms).

    A centre exactly on an edge is GDAL's to decide: it gives it to one of two neighbours, never to both or none.
    So are lines, and polygons that cross themselves.

    Returns
    -------
    claims
        What the small polygons claim.
    rest
        Which of `numbers` are left for GDAL.
    """
    left, top, right, bottom = np.moveaxis(shapely.bounds(parts[numbers]), -1, 0)
    first_col, first_row = (np.maximum(np.ceil(edge - 0.5 - _SLACK), 0).astype(np.int64) for edge in (left, top))
    last_col = np.minimum(np.floor(right - 0.5 + _SLACK), shape[1] - 1).astype(np.int64)
    last_row = np.minimum(np.floor(bottom - 0.5 + _SLACK), shape[0] - 1).astype(np.int64)
    width, height = np.maximum(last_col - first_col + 1, 0), np.maximum(last_row - first_row + 1, 0)
    small = (width * height <= _SMALL_PIXELS) & (shapely.get_type_id(parts[numbers]) == _POLYGON)
    small[small] = shapely.is_valid(parts[numbers][small])
    claims: list[Claims] = []
    undecided = [numbers[~small]]
    count = 0
    chosen = np.flatnonzero(small)
    batches = np.cumsum((width * height)[chosen]) // _WINDOW_PIXELS
    for batch in np.split(chosen, np.flatnonzero(np.diff(batches)) + 1):
        area = (width * height)[batch]
        owner = np.repeat(batch, area)
        step = np.arange(area.sum()) - np.repeat(np.cumsum(area) - area, area)
        row, col = first_row[owner] + step // width[owner], first_col[owner] + step % width[owner]
        polygons = parts[numbers[owner]]
        inside = shapely.contains_xy(polygons, col + 0.5, row + 0.5)
        on_edge = np.unique(owner[inside != shapely.intersects_xy(polygons, col + 0.5, row + 0.5)])
        undecided.append(numbers[on_edge])
        inside &= ~np.isin(owner, on_edge)
        claims.append(Claims(pixel=(row * shape[1] + col)[inside], part=numbers[owner[inside]]))
        count = _checked(count + len(claims[-1].pixel), shape)
    return claims, np.sort(np.concatenate(undecided))


def _burn_with_gdal(geometry: Any, shape: tuple[int, int]) -> Iterator[IntArray]:
    """Flat indices of the pixels under a line or polygon, a few rows of its window at a time."""
    lines, samples = shape
    left, top, right, bottom = np.floor(geometry.bounds)
    first_col, last_col = int(max(left, 0)), int(min(right, samples - 1))
    first_row, last_row = int(max(top, 0)), int(min(bottom, lines - 1))
    width = last_col - first_col + 1
    if width <= 0:
        return
    height = max(1, _WINDOW_PIXELS // width)
    for start in range(first_row, last_row + 1, height):
        burnt = rasterize(
            [(geometry, 1)],
            out_shape=(min(height, last_row + 1 - start), width),
            transform=Affine.translation(first_col, start),
            dtype="uint8",
        )
        row, col = np.nonzero(burnt)
        yield (row + start) * samples + (col + first_col)


@dataclass(frozen=True, kw_only=True, eq=False)
class ResolvedClaims:
    """Every pixel at most once, ascending.

    Parameters
    ----------
    pixel, class_id, part
        (pixel,) flat index, class, and the first geometry that claimed it.
    contradicting, repeated
        Number of pixels dropped because classes disagree, and of those claimed again by the same class.
    """

    pixel: IntArray
    class_id: NDArray[np.int32]
    part: IntArray
    contradicting: int
    repeated: int


def resolve_claims(claims: Claims, class_of_part: NDArray[np.int32]) -> ResolvedClaims:
    """Drop the pixels that two classes claim; keep one claim of each other pixel.

    | claimed by           | used | counted as    |
    |----------------------|------|---------------|
    | one part             | yes  | -             |
    | parts of one class   | once | repeated      |
    | parts of two classes | no   | contradicting |
    """
    order = np.argsort(claims.pixel, kind="stable")
    pixel, part = claims.pixel[order], claims.part[order]
    class_id = class_of_part[part]
    starts = np.flatnonzero(np.diff(pixel, prepend=-1))
    lowest = np.minimum.reduceat(class_id, starts) if len(starts) else class_id[:0]
    highest = np.maximum.reduceat(class_id, starts) if len(starts) else class_id[:0]
    times = np.diff(starts, append=len(pixel))
    agreed = lowest == highest
    used = starts[agreed]
    return ResolvedClaims(
        pixel=pixel[used],
        class_id=class_id[used],
        part=part[used],
        contradicting=int((~agreed).sum()),
        repeated=int((agreed & (times > 1)).sum()),
    )
