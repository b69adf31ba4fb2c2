"""Bands that are dead but not marked bad: found from a few rows, before a scene is classified.

A band that is empty makes every pixel invalid; one that is 0 or stuck at a number is worse, for it looks like evidence.
Marked as not good, it is bridged like any wavelength a sensor lacks (`hsigeo.band_matching`).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from dask.local import get_sync
from numpy.typing import NDArray

from hsigeo.io.cube import Cube
from hsigeo.io.doctor.sample import read_sample
from hsigeo.io.scaling import to_reflectance
from hsigeo.io.scene_reader import cube_behind
from hsigeo.io.spectra import announce_blocks
from hsigeo.scene import check_scene, spectral_axis

__all__ = ["mark_dead_bands", "read_few_rows"]

ROWS = 5
"""Rows looked at, from the first to the last."""

VALUES = 1 << 20
"""Numbers read at most."""

DECODED_BYTES = 96 << 20
"""What may be decompressed to get them: a third of a second of a core."""

FEWEST_PIXELS = 16
"""With fewer valid pixels a band may be constant by chance."""


def mark_dead_bands(scene: xr.DataArray, seen: NDArray[np.float32] | None = None) -> xr.DataArray:
    """The scene, with bands that hold nothing marked as not good, and a sentence on it among its repairs.

    Parameters
    ----------
    scene : (band, y, x)
        Lazy or not; a few rows are read.
    seen : (band, pixel)
        What `read_few_rows` gave, where it was asked already.

    Returns
    -------
    xarray.DataArray
        The same array where no good band is dead, or where so many are that the scene itself is in doubt.
    """
    check_scene(scene)
    bands = spectral_axis(scene)
    dead = _find_dead(read_few_rows(scene) if seen is None else seen) & bands.good
    if not dead.any() or dead.sum() > bands.good.sum() / 2:
        return scene
    numbers = ", ".join(str(number) for number in (np.flatnonzero(dead)[:10] + 1))
    more = f" and {int(dead.sum()) - 10} more" if dead.sum() > 10 else ""
    note = f"{int(dead.sum())} bands hold no data or a single number and are not used: band {numbers}{more}"
    marked = scene.assign_coords(good=("band", bands.good & ~dead))
    marked.attrs["repairs"] = [*scene.attrs.get("repairs", []), note]
    return marked


def read_few_rows(scene: xr.DataArray) -> NDArray[np.float32]:
    """(band, pixel) values of a few rows, from the first to the last; NaN where there is no data.

    Of a file with blocks of its own, parts of a few blocks instead: a row would cost all blocks that it crosses.
    """
    count, lines, samples = scene.shape
    rows = np.unique(np.linspace(0, lines - 1, ROWS).round().astype(int))
    columns = max(1, min(samples, VALUES // max(1, count * len(rows))))
    left = (samples - columns) // 2
    cube = cube_behind(scene)
    if cube is not None and (cube.header.compressed or cube.header.block_shape[0] > 1):
        return read_sample(cube, values=VALUES, decoded=DECODED_BYTES).reflectance(cube.header)
    if cube is not None:  # spares dask's graphs, which take longer than the rows
        windows = [(slice(row, row + 1), slice(left, left + columns)) for row in rows.tolist()]
        announce_blocks(cube, np.arange(count), windows)
        return np.concatenate([_read_row(cube, *window) for window in windows], axis=1)
    # In the caller's thread: pools of dask would not survive a fork, and a few rows need none. By function rather than
    # by name, at which dask would import its cluster first.
    found = [scene[:, row, left : left + columns].compute(scheduler=get_sync).values for row in rows]
    return np.concatenate(found, axis=1).astype(np.float32)


def _read_row(cube: Cube, row: slice, cols: slice) -> NDArray[np.float32]:
    stored = cube.read(row, cols)
    return to_reflectance(stored, cube.header.scaling, cube.header.nodata)[:, 0]


def _find_dead(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(band,) whether a band is empty or constant where most others are neither."""
    finite = np.isfinite(values)
    # A pixel counts where most bands have data: outside the swath none has.
    seen = finite.mean(axis=0) > 0.5  # (pixel,)
    if seen.sum() < FEWEST_PIXELS:
        return np.zeros(len(values), dtype=bool)
    values, finite = values[:, seen], finite[:, seen]
    low = np.where(finite, values, np.inf).min(axis=1)
    high = np.where(finite, values, -np.inf).max(axis=1)
    dead = np.asarray(low >= high)  # constant, or empty
    return dead if dead.mean() < 0.5 else np.zeros(len(values), dtype=bool)
