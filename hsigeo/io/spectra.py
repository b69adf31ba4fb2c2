"""Windows of a cube as spectra: every pixel's numbers side by side, which is how a network reads them.

The strategy here: what is stored is turned into reflectance in pieces that stay in a core's cache, each piece turned
round while it still is the stored type, which is half as much to move. Measured (docs/design/throughput.md), that is
two to five times as fast as scaling a block whole and sorting it afterwards, and a mask of "no data" costs next to
nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.cube import Cube
from hsigeo.io.scaling import Scaling, scale_into

__all__ = ["read_spectra"]

_PIECE_VALUES = 1 << 18
"""Numbers in a piece: half a megabyte as int16 and one as float32, about the second-level cache of a core."""

_FEWEST_IN_RUN = 8
"""Where neighbouring bands are fewer than this on average, they are picked one by one rather than run by run."""

Run = tuple[slice, slice]


def read_spectra(
    cube: Cube,
    used: NDArray[np.integer[Any]],
    rows: slice,
    cols: slice,
    *,
    into: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Reflectance of a window, band by band within each pixel.

    Parameters
    ----------
    used
        (used band,) which bands, counted from 0, ascending.
    rows, cols
        Slices with step 1, counted from 0.
    into
        (number,) at least as many as the window has; what is returned is a view of it. Without it, new memory.

    Returns
    -------
    (y, x, used band) float32, C order
        NaN where there is no data; the same to the bit as `hsigeo.io.scaling.to_reflectance` gives.

    Raises
    ------
    SceneError
        The file is damaged or has changed.
    """
    first, last = (int(used.min()), int(used.max())) if len(used) else (0, -1)
    bands = slice(first, last + 1)
    stored = cube.read(rows, cols, bands).transpose(1, 2, 0)  # (y, x, band)
    scaling, picked = cube.header.scaling.take(used), used - first
    lines, samples, _ = stored.shape
    shape = (lines, samples, len(used))
    values = np.empty(shape, dtype=np.float32) if into is None else into[: math.prod(shape)].reshape(shape)
    step = max(1, _PIECE_VALUES // max(len(used), 1))  # pixels
    high, wide = max(1, step // max(samples, 1)), min(samples, step)
    runs = _runs(picked)
    for top in range(0, lines, high):
        for left in range(0, samples, wide or 1):
            place = (slice(top, top + high), slice(left, left + wide))
            _scale_piece(stored[place], values[place], runs, picked, scaling, cube.header.nodata)
    return values


def _scale_piece(
    stored: NDArray[Any],
    values: NDArray[np.float32],
    runs: list[Run],
    picked: NDArray[np.integer[Any]],
    scaling: Scaling,
    nodata: float | int | None,
) -> None:
    if len(runs) == 1:
        part = np.ascontiguousarray(stored[..., runs[0][0]])
    elif len(runs) * _FEWEST_IN_RUN > len(picked):
        part = np.ascontiguousarray(stored[..., picked])
    else:
        part = np.empty(values.shape, dtype=stored.dtype)
        for source, target in runs:
            part[..., target] = stored[..., source]
    scale_into(values, part, scaling, nodata)


def _runs(picked: NDArray[np.integer[Any]]) -> list[Run]:
    """Stretches of neighbouring bands: where they are in the file's bands, and where among those picked."""
    edges = np.flatnonzero(np.diff(picked) != 1) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(picked)]
    return [
        (slice(int(picked[start]), int(picked[stop - 1]) + 1), slice(start, stop))
        for start, stop in zip(starts, stops, strict=True)
        if stop > start
    ]
