"""Several lazy arrays, computed together strip by strip.

The strategy here: dask computes what the arrays share once, because they are asked for in one call. A pool of two
threads keeps two strips in flight, so that one strip is read while the other is computed and a third is written;
whoever consumes the strips takes them in order, and no further strip starts before one was taken. That bounds memory
at three strips. dask's own schedulers would walk the whole graph, and hold as many strips as they like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from dask.base import compute
from numpy.typing import NDArray

__all__ = ["compute_strips", "plan_strips"]

_IN_FLIGHT = 2
_ROWS = 256
_BYTES = 32 << 20

Strip = tuple[int, int]
Computed = tuple[Strip, list[NDArray[Any]]]


def plan_strips(lines: int, chunks: Sequence[int] | None, bytes_per_line: int) -> list[Strip]:
    """First and last-but-one row of each strip, from the top; every row in exactly one.

    Strips end where chunks end, so no chunk is computed twice. Small chunks share a strip until it has 256
    rows or 32 MiB, because every call of dask has a price of its own.

    Parameters
    ----------
    lines
        Rows of the raster.
    chunks
        Rows of each dask chunk; `None` for an array in memory, which is cut anywhere.
    bytes_per_line
        What the results take.
    """
    limit = max(1, min(_ROWS, _BYTES // max(bytes_per_line, 1)))
    if chunks is None:
        return [(start, min(start + limit, lines)) for start in range(0, lines, limit)]
    strips: list[Strip] = []
    start = stop = 0
    for rows in chunks:
        if stop > start and stop + rows - start > limit:
            strips.append((start, stop))
            start = stop
        stop += rows
    if stop > start:
        strips.append((start, stop))
    return strips


def compute_strips(
    arrays: Sequence[Any], strips: Sequence[Strip]
) -> Generator[Computed, None, None]:
    """The strips of all arrays, in order.

    Close the generator (`contextlib.closing`) when leaving early: it waits for the strips that are being computed, at
    most two, and drops the rest.

    Parameters
    ----------
    arrays : each (…, y, x)
        NumPy or dask.
    strips
        As `plan_strips` gives them.
    """
    waiting: deque[tuple[Strip, Future[list[NDArray[Any]]]]] = deque()
    with ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="hsigeo-strip") as pool:
        try:
            for strip in strips:
                waiting.append((strip, pool.submit(_compute, arrays, strip)))
                if len(waiting) == _IN_FLIGHT:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _compute(arrays: Sequence[Any], strip: Strip) -> list[NDArray[Any]]:
    start, stop = strip
    lazy = [array[..., start:stop, :] for array in arrays]
    return [np.asarray(part) for part in compute(*lazy)]
