"""Stored probabilities, window by window: those of merged classes added, smoothed if asked for; what they decide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import UNCLASSIFIED
from hsigeo.lines.handles import Handles
from hsigeo.refinement.edges import ReadWindow, edges_of_probabilities
from hsigeo.refinement.smoothing import smooth
from hsigeo.tiling import iter_slices

__all__ = ["decide", "decided_groups", "open_groups", "plan_windows", "probability_of", "smoothed", "sum_groups"]

FloatArray = NDArray[np.float32]

WINDOW_BYTES = 16 << 20
"""What the probabilities of a window may take; smoothing holds them about seven times."""

WINDOW_ROWS = 256

_ABSURD = 1e9
"""No layer's probability; a damaged file may hold anything, and squares of it would be infinite."""


def decided_groups(groups: NDArray[Any]) -> NDArray[Any]:
    """(group,) the new ids that classes count for, each once, in the order of its first class; 0 may be one."""
    unique, first = np.unique(groups, return_index=True)
    return np.asarray(unique[np.argsort(first)])


def sum_groups(probability: FloatArray, groups: NDArray[Any]) -> FloatArray:
    """(group, y, x) probabilities of the groups, in the order of `decided_groups`.

    Parameters
    ----------
    probability : (class, y, x)
        NaN where nothing is known.
    groups : (class,)
        What each class counts for; 0 is a group too, that of what is left out.
    """
    wanted = decided_groups(groups)
    if len(wanted) == len(groups):
        return probability
    return np.stack([probability[groups == group].sum(axis=0) for group in wanted])


def decide(sums: FloatArray, wanted: NDArray[Any], least: FloatArray) -> NDArray[Any]:
    """(y, x) the group with the highest probability, of the type of `wanted`.

    Parameters
    ----------
    sums : (group, y, x)
        NaN where nothing is known; that gets 0.
    wanted : (group,)
        New ids. On a tie the first wins.
    least : (1 + largest id,)
        A group that is less probable gets 0: the next best does not take its place.
    """
    best = sums.max(axis=0)
    chosen = wanted[np.where(np.isnan(best), np.float32(0), sums).argmax(axis=0)]
    chosen[~(best >= least[chosen])] = UNCLASSIFIED
    return np.asarray(chosen)


def probability_of(ids: NDArray[Any], sums: FloatArray, wanted: NDArray[Any]) -> FloatArray:
    """(y, x) how probable the class of each pixel is; NaN without a class."""
    place = np.zeros(int(wanted.max()) + 1, dtype=np.intp)
    place[wanted] = np.arange(len(wanted))
    found = np.take_along_axis(sums, place[ids][None], axis=0)[0]
    return np.where(ids == UNCLASSIFIED, np.float32(np.nan), found)


def open_groups(path: Path, classes: int, groups: NDArray[Any], handles: Handles) -> ReadWindow:
    """A reader of the groups' probabilities in a file with one band for each class."""
    bands = list(range(1, classes + 1))

    def read(rows: slice, cols: slice) -> FloatArray:
        found = handles.read(path, bands, rows, cols, "GTiff")
        return sum_groups(np.where(np.abs(found) < _ABSURD, found, np.float32(np.nan)), groups)

    return read


def smoothed(
    read: ReadWindow, shape: tuple[int, int], *, strength: float, rounds: int, links: ReadWindow | None
) -> ReadWindow:
    """A reader of smoothed probabilities, the same whatever the windows.

    Parameters
    ----------
    links
        Reader of (neighbour, y, x); `None` takes the edges from the probabilities.
    """
    read_links = edges_of_probabilities(read, shape) if links is None else links

    def read_smoothed(rows: slice, cols: slice) -> FloatArray:
        around_rows, inner_rows = _with_margin(rows, rounds, shape[0])
        around_cols, inner_cols = _with_margin(cols, rounds, shape[1])
        answer = smooth(
            read(around_rows, around_cols), read_links(around_rows, around_cols), strength=strength, rounds=rounds
        )
        return answer[:, inner_rows, inner_cols]

    return read_smoothed


def plan_windows(first: int, stop: int, samples: int, *, layers: int, margin: int) -> Iterator[tuple[slice, slice]]:
    """Windows of rows from `first` to before `stop` that stay small with a margin around them.

    As wide as the map where they can be: files are read in whole rows of blocks.
    """
    most = WINDOW_BYTES // (4 * layers)
    height = min(stop - first, WINDOW_ROWS)
    width = most // (height + 2 * margin) - 2 * margin
    if width < min(height, samples):
        height = width = max(1, math.isqrt(most) - 2 * margin)
    for rows in iter_slices(first, stop, height):
        for cols in iter_slices(0, samples, width):
            yield rows, cols


def _with_margin(part: slice, margin: int, size: int) -> tuple[slice, slice]:
    """A stretch with what lies around it, and where in that the stretch is."""
    start, stop = max(part.start - margin, 0), min(part.stop + margin, size)
    return slice(start, stop), slice(part.start - start, part.stop - start)
