"""Where a map may not be smoothed across: between spectra of different shape, or between different probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.refinement.smoothing import link, squared_angles, squared_differences, tally_pairs
from hsigeo.scene import spectral_axis

__all__ = ["ReadWindow", "edges_of_probabilities", "edges_of_scene"]

FloatArray = NDArray[np.float32]
ReadWindow = Callable[[slice, slice], FloatArray]
"""(rows, columns) → (layer, y, x)."""

SAMPLED_ROWS = 32
"""Rows whose neighbours tell what a usual difference is: of the map alone, so that windows do not change the scale."""

READ_BYTES = 64 << 20
"""Spectra read at a time: few reads, because each of a compressed file decompresses whole blocks."""

SLAB_BYTES = 8 << 20
"""Bytes of spectra compared at a time; squared and normalised, they take three times as much again."""


def edges_of_probabilities(read: ReadWindow, shape: tuple[int, int]) -> ReadWindow:
    """A reader of links between neighbours whose probabilities are alike."""
    usual = _usual_difference(lambda rows, cols: squared_differences(read(rows, cols)), shape)
    return lambda rows, cols: link(squared_differences(read(rows, cols)), usual)


def edges_of_scene(scene: xr.DataArray) -> ReadWindow:
    """A reader of links between neighbours whose spectra have the same shape, in the good bands."""
    good = np.flatnonzero(spectral_axis(scene).good)
    if len(good) < scene.sizes["band"]:
        scene = scene[good]

    def squared(rows: slice, cols: slice) -> FloatArray:
        """In slabs of rows, each with the first of the next: spectra take more room than all else."""
        row_bytes = 4 * scene.sizes["band"] * (cols.stop - cols.start)
        parts = []
        for top, stop, end in _slabs(rows.start, rows.stop, READ_BYTES // row_bytes):
            spectra = scene[:, top:end, cols].values
            for first, last, beyond in _slabs(0, end - top, SLAB_BYTES // row_bytes):
                last = min(last, stop - top)
                if first < last:
                    parts.append(squared_angles(spectra[:, first:beyond])[:, : last - first])
        return np.concatenate(parts, axis=1)

    usual = _usual_difference(squared, (scene.sizes["y"], scene.sizes["x"]))
    return lambda rows, cols: link(squared(rows, cols), usual)


def _slabs(start: int, stop: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """First row, row after the last, and end, which is one row more if there is one, of slabs of so many rows."""
    height = max(1, rows - 1)
    for top in range(start, stop, height):
        end = min(top + height, stop)
        yield top, end, min(end + 1, stop)


def _usual_difference(squared: ReadWindow, shape: tuple[int, int]) -> float:
    """The mean squared difference of neighbours, of rows spread evenly over the map."""
    lines, samples = shape
    total, count = 0.0, 0
    for row in np.unique(np.linspace(0, max(lines - 2, 0), SAMPLED_ROWS).astype(int)).tolist():
        found, pairs = tally_pairs(squared(slice(row, min(row + 2, lines)), slice(0, samples)))
        total, count = total + found, count + pairs
    return total / count if count else 0.0
