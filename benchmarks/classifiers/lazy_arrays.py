"""The same estimators over a dask array, as dask-ml's ``ParallelPostFit`` runs them.

That class is these few lines: `predict` mapped over the blocks of a (pixel, band) array. dask-ml itself is not needed
for them (and brings pyarrow and numba's sparse arrays with it).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import rasterio
import rioxarray
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.classifiers.contest import Contest, Contestant, Entry, map_profile
from benchmarks.classifiers.rasterio_windows import CACHE_BYTES, ROWS, Fit, standardised

__all__ = ["by_dask"]


def by_dask(fit: Fit) -> Contestant:
    """A contestant that maps what `fit` gives over the scene as rioxarray opens it."""

    def enter(contest: Contest) -> Entry:
        predict, note = standardised(fit, contest)
        return Entry(make_map=lambda path: _write_map(contest, predict, path), predict=predict, note=note)

    return enter


def _write_map(contest: Contest, predict: Callable[[Any], NDArray[np.int64]], path: Path) -> None:
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES), threadpool_limits(1):
        # lock=False: rioxarray then opens a handle for each thread.
        scene: Any = rioxarray.open_rasterio(contest.data, chunks={"band": -1, "y": ROWS, "x": -1}, lock=False)
        bands, lines, samples = scene.shape
        cube = da.moveaxis(scene.data, 0, -1)  # (y, x, band)
        spectra = cube.reshape(lines * samples, bands, merge_chunks=True).astype(np.float32) / np.float32(10_000)
        index = spectra.map_blocks(predict, dtype=np.int64, drop_axis=1)
        with dask.config.set(scheduler="threads", num_workers=contest.cores):
            ids = (index + 1).astype(np.uint8).compute().reshape(lines, samples)
    with rasterio.open(path, "w", **map_profile(contest.data)) as made:
        made.write(ids, 1)
