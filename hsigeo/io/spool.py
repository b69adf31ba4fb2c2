"""Arrays that may be larger than memory: on disk beyond a budget, gone when the work is done.

For labels and lookup indices, which are read in any order: they are small beside the scene, but a long flight line on
a north-up grid still has hundreds of millions of pixels.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hsigeo.errors import OutputError

__all__ = ["SPOOL_BYTES", "Spool"]

SPOOL_BYTES = 256 << 20
_SPARE_BYTES = 64 << 20


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
        return mapped
