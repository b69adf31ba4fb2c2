"""Between torch and the compiled loops of the kernel ``cpu``: layout, and threads.

Shape legend: P pixels, H heads, B bands, N bands padded to whole vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsigeo.kernels.attention.cpu import GROUP, SCRATCH_LINES, attend
from hsigeo.kernels.attention.cpu_layout import KEYS, LINES, PRODUCT, QUERIES, lay_out
from hsigeo.kernels.exponential import LOG2_E
from hsigeo.kernels.vectors import NUMBERS

__all__ = ["compiled_gradients", "compiled_weights"]

_WORTH_A_THREAD = 4_000_000
"""Exponentials, a millisecond or two of work; starting a thread takes a tenth of one."""

_APART, _CACHE_LINES_OF_A_PAGE = 5, 64
"""Two slots' twelve lines fit into a page that way."""

_LOG2_E = np.float32(LOG2_E)

_Array = NDArray[np.float32]


def compiled_weights(values: Tensor, product: Tensor, keys: Tensor, queries: Tensor, places: Tensor) -> Tensor:
    """As `hsigeo.kernels.attention.attention_weights`, for float32 on a CPU."""
    (pixels, bands), heads = values.shape, len(product)
    spectra = _array(values)
    lines, padded = _lay_out(product, keys, queries, places, may_complete=True)
    answer = torch.empty(pixels, heads, bands)
    weights = answer.numpy()
    threads = _threads(spectra, heads)
    # Several parts a thread, in case one is held up by whatever else the machine does.
    parts = 1 if threads == 1 else min(4 * threads, pixels)
    bounds = [pixels * part // parts for part in range(parts + 1)]

    def work(part: int) -> None:
        own = slice(bounds[part], bounds[part + 1])
        attend(spectra[own], lines, padded, _scratch(GROUP, padded.shape[2]), weights[own])

    _share_out(work, parts, threads)
    return answer


def compiled_gradients(
    values: Tensor,
    product: Tensor,
    keys: Tensor,
    queries: Tensor,
    places: Tensor,
    *,
    gradient: Tensor,
    wants_values: bool,
) -> tuple[Tensor | None, ...]:
    """Gradients of values (`None` if not wanted), product, keys, queries and places, from that of the weights."""
    from hsigeo.kernels.attention.cpu_backward import attend_backward

    (pixels, bands), heads = values.shape, len(product)
    spectra = _array(values)
    lines, padded = _lay_out(product, keys, queries, places, may_complete=False)
    by_head = _array(gradient.transpose(0, 1))  # (H, P, B)
    found_lines, found_places = _aligned(*lines.shape), _aligned(*padded.shape)
    found_values = _aligned(heads, pixels if wants_values else 1, padded.shape[2])

    def work(head: int) -> None:
        attend_backward(
            spectra,
            by_head[head],
            lines[head],
            padded[head],
            _scratch(1, padded.shape[2]),
            found_lines[head],
            found_places[head],
            found_values[head],
            wants_values,
        )

    _share_out(work, heads, _threads(spectra, heads))
    found = (
        found_lines[:, PRODUCT, 0],
        found_lines[:, KEYS, :bands],
        found_lines[:, QUERIES, :bands],
        found_places[:, :bands, :bands],
    )
    # The loops have keys and places in exponents of two, and gave the values' gradients by head.
    of_values = found_values.sum(axis=0)[:, :bands] / _LOG2_E if wants_values else None
    return None if of_values is None else torch.from_numpy(of_values), *map(torch.from_numpy, found)


def _array(tensor: Tensor) -> _Array:
    # NumPy copies in this thread; torch would share the copy out, and its threads keep their cores busy afterwards.
    array: _Array = np.ascontiguousarray(tensor.detach().numpy())
    return array


def _lay_out(
    product: Tensor, keys: Tensor, queries: Tensor, places: Tensor, *, may_complete: bool
) -> tuple[_Array, _Array]:
    """`lines` (H, LINES, N) and `places` (H, even, N) as the loops take them, each row at the start of a cache line.

    In this thread and not by torch: after an operation that torch shared out, its threads keep their cores busy
    waiting for the next one, which would be in the way of the loops.
    """
    heads, bands = keys.shape
    width = -(-bands // NUMBERS) * NUMBERS
    lines, padded = _aligned(heads, LINES, width), _aligned(heads, bands + bands % 2, width)
    lay_out(*map(_array, (product, keys, queries, places)), may_complete, lines, padded)
    return lines, padded


def _scratch(slots: int, width: int) -> _Array:
    """(slots, SCRATCH_LINES, N or more), zeros, each line `_APART` cache lines after the one before within a page.

    A processor that looks at an address within its page only, takes a number that is loaded from one line for one
    that was just stored to another where these look alike; each such mistake costs it dozens of cycles.
    """
    lines = width // NUMBERS
    lines += (_APART - lines) % _CACHE_LINES_OF_A_PAGE
    return _aligned(slots, SCRATCH_LINES, lines * NUMBERS)


def _aligned(*shape: int) -> _Array:
    """Zeros at the start of a cache line, where torch puts its memory and NumPy need not."""
    array: _Array = torch.empty(shape).numpy()
    array.fill(0)
    return array


def _threads(spectra: _Array, heads: int) -> int:
    """As many as torch may use here, if there is work for them. hsigeo's own batches come in threads and get one."""
    work: int = spectra.size * spectra.shape[1] * heads
    return max(1, min(torch.get_num_threads(), work // _WORTH_A_THREAD))


def _share_out(work: Callable[[int], Any], count: int, threads: int) -> None:
    """Do work numbers 0 to `count`, this thread among those that do it."""
    waiting = iter(range(count))  # next() on it happens in one piece

    def help_out() -> None:
        for number in waiting:
            work(number)

    if threads == 1:
        help_out()
        return
    with ThreadPoolExecutor(threads - 1, "hsigeo-kernel") as pool:
        helpers = [pool.submit(help_out) for _ in range(threads - 1)]
        help_out()
        for helper in helpers:
            helper.result()
