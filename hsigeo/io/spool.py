"""Arrays that may be larger than memory: on disk beyond a budget, gone when the work is done.

For labels and lookup indices, which are read in any order: they are small beside the scene, but a long flight line on
a north-up grid still has hundreds of millions of pixels.
"""

from __future__ import annotations

import mmap
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hsigeo.errors import OutputError

__all__ = ["SPOOL_BYTES", "Spool", "gather", "release_pages"]

SPOOL_BYTES = 256 << 20
_SPARE_BYTES = 64 << 20
_TOUCHED_BYTES = 16 << 20


class Spool:
    """Makes arrays: in memory while the budget lasts, then in files of a folder that is removed at the end.

    Parameters
    ----------
    folder
        Where the folder is made; `None` for the system's own place.
    budget
        Bytes in memory.
    """

    def __init__(self, folder: Path | None = None, *, budget: int = SPOOL_BYTES) -> None:
        self._parent = folder
        self._left = budget
        self._folder: Path | None = None
        self._count = 0
        self._stack = ExitStack()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def array(self, shape: tuple[int, ...], dtype: DTypeLike, fill: float) -> NDArray[Any]:
        """An array of this shape, every value `fill`.

        Raises
        ------
        OutputError
            There is no room on the disk.
        """
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if size <= self._left:
            self._left -= size
            return np.full(shape, fill, dtype=dtype)
        if self._folder is None:
            # Named so that it is hidden, and known for what it is if the machine fails.
            made = self._stack.enter_context(tempfile.TemporaryDirectory(prefix=".hsigeo-", dir=self._parent))
            self._folder = Path(made)
        if shutil.disk_usage(self._folder).free < size + _SPARE_BYTES:
            raise OutputError(f"{self._folder.parent} has no room for {size >> 20} MB of intermediate results")
        self._count += 1
        mapped = np.memmap(self._folder / f"{self._count}.bin", dtype=dtype, mode="w+", shape=shape)
        if fill != 0:
            for start in range(0, shape[0], step := max(1, shape[0] * (8 << 20) // max(size, 1))):
                mapped[start : start + step] = fill
                release_pages(mapped)
        return mapped


def release_pages(values: NDArray[Any]) -> None:
    """Let go of the pages of an array that lies in a file, which count as memory of the process once they are touched.

    Nothing is lost (`madvise(2)`: a shared mapping is filled again from the file). Call it after each piece of work.
    """
    if (mapped := _mapping_of(values)) is not None:
        mapped.madvise(mmap.MADV_DONTNEED)


def gather(values: NDArray[Any], index: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Columns ``values[..., index]`` of an array (…, pixel), touching little of it at a time where it lies in a file.

    Parameters
    ----------
    index : (number,)
        In any order.
    """
    if _mapping_of(values) is None or not index.size:
        return np.asarray(values[..., index])
    order = np.argsort(index, kind="stable")
    in_order = index[order]
    found = np.empty((*values.shape[:-1], len(index)), dtype=values.dtype)
    pixels = max(1, _TOUCHED_BYTES // (values.nbytes // values.shape[-1]))
    edges = np.searchsorted(in_order, np.arange(in_order[0], in_order[-1] + pixels, pixels))
    for start, stop in zip(edges, [*edges[1:], len(index)], strict=True):
        if start < stop:
            found[..., order[start:stop]] = values[..., in_order[start:stop]]
            release_pages(values)
    return found


def _mapping_of(values: NDArray[Any]) -> mmap.mmap | None:
    """The file an array, or what it is a view of, lies in."""
    found: mmap.mmap | None = getattr(values, "_mmap", None)
    return found
