"""Filters over class ids: they look at a pixel's neighbours, and never invent a class or fill what has none."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import sieve

from hsigeo.classes import UNCLASSIFIED

__all__ = ["clump", "majority", "remove_patches"]

MOST_ROUNDS = 100
"""Bound on repeated merging, in case two small patches keep swapping."""

Ids = NDArray[Any]


def majority(ids: Ids, radius: int) -> Ids:
    """Each pixel's most frequent class among itself and its neighbours.

    Pixels without a class have no vote and get none. A tie that the pixel's own class is part of leaves the pixel as it
    was; any other goes to the lowest id.

    Parameters
    ----------
    ids : (y, x) integer
        Class ids, 0 where there is none.
    radius
        The window has ``2 * radius + 1`` pixels on each side; beyond the edge there are no neighbours.

    Returns
    -------
    (y, x) of the same type
    """
    best = np.zeros(ids.shape, dtype=np.int32)
    chosen = ids.copy()
    for number in np.unique(ids):
        if number == UNCLASSIFIED:
            continue
        own = ids == number
        votes = 2 * _count_around(own, radius) + own  # the half vote settles ties
        better = votes > best
        best[better], chosen[better] = votes[better], number
    chosen[ids == UNCLASSIFIED] = UNCLASSIFIED
    return chosen


def clump(ids: Ids, radius: int, chosen: Collection[int] | None = None) -> Ids:
    """Join what lies close together and is of one class: a morphological closing of each class.

    A class is dilated, then eroded, by the same square (Soille 2003, Morphological Image Analysis, ch. 4). It takes the
    gaps, holes and notches narrower than the square; unlike a majority filter it leaves straight edges and corners
    where they are. A chosen class takes pixels of those that are not chosen without asking. Where several chosen
    classes close over a pixel, and its own is always one that does, the class with most pixels in the window gets it;
    on a tie its own, else the lowest id.

    Parameters
    ----------
    ids : (y, x) integer
        Class ids, 0 where there is none. Those pixels are taken by no class.
    radius
        The square has ``2 * radius + 1`` pixels on each side. What becomes of a pixel depends on none farther than
        ``2 * radius`` rows or columns.
    chosen
        Ids of the classes that are closed; by default every class.

    Returns
    -------
    (y, x) of the same type
    """
    best = np.zeros(ids.shape, dtype=np.int32)
    joined = ids.copy()
    for number in np.unique(ids):
        if number == UNCLASSIFIED or (chosen is not None and number not in chosen):
            continue
        own = ids == number
        votes = np.where(_close(own, radius), 2 * _count_around(own, radius) + own, 0)
        better = votes > best
        best[better], joined[better] = votes[better], number
    joined[ids == UNCLASSIFIED] = UNCLASSIFIED
    return joined


def _close(marked: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """(y, x) what no square that misses all marked pixels can reach.

    The plane goes on, unmarked, beyond the edge: were it cut off there, erosion would eat what touches the edge.
    """
    dilated = _count_around(np.pad(marked, radius), radius) > 0
    whole = _count_around(dilated, radius) == (2 * radius + 1) ** 2
    inner = slice(radius, -radius)
    return np.asarray(whole[inner, inner])


def _count_around(marked: NDArray[np.bool_], radius: int) -> NDArray[np.int32]:
    """(y, x) how many pixels of each window are marked, as differences of sums from the corner."""
    lines, samples = marked.shape
    sums = np.zeros((lines + 1, samples + 1), dtype=np.int32)
    np.cumsum(marked, axis=0, out=sums[1:, 1:], dtype=np.int32)
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    top, bottom = _edges(lines, radius)
    left, right = _edges(samples, radius)
    by_rows = sums[bottom] - sums[top]
    return np.asarray(by_rows[:, right] - by_rows[:, left])


def _edges(count: int, radius: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    places = np.arange(count)
    return np.maximum(places - radius, 0), np.minimum(places + radius + 1, count)


def remove_patches(ids: Ids, smallest: int, *, diagonal: bool = False) -> Ids:
    """Give patches of fewer than `smallest` pixels to the largest patch beside them.

    GDAL's sieve filter, repeated until nothing moves: one pass leaves small patches that only had small neighbours.
    A patch that only pixels without a class surround stays.

    Parameters
    ----------
    ids : (y, x) uint8 or uint16
        Class ids, 0 where there is none. The whole map: a patch may reach from one end to the other.
    smallest
        Pixels of the smallest patch that is kept.
    diagonal
        Whether pixels that touch at a corner belong to one patch (8 neighbours), or not (4).

    Returns
    -------
    (y, x) of the same type
    """
    smallest = min(smallest, ids.size)
    if smallest <= 1:
        return ids
    known = ids != UNCLASSIFIED
    for _ in range(MOST_ROUNDS):
        merged = sieve(ids, smallest, mask=known, connectivity=8 if diagonal else 4)
        if np.array_equal(merged, ids):
            break
        ids = merged
    return ids
