"""Blocks of a raw cube: bsq, bil or bip, any real type, any byte order, compressed or not.

GDAL reads these files through a cache of one block for each band and row, at a tenth to a half of this speed and with
hundreds of megabytes of memory. Plain reads are used rather than a memory map: when a file is cut short while it is
read, or a network disk fails, a read raises an error where a map kills the process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.cube import CubeHeader, check_window, open_failure
from hsigeo.io.envi.inflate import open_inflated

__all__ = ["FILE_AXES", "RawCube"]

FILE_AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
"""Which axis of (band, y, x) varies slowest in the file, which next, which fastest."""

Window = tuple[range, range, range]

_SHORT_ROW = 8 << 10
"""Bytes of a band's row that take about as long to copy as a read takes to begin."""

_MOST_CUT = 4 << 20
"""Bytes that are read at most to keep a part of them."""


@dataclass(frozen=True)
class RawCube:
    """An ENVI scene whose pixels lie in the file as plain numbers. Implements `hsigeo.io.cube.Cube`."""

    header: CubeHeader

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window; see `hsigeo.io.cube.Cube.read`."""
        window = check_window(self.header.shape, bands, rows, cols)
        whole = self._whole_rows(self._whole_pixels(window))
        values = self._read(whole, None)[window[0].start - whole[0].start :][: len(window[0])]
        return values if whole[2] == window[2] else values[..., window[2].start : window[2].stop].copy(order="K")

    def read_into(self, memory: NDArray[np.uint8], rows: slice, cols: slice, bands: slice) -> NDArray[Any]:
        """A window in memory that is there; see `hsigeo.io.cube.DirectCube`."""
        window = check_window(self.header.shape, bands, rows, cols)
        if self._whole_pixels(window) == window:
            return self._read(window, memory)
        some = self.read(rows, cols, bands)
        values = memory[: some.size * some.itemsize].view(some.dtype).reshape(some.shape[1:] + some.shape[:1])
        values[...] = some.transpose(1, 2, 0)
        return values.transpose(2, 0, 1)

    def announce(self, rows: slice, cols: slice, bands: slice) -> None:
        """Say that a window will be read soon, so that the system fetches it meanwhile, many parts of it at once."""
        header = self.header
        if header.compressed or not hasattr(os, "posix_fadvise"):
            return
        window = self._whole_pixels(check_window(header.shape, bands, rows, cols))
        try:
            descriptor = os.open(header.data_path, os.O_RDONLY)
        except OSError:
            return  # whoever reads it will say so
        try:
            positions, length = self._runs(window)
            for position in positions:
                os.posix_fadvise(descriptor, position, length, os.POSIX_FADV_WILLNEED)
        finally:
            os.close(descriptor)

    def _whole_pixels(self, window: Window) -> Window:
        """What is read for a window: of bip all bands, for to skip some would take a read for each pixel."""
        if self.header.interleave != "bip":
            return window
        return range(self.header.bands.count), window[1], window[2]

    def _whole_rows(self, window: Window) -> Window:
        """What is read for a few columns: where rows are short, to read all of them costs less than a read for each."""
        header = self.header
        row_bytes = header.grid.samples * header.dtype.itemsize
        rows = len(window[1]) * len(window[0])
        if header.interleave == "bip" or row_bytes > _SHORT_ROW or rows < 2 or rows * row_bytes > _MOST_CUT:
            return window
        return window[0], window[1], range(header.grid.samples)

    def _read(self, window: Window, memory: NDArray[np.uint8] | None) -> NDArray[Any]:
        """(band, y, x) of a window in the order of the file, and in `memory` if it is given."""
        header = self.header
        dtype = header.dtype.newbyteorder(">" if header.byte_order == "big" else "<")
        axes = FILE_AXES[header.interleave]
        shape = [len(window[axis]) for axis in axes]
        size = math.prod(shape) * dtype.itemsize
        buffer = np.empty(size, dtype=np.uint8) if memory is None else memory[:size]
        if size:
            positions, length = self._runs(window)
            room = buffer.data
            targets = ((position, room[n * length : (n + 1) * length]) for n, position in enumerate(positions))
            if header.compressed:
                whole = header.header_offset + math.prod(header.shape) * dtype.itemsize
                open_inflated(Path(header.data_path), header.stamp, whole).read_runs(targets)
            else:
                _read_runs(header.data_path, targets)
        values = buffer.view(dtype).reshape(shape)
        if not dtype.isnative:
            values = values.byteswap(inplace=True).view(header.dtype)
        return values.transpose(np.argsort(axes))

    def _runs(self, window: Window) -> tuple[list[int], int]:
        """Where in the file each contiguous part of a window begins, and the bytes of each."""
        axes = FILE_AXES[self.header.interleave]
        item = self.header.dtype.itemsize
        firsts, count = _runs(tuple(self.header.shape[axis] for axis in axes), tuple(window[axis] for axis in axes))
        positions: list[int] = (self.header.header_offset + firsts * item).tolist()
        return positions, count * item


def _runs(file_shape: tuple[int, ...], window: tuple[range, ...]) -> tuple[NDArray[np.int64], int]:
    """First value of each contiguous part of a window, and the number of values in each.

    Axes that the window covers whole belong to one run with the axis before them.
    """
    axis = len(file_shape) - 1
    while axis > 0 and len(window[axis]) == file_shape[axis]:
        axis -= 1
    inner = math.prod(file_shape[axis + 1 :])
    firsts = np.array([window[axis].start * inner])
    step = inner
    for outer in reversed(range(axis)):
        step *= file_shape[outer + 1]
        firsts = np.add.outer(step * np.arange(window[outer].start, window[outer].stop), firsts).ravel()
    return firsts, len(window[axis]) * inner


def _read_runs(path: str, runs: Iterator[tuple[int, memoryview]]) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            for position, target in runs:
                _read_exactly(descriptor, path, position, target)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise SceneError(open_failure(path, error)) from error


def _read_exactly(descriptor: int, path: str, position: int, target: memoryview) -> None:
    filled = 0
    while filled < len(target):  # one call reads at most 2 GiB
        count = os.preadv(descriptor, [target[filled:]], position + filled)
        if count == 0:
            raise SceneError(f"{path} ends at byte {position + filled}; it was shortened after it was opened")
        filled += count
