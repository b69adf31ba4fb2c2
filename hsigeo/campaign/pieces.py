"""Computes blocks in pieces, shared among threads.

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

from hsigeo.io.spectra import PIECE_PIXELS, StoredBlock

__all__ = ["compute_ahead"]

_AHEAD = 1

K = TypeVar("K")
T = TypeVar("T")
Layers = dict[str, NDArray[Any]]
Compute = Callable[[NDArray[np.float32]], Layers]


def compute_ahead(
    blocks: Iterable[tuple[K, StoredBlock]], compute: Compute, pool: Executor | None, *, pixels: int | None = None
) -> Iterator[tuple[K, Layers]]:
    """What `compute` makes of each block: (key, layers (…, y, x)), in order.

    While a block is waited for, the next one has been taken already, and no more than that. Where there is no next one
    because it cannot be read, what was begun is finished first.

    Parameters
    ----------
    compute
        From spectra (pixel, band) to layers (…, pixel); each pixel must be computed by itself.
    pool
        Threads to share the pieces among; without it, the caller's thread computes them all, and takes no block ahead.
    pixels
        In a piece; by default `PIECE_PIXELS`.

    Raises
    ------
    Exception
        What reading a block or computing a piece raised.
    """
    size = PIECE_PIXELS if pixels is None else pixels
    if pool is None:
        for key, block in blocks:
            yield key, _shaped(block, [compute(block.spectra(piece)) for piece in block.pieces(size)])
        return
    begun: deque[tuple[K, StoredBlock, list[Future[Layers]]]] = deque()
    failures: list[Exception] = []
    try:
        for key, block in _until_failure(blocks, failures):
            begun.append(
                (key, block, [pool.submit(_compute_piece, compute, block, piece) for piece in block.pieces(size)])
            )
            if len(begun) > _AHEAD:
                yield _finish(begun)
        while begun:
            yield _finish(begun)
        for failure in failures:
            raise failure
    finally:
        for _, _, futures in begun:
            for future in futures:
                future.cancel()


def _until_failure(blocks: Iterable[T], failures: list[Exception]) -> Iterator[T]:
    try:
        yield from blocks
    except Exception as error:  # noqa: BLE001 - raised by the caller, a little later
        failures.append(error)


def _compute_piece(compute: Compute, block: StoredBlock, piece: slice) -> Layers:
    return compute(block.spectra(piece))


def _finish(begun: deque[tuple[K, StoredBlock, list[Future[Layers]]]]) -> tuple[K, Layers]:
    key, block, futures = begun[0]
    layers = _shaped(block, [future.result() for future in futures])
    begun.popleft()
    return key, layers


def _shaped(block: StoredBlock, parts: list[Layers]) -> Layers:
    """Layers (…, y, x) of those of its pieces, (…, pixel)."""
    return {
        name: np.concatenate([part[name] for part in parts], axis=-1).reshape(*first.shape[:-1], *block.shape)
        for name, first in parts[0].items()
    }
