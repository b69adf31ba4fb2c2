"""Connected patches of equal class among sparse pixels.

The strategy here: pixels become runs (neighbours in one row with one class), runs become nodes of a graph with an
edge where two runs of adjacent rows touch, and the graph's components are found by hooking and pointer jumping
(Shiloach and Vishkin 1982, "An O(log n) parallel connectivity algorithm"), all on whole arrays. Memory follows the
number of labelled pixels, not the size of the raster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["connected_patches"]

IntArray = NDArray[np.int64]


def connected_patches(row: IntArray, col: IntArray, class_id: NDArray[np.int32]) -> IntArray:
    """Number the patches of equal class, diagonal neighbours included (8-neighbourhood).

    Parameters
    ----------
    row, col, class_id : (pixel,)
        In row-major order, each pixel once.

    Returns
    -------
    (pixel,) int64
        Patch of each pixel, from 0 in the order in which patches begin.
    """
    if not len(row):
        return np.zeros(0, dtype=np.int64)
    begins = np.ones(len(row), dtype=bool)
    begins[1:] = (np.diff(row) != 0) | (np.diff(col) != 1) | (np.diff(class_id) != 0)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(row)) - 1
    upper, lower = _touching(row[first], col[first], col[last])
    same = class_id[first[upper]] == class_id[first[lower]]
    component = _components(len(first), upper[same], lower[same])
    _, number = np.unique(component, return_inverse=True)
    return np.repeat(number.astype(np.int64), last - first + 1)


def _touching(row: IntArray, left: IntArray, right: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of runs in adjacent rows that overlap or meet at a corner."""
    # One number for (row, column), wide enough that a column one beyond the edge stays in its row.
    width = int(right.max()) + 3
    start, end = row * width + left + 1, row * width + right + 1
    # In the row below: the first run that ends at or after my left neighbour column, to the last one that starts at or
    # before my right neighbour column. Runs of one row do not overlap, so both are sorted.
    begin = np.searchsorted(end, start + width - 1, side="left")
    stop = np.searchsorted(start, end + width + 1, side="right")
    count = np.maximum(stop - begin, 0)
    upper = np.repeat(np.arange(len(row)), count)
    lower = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    return upper, lower


def _components(count: int, one: IntArray, other: IntArray) -> IntArray:
    """For each node the smallest node it is connected to."""
    parent = np.arange(count, dtype=np.int64)
    while True:
        a, b = parent[one], parent[other]
        if np.array_equal(a, b):
            return parent
        np.minimum.at(parent, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(parent, grand := parent[parent]):
            parent = grand
