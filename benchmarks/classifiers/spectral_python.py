"""Spectral Python's own classifiers, by its own image and classes, on all cores through BLAS."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.classifiers.contest import Contest, Contestant, Entry, UnavailableError, map_profile

__all__ = ["by_spectral"]

ROWS = 64


def by_spectral(name: str, *, fewest: int | None = None) -> Contestant:
    """A contestant of Spectral Python.

    Parameters
    ----------
    name
        Of its class of classifiers.
    fewest
        Pixels that a class must have to be learnt; by default as many as there are bands, without which its
        covariance has no inverse.
    """

    def enter(contest: Contest) -> Entry:
        try:
            import spectral
        except ImportError as error:
            raise UnavailableError("Spectral Python is not installed: pip install spectral") from error
        spectral.settings.show_progress = False
        split = contest.split
        logging.getLogger("spectral").setLevel(logging.ERROR)
        with warnings.catch_warnings(action="ignore"):
            classes = spectral.create_training_classes(
                split.train_spectra[:, None], split.train_labels[:, None] + 1, True
            )
            classifier = getattr(spectral, name)(classes, **({} if fewest is None else {"min_samples": fewest}))
        left_out = len(np.unique(split.train_labels)) - len(classifier.classes)
        if not classifier.classes:
            raise UnavailableError(f"no class has the {split.train_spectra.shape[1]} pixels that its covariance needs")

        def predict(spectra: NDArray[np.float32]) -> NDArray[np.int64]:
            return np.asarray(classifier.classify_image(spectra[:, None])[:, 0], dtype=np.int64) - 1

        return Entry(
            make_map=lambda path: _write_map(contest, spectral, classifier, path),
            predict=predict,
            note=f"{left_out} classes have too few pixels for it" if left_out else "",
        )

    return enter


def _write_map(contest: Contest, spectral: Any, classifier: Any, path: Path) -> None:
    image = spectral.open_image(str(contest.scene))  # which divides by the header's scale factor
    with threadpool_limits(contest.cores), rasterio.open(path, "w", **map_profile(contest.data)) as made:
        for top in range(0, image.nrows, ROWS):
            bottom = min(top + ROWS, image.nrows)
            strip = np.asarray(image.read_subregion((top, bottom), (0, image.ncols)))
            ids = classifier.classify_image(strip).astype(np.uint8)
            made.write(ids, 1, window=((top, bottom), (0, image.ncols)))
