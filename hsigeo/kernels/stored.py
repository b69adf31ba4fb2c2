"""Stored numbers of some pixels to reflectance in one pass, without the interpreter's lock.

`hsigeo.io.scaling` says what is computed, and does it with NumPy: converts, multiplies and compares one after the
other, each time through memory, as a piece is larger than a core's cache. Here each number is touched once. Nothing is
assumed of arithmetic, so the bits are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from hsigeo.kernels.compiling import compiled, part

__all__ = ["can_scale", "scale_bands", "scale_pixels"]

_KINDS: dict[str, Any] = {"int16": types.int16, "uint16": types.uint16, "float32": types.float32}
"""What nearly all scenes are stored as. Each takes a second to compile, once a machine."""

_NOTHING = set[str]()
"""Is assumed of arithmetic."""


def can_scale(values: NDArray[Any]) -> bool:
    """Whether these numbers are of a type and order that the loops here know: (band, y, x)."""
    size = values.itemsize
    return (
        values.dtype.name in _KINDS
        and values.dtype.isnative
        and values.flags.aligned
        and values.size > 0
        and size in (values.strides[0], values.strides[2])
        and all(step >= 0 and step % size == 0 for step in values.strides)
    )


def scale_bands(
    values: NDArray[Any], used: NDArray[np.int64], scaling: tuple[Any, ...], first: int, made: NDArray[np.float32]
) -> None:
    """Fill `made`, (used band, pixel), with pixels from the first on, which are counted row by row.

    Parameters
    ----------
    values : (band, y, x)
        The pixels of a row side by side.
    used
        (used band,) which bands, counted from 0; they are there.
    scaling
        Gain and offset (used band,) float32, the number that means no data, whether there is one, and whether infinite
        values are none.
    first
        Such that there are as many pixels as `made` has room for.
    """
    down, across = values.strides[0] // values.itemsize, values.strides[1] // values.itemsize
    _scale_bands(_in_a_row(values), down, across, values.shape[2], used, *scaling, first, made)


def scale_pixels(
    values: NDArray[Any], used: NDArray[np.int64], scaling: tuple[Any, ...], first: int, made: NDArray[np.float32]
) -> None:
    """As `scale_bands`, to (pixel, used band), where the bands of a pixel lie side by side."""
    down, across = values.strides[1] // values.itemsize, values.strides[2] // values.itemsize
    _scale_pixels(_in_a_row(values), down, across, values.shape[2], used, *scaling, first, made)


def _in_a_row(values: NDArray[Any]) -> NDArray[Any]:
    """All memory from the first number to the last, which the shape of the array stays within."""
    reach = sum((count - 1) * step for count, step in zip(values.shape, values.strides, strict=True))
    count = reach // values.itemsize + 1
    return np.lib.stride_tricks.as_strided(values, (count,), (values.itemsize,), writeable=False)


def _signatures() -> list[Any]:
    integer, number, truth = types.int64, types.float32, types.boolean
    return [
        types.void(
            types.Array(kind, 1, "C", readonly=True),
            *(integer, integer, integer, integer[::1]),
            *(number[::1], number[::1], kind, truth, truth),
            *(integer, number[:, ::1]),
        )
        for kind in _KINDS.values()
    ]


@part(_NOTHING)
def _scale(number: Any, gain: Any, offset: Any, nodata: Any, blanks: Any, checks: Any) -> Any:
    """Without a branch, so that it goes in vectors. What is infinite or no number differs from itself."""
    value = np.float32(number) * gain + offset
    is_blank = (blanks & (number == nodata)) | (checks & (value - value != np.float32(0.0)))
    return np.float32(np.nan) if is_blank else value


@compiled(*_signatures(), assume=_NOTHING)
def _scale_bands(
    numbers: Any,
    down: int,
    across: int,
    samples: int,
    used: Any,
    gain: Any,
    offset: Any,
    nodata: Any,
    blanks: bool,
    checks: bool,
    first: int,
    made: Any,
) -> None:
    row, column = first // samples, first % samples
    filled, count = 0, made.shape[1]
    while filled < count:
        width = min(samples - column, count - filled)
        for band in range(len(used)):
            start = used[band] * down + row * across + column
            stored, scaled = numbers[start : start + width], made[band, filled : filled + width]
            of_gain, of_offset = gain[band], offset[band]
            for p in range(width):
                scaled[p] = _scale(stored[p], of_gain, of_offset, nodata, blanks, checks)
        filled, row, column = filled + width, row + 1, 0


@compiled(*_signatures(), assume=_NOTHING)
def _scale_pixels(
    numbers: Any,
    down: int,
    across: int,
    samples: int,
    used: Any,
    gain: Any,
    offset: Any,
    nodata: Any,
    blanks: bool,
    checks: bool,
    first: int,
    made: Any,
) -> None:
    bands = len(used)
    is_run = bands > 0 and used[bands - 1] - used[0] == bands - 1 and (np.diff(used) == 1).all()
    for place in range(made.shape[0]):
        pixel = first + place
        start, scaled = pixel // samples * down + pixel % samples * across, made[place]
        if is_run:
            stored = numbers[start + used[0] : start + used[0] + bands]
            for band in range(bands):
                scaled[band] = _scale(stored[band], gain[band], offset[band], nodata, blanks, checks)
        else:
            for band in range(bands):
                scaled[band] = _scale(numbers[start + used[band]], gain[band], offset[band], nodata, blanks, checks)
