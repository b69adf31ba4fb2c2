"""Several lazy arrays, computed together strip by strip.

The strategy here: dask computes what the arrays share once, because they are asked for in one call. Two threads keep
two strips in flight, so that one strip is read while the other is computed and a third is written; whoever consumes
the strips takes them in order, and no further strip starts before one was taken. That bounds memory at three strips.
dask's own schedulers would walk the whole graph, and hold as many strips as they like.

The price is one call of dask a strip, 20 to 60 ms of Python. So strips grow, by whole chunks, while they take less time
than a person notices, and shrink when they take longer: progress is seen and Ctrl-C is heard within about a second
wherever the chunks allow it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from dask.base import compute
from numpy.typing import NDArray

__all__ = ["LARGEST_STRIP_BYTES", "StripPlan", "compute_strips"]

_IN_FLIGHT = 2
_ROWS = 256
LARGEST_STRIP_BYTES = 8 << 20
_SHORT, _LONG = 0.3, 1.2  # seconds

Strip = tuple[int, int]
Computed = tuple[Strip, list[NDArray[Any]]]


class StripPlan:
    """Cuts the rows of a raster into strips that end where chunks end, so that no chunk is computed twice.

    Parameters
    ----------
    lines
        Rows of the raster.
    chunks
        Rows of each dask chunk; `None` for arrays in memory, which may be cut anywhere.
    bytes_per_line
        What the results take; strips of several chunks stay below 8 MiB.
    """

    def __init__(self, lines: int, chunks: Sequence[int] | None, bytes_per_line: int) -> None:
        if chunks is None:
            chunks = [min(_ROWS, lines - start) for start in range(0, lines, _ROWS)]
        self._edges = [0, *np.cumsum(chunks).tolist()]
        self._most_rows = max(1, LARGEST_STRIP_BYTES // max(bytes_per_line, 1))
        self._next = 0
        self._chunks_per_strip = 1

    def take(self) -> Strip | None:
        """First and last-but-one row of the next strip, from the top; `None` after the last."""
        if self._next == len(self._edges) - 1:
            return None
        first = self._next
        last = min(first + self._chunks_per_strip, len(self._edges) - 1)
        while last > first + 1 and self._edges[last] - self._edges[first] > self._most_rows:
            last -= 1
        self._next = last
        return self._edges[first], self._edges[last]

    def learn(self, seconds: float) -> None:
        """Say how long a strip took, so that the next ones take about a second."""
        if seconds < _SHORT:
            self._chunks_per_strip *= 2
        elif seconds > _LONG:
            self._chunks_per_strip = max(1, self._chunks_per_strip // 2)


def compute_strips(arrays: Sequence[Any], plan: StripPlan) -> Generator[Computed, None, None]:
    """The strips of all arrays, in order.

    Close the generator (`contextlib.closing`) when leaving early. Strips that are being computed then finish on their
    own and are dropped: nobody waits for them, and they touch no output.

    Parameters
    ----------
    arrays : each (…, y, x)
        NumPy or dask.
    """
    waiting: deque[tuple[Strip, Future[tuple[list[NDArray[Any]], float]]]] = deque()
    pool = ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="hsigeo-strip")
    try:
        while True:
            while len(waiting) < _IN_FLIGHT and (strip := plan.take()) is not None:
                waiting.append((strip, pool.submit(_compute, arrays, strip)))
            if not waiting:
                return
            done, future = waiting.popleft()
            parts, seconds = future.result()
            plan.learn(seconds)
            yield done, parts
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _compute(arrays: Sequence[Any], strip: Strip) -> tuple[list[NDArray[Any]], float]:
    start, stop = strip
    began = time.monotonic()
    lazy = [array[..., start:stop, :] for array in arrays]
    return [np.asarray(part) for part in compute(*lazy)], time.monotonic() - began
