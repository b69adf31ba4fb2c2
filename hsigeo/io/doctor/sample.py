"""A bounded look at the pixels of a scene of any size.

The strategy here: five windows of four neighbouring rows, from the first row to the last, by turns at the left edge, in
the middle and at the right edge; about two million values in all. Neighbours tell whether the numbers are an image at
all, edges hold the fill values, and the whole depth of bands says which of them are dead. A small scene is read whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.envi.raw import RawCube
from hsigeo.io.scaling import to_reflectance

__all__ = ["Sample", "read_sample"]

SAMPLE_VALUES = 2 << 20
"""Stored numbers that are looked at, at most: 16 MB of float64."""

DECODED_BYTES = 256 << 20
"""What may be decompressed to get them, where a file has large blocks of its own."""

_WINDOWS = 5
_ROWS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Windows of equal size out of a scene.

    Parameters
    ----------
    stored : (window, band, row, column)
        The numbers in the file.
    corners
        First row and column of each window, from 0.
    lines, samples
        Size of the scene.
    """

    stored: NDArray[Any]
    corners: tuple[tuple[int, int], ...]
    lines: int
    samples: int

    @property
    def spectra(self) -> NDArray[Any]:
        """(band, pixel) stored numbers."""
        spectra: NDArray[Any] = self.stored.transpose(1, 0, 2, 3).reshape(self.stored.shape[1], -1)
        return spectra

    @property
    def on_edge(self) -> NDArray[np.bool_]:
        """(pixel,) whether a pixel lies in the first or last row or column of the scene."""
        _, _, height, width = self.stored.shape
        edge = np.zeros((len(self.corners), height, width), dtype=bool)
        for part, (top, left) in zip(edge, self.corners, strict=True):
            rows, columns = np.arange(top, top + height), np.arange(left, left + width)
            part |= ((rows == 0) | (rows == self.lines - 1))[:, None]
            part |= ((columns == 0) | (columns == self.samples - 1))[None]
        return edge.ravel()

    def reflectance(self, header: CubeHeader) -> NDArray[np.float32]:
        """(band, pixel) float32 reflectance, NaN where there is no data."""
        return to_reflectance(self.spectra[:, None], header.scaling, header.nodata)[:, 0]


def read_sample(
    cube: Cube, *, values: int = SAMPLE_VALUES, bands: slice = slice(None), decoded: int = DECODED_BYTES
) -> Sample:
    """Read the windows.

    Parameters
    ----------
    values
        How many numbers to read, at most (but one pixel of each window at least).
    bands
        Which bands.
    decoded
        Bytes to decompress for them, where that leaves two windows at least.

    Raises
    ------
    SceneError
        The pixels cannot be read.
    """
    header = cube.header
    lines, samples = header.grid.shape
    depth = len(range(header.bands.count)[bands])
    if lines * samples * depth <= values:
        corners, (height, width) = [(0, 0)], (lines, samples)
    else:
        corners, (height, width) = _place_windows(header, values // depth, decoded)
    if isinstance(cube, RawCube):
        for top, left in corners:
            cube.announce(slice(top, top + height), slice(left, left + width), bands)
    parts = [cube.read(slice(top, top + height), slice(left, left + width), bands) for top, left in corners]
    return Sample(stored=np.stack(parts), corners=tuple(corners), lines=lines, samples=samples)


def _place_windows(header: CubeHeader, pixels: int, most: int) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """First rows and columns, and the size that all share."""
    lines, samples = header.grid.shape
    height = min(_ROWS, lines)
    width = max(1, min(samples, pixels // (height * _WINDOWS)))
    block_rows, block_columns = header.block_shape
    if block_columns < samples:
        width = min(width, block_columns)
    decoded = header.bands.count * header.dtype.itemsize * max(block_rows, height) * min(block_columns, samples)
    is_raw = block_rows == 1 and not header.compressed
    count = _WINDOWS if is_raw else int(np.clip(most // decoded, 2, _WINDOWS))
    # Of two windows, the second lies in the middle: at both ends there may be no data.
    tops = [round((lines - height) * part / max(2, count - 1)) for part in range(count)]
    lefts = [(samples - width) * (part % 3) // 2 for part in range(count)]
    corners = [
        (_within_block(top, height, block_rows), _within_block(left, width, min(block_columns, samples)))
        for top, left in zip(tops, lefts, strict=True)
    ]
    return sorted(set(corners)), (height, width)


def _within_block(start: int, length: int, block: int) -> int:
    """The start moved back so that a window no longer than a block of the file crosses none of its borders."""
    return start if length > block else start - max(0, start % block + length - block)
