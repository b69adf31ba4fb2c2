"""Removing small patches from maps that do not fit into memory several times.

A patch may reach from one end of the map to the other, so GDAL's filter needs the map as a whole. It reads it row by
row, from disk as well as from memory; what it makes, rasterio gives as one array. So a pixel takes the byte or two of
its id once; with the map, its mask and the result as arrays it took five.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import sieve

from hsigeo.errors import MemoryLimitError
from hsigeo.limits import usable_memory
from hsigeo.memory import resident_memory
from hsigeo.refinement.filters import MOST_ROUNDS
from hsigeo.refinement.rows import ReadRows
from hsigeo.refinement.staged_ids import StagedIds
from hsigeo.tiling import format_size, iter_slices

__all__ = ["check_room", "remove_patches_on_disk"]

_STRIP_PIXELS = 1 << 20


def check_room(shape: tuple[int, int], dtype: str) -> None:
    """Refuse now what would end without memory after everything else is done.

    Raises
    ------
    MemoryLimitError
        The ids of the whole map do not fit into what this process may use.
    """
    needed = shape[0] * shape[1] * np.dtype(dtype).itemsize
    left = usable_memory() - resident_memory()
    if needed > left:
        raise MemoryLimitError(
            f"sieving holds the class ids of the whole map at once, {shape[0]} x {shape[1]} pixels or "
            f"{format_size(needed)}, and this process may use {format_size(max(0, left))} more; allow it more memory, "
            "or sieve the map in parts (gdal_translate -srcwin) whose edges overlap"
        )


def remove_patches_on_disk(
    rows: ReadRows, shape: tuple[int, int], dtype: str, smallest: int, *, diagonal: bool, folder: Path
) -> NDArray[Any]:
    """What `hsigeo.refinement.filters.remove_patches` makes of a map, in less memory.

    Parameters
    ----------
    rows
        (first row, row after the last) → (y, x) class ids, 0 where there is none.
    shape, dtype
        Of the whole; ``uint8`` or ``uint16``.
    smallest
        Pixels of the smallest patch that is kept.
    diagonal
        Whether pixels that touch at a corner belong to one patch.
    folder
        Where the map is stored temporarily, compressed.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    smallest = min(smallest, shape[0] * shape[1])
    merged: NDArray[Any]
    for _ in range(MOST_ROUNDS):
        with StagedIds(folder, shape, dtype) as staged:
            for strip in _strips(shape):
                staged.write(strip.start, rows(strip.start, strip.stop))
            rows, merged = _no_rows, np.zeros(0, dtype)  # frees the previous round
            with staged.bands() as (band, mask):
                merged = sieve(band, smallest, mask=mask, connectivity=8 if diagonal else 4)
            staged.check_pixels(int(np.count_nonzero(merged)))
            if all(np.array_equal(merged[strip], staged.read(strip.start, strip.stop)) for strip in _strips(shape)):
                break
        rows = _rows_of(merged)
    return merged


def _strips(shape: tuple[int, int]) -> Iterator[slice]:
    return iter_slices(0, shape[0], max(1, _STRIP_PIXELS // shape[1]))


def _rows_of(whole: NDArray[Any]) -> ReadRows:
    return lambda first, stop: whole[first:stop]


def _no_rows(first: int, stop: int) -> NDArray[Any]:
    raise IndexError(f"rows {first} to {stop} are no longer held in memory")
