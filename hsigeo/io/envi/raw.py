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


@dataclass(frozen=True)
class RawCube:
    """An ENVI scene whose pixels lie in the file as plain numbers. Implements `hsigeo.io.cube.Cube`."""

    header: CubeHeader

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window; see `hsigeo.io.cube.Cube.read`."""
        header = self.header
        axes = FILE_AXES[header.interleave]
        window = check_window(header.shape, bands, rows, cols)
        read_window = window
        if header.interleave == "bip":
            # The bands of a pixel lie together: to skip some would take a read for each pixel.
            read_window = (range(header.bands.count), *window[1:])
        in_file = tuple(read_window[axis] for axis in axes)
        stored = self._read(tuple(header.shape[axis] for axis in axes), in_file)
        values = stored.transpose(tuple(np.argsort(axes)))
        if read_window is not window:
            values = values[window[0].start : window[0].stop]
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        return values

    def _read(self, file_shape: tuple[int, ...], window: tuple[range, ...]) -> NDArray[Any]:
        """A window of the array as it lies in the file, axes in the order of the file."""
        header = self.header
        dtype = header.dtype.newbyteorder(">" if header.byte_order == "big" else "<")
        shape = tuple(len(part) for part in window)
        buffer = np.empty(math.prod(shape) * dtype.itemsize, dtype=np.uint8)
        if buffer.size:
            runs = _runs(file_shape, window, dtype.itemsize, header.header_offset, buffer.data)
            if header.compressed:
                length = header.header_offset + math.prod(file_shape) * dtype.itemsize
                open_inflated(Path(header.data_path), header.stamp, length).read_runs(runs)
            else:
                _read_runs(header.data_path, runs)
        return buffer.view(dtype).reshape(shape)


def _runs(
    file_shape: tuple[int, ...], window: tuple[range, ...], item_bytes: int, offset: int, buffer: memoryview
) -> Iterator[tuple[int, memoryview]]:
    """Where each contiguous part of a window lies in the file, and which part of the buffer it fills.

    Axes that the window covers whole belong to one run with the axis before them.
    """
    axis = len(file_shape) - 1
    while axis > 0 and len(window[axis]) == file_shape[axis]:
        axis -= 1
    inner = math.prod(file_shape[axis + 1 :])
    run_bytes = len(window[axis]) * inner * item_bytes
    filled = 0
    for outer in np.ndindex(*(len(part) for part in window[:axis])):
        index = 0
        for position, part, size in zip(outer, window[:axis], file_shape[:axis], strict=True):
            index = index * size + part.start + position
        first = (index * file_shape[axis] + window[axis].start) * inner
        yield offset + first * item_bytes, buffer[filled : filled + run_bytes]
        filled += run_bytes


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
            raise SceneError(f"{path} ends at byte {position + filled}; it has become shorter since it was opened")
        filled += count
