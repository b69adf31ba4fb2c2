"""Values of a raster at the pixels of a block, read in windows of bounded size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from hsigeo.lines.placement import PixelIndex

__all__ = ["take_nearest"]

LARGEST_WINDOW = 1 << 22
"""Values. A coarse grid over a fine raster would otherwise ask for all of the raster at once."""

Read = Callable[[slice, slice], NDArray[Any]]


def take_nearest(read: Read, at: PixelIndex, out: NDArray[Any]) -> None:
    """Fill a block with the values of another raster; nothing is interpolated.

    Parameters
    ----------
    read
        Called with rows and columns, gives (y, x) or (band, y, x).
    at : (y, x)
        Which pixel of the raster is wanted where.
    out : (y, x) or (band, y, x)
        Written where `at` is inside; left as it is elsewhere.
    """
    inside = at.inside
    if not inside.any():
        return
    rows, cols = at.rows[inside], at.cols[inside]
    top, bottom, left, right = int(rows.min()), int(rows.max()) + 1, int(cols.min()), int(cols.max()) + 1
    bands = 1 if out.ndim == 2 else out.shape[0]
    if (bottom - top) * (right - left) * bands > LARGEST_WINDOW and inside.size > 1:
        for part in _halves(*inside.shape):
            take_nearest(read, at.part(*part), out[..., part[0], part[1]])
        return
    window = read(slice(top, bottom), slice(left, right))
    out[..., inside] = window[..., rows - top, cols - left]


def _halves(lines: int, samples: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    whole = slice(None)
    if lines >= samples:
        return (slice(0, lines // 2), whole), (slice(lines // 2, None), whole)
    return (whole, slice(0, samples // 2)), (whole, slice(samples // 2, None))
