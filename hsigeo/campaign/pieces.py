"""Blocks computed in pieces by several threads.

The strategy here: each piece goes through all of the work in one thread, and the pieces of the next block are handed
out before the last of this one are done. So no thread waits at the end of a block, and nothing is left for one thread
to do alone while the others stand still.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["PIECE_PIXELS", "compute_ahead"]

PIECE_PIXELS = 2048
"""A few whole batches: short enough that the threads end together, long enough that handing out costs nothing."""

_AHEAD = 1

K = TypeVar("K")
Layers = dict[str, NDArray[Any]]
Begun = tuple[tuple[int, int], list[Future[Layers]]]


def compute_ahead(
    blocks: Iterable[tuple[K, NDArray[np.float32]]],
    compute: Callable[[NDArray[np.float32]], Layers],
    pool: Executor | None,
) -> Iterator[tuple[K, Layers]]:
    """What `compute` makes of each block, in order.

    While a block is waited for, the next one has been taken already, and no more than that.

    Parameters
    ----------
    blocks : (key, (band, y, x))
        Fastest where the bands of a pixel lie side by side in memory.
    compute
        From (band, y, x) to layers (…, y, x); each pixel must be computed by itself.
    pool
        Threads to share the pieces among; without it, the caller's thread computes each block whole.
    """
    if pool is None:
        for key, block in blocks:
            yield key, compute(block)
        return
    begun: deque[tuple[K, Begun]] = deque()
    try:
        for key, block in blocks:
            begun.append((key, (block.shape[1:], [pool.submit(compute, piece) for piece in _pieces(block)])))
            if len(begun) > _AHEAD:
                yield begun[0][0], _join(*begun.popleft()[1])
        while begun:
            yield begun[0][0], _join(*begun.popleft()[1])
    finally:
        for _, (_, futures) in begun:
            for future in futures:
                future.cancel()


def _pieces(block: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """(band, 1, pixel) parts of a block, row by row."""
    by_pixel = np.moveaxis(block, 0, -1).reshape(-1, len(block))
    for start in range(0, max(len(by_pixel), 1), PIECE_PIXELS):
        yield by_pixel[start : start + PIECE_PIXELS].T[:, None, :]


def _join(shape: tuple[int, int], futures: list[Future[Layers]]) -> Layers:
    parts = [future.result() for future in futures]
    return {
        name: np.concatenate([part[name] for part in parts], axis=-1).reshape(*first.shape[:-2], *shape)
        for name, first in parts[0].items()
    }
