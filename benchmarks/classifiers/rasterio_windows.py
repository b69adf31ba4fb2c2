"""scikit-learn as a careful user runs it over a raster: window by window with rasterio, on all cores.

Windows are strips of 64 full rows, which suit every ENVI interleave; each thread has a handle of its own, and GDAL's
cache is kept small, as it only costs here. Each window is predicted in one thread, so that no two pools of threads
compete.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from threadpoolctl import threadpool_limits

from benchmarks.accuracy.fits import bands_view
from benchmarks.classifiers.contest import Contest, Contestant, Entry, map_profile

__all__ = ["by_windows", "standardised"]

ROWS = 64
CACHE_BYTES = 64 << 20

Fit = Callable[[NDArray[np.float64], NDArray[np.int64], Contest], tuple[Any, str]]
"""From standardised training pixels to an estimator and a note on it."""


def by_windows(fit: Fit) -> Contestant:
    """A contestant that predicts windows with what `fit` gives."""

    def enter(contest: Contest) -> Entry:
        predict, note = standardised(fit, contest)
        return Entry(
            make_map=lambda path: _write_map(contest, predict, path),
            predict=predict,
            note=note,
        )

    return enter


def standardised(fit: Fit, contest: Contest) -> tuple[Callable[[Any], NDArray[np.int64]], str]:
    """What predicts (pixel, band) reflectance, having standardised it, and a note on it."""
    features = bands_view(contest.split.train_spectra)
    estimator, note = fit(features(contest.split.train_spectra), contest.split.train_labels, contest)
    return lambda spectra: estimator.predict(features(spectra)), note


def _write_map(contest: Contest, predict: Callable[[Any], NDArray[np.int64]], path: Path) -> None:
    handles = threading.local()

    def classify(window: Window) -> tuple[Window, NDArray[np.uint8]]:
        if not hasattr(handles, "scene"):
            handles.scene = rasterio.open(contest.data, sharing=False)
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
            stored = handles.scene.read(window=window)  # (band, y, x)
        spectra = stored.reshape(len(stored), -1).T.astype(np.float32) / np.float32(10_000)
        valid = (stored != handles.scene.nodata).all(axis=0).ravel()
        ids = np.zeros(len(spectra), dtype=np.uint8)
        ids[valid] = predict(spectra[valid]) + 1
        return window, ids.reshape(stored.shape[1:])

    profile = map_profile(contest.data)
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(contest.cores) as pool,
        rasterio.open(path, "w", **profile) as made,
    ):
        for window, ids in pool.map(classify, _windows(profile["height"], profile["width"])):
            made.write(ids, 1, window=window)


def _windows(lines: int, samples: int) -> Iterator[Window]:
    for top in range(0, lines, ROWS):
        yield Window(0, top, samples, min(ROWS, lines - top))
