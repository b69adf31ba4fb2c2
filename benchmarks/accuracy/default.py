"""From a split to a prediction: hsigeo, trained as its users train it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.fits import Predict
from benchmarks.accuracy.splits import Split
from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.model import predict_probabilities
from hsigeo.training import LabelledSpectra
from hsigeo.training.learning import train_on_spectra
from hsigeo.training.unlabelled import UnlabelledSpectra

__all__ = ["as_labelled_spectra", "fit_hsigeo", "make_labelled_spectra"]


def fit_hsigeo(variant: str, split: Split) -> Predict:
    """Train a variant of hsigeo as its users do."""
    # Cross-validation would only write accuracies and a temperature into the card, and change no class.
    model = train_on_spectra(as_labelled_spectra(split), variant=variant, seed=split.seed, check=False)
    return lambda spectra: predict_probabilities(model, np.ascontiguousarray(spectra)).argmax(axis=1)


def as_labelled_spectra(split: Split) -> LabelledSpectra:
    """The training half of a split, as hsigeo reads it, with the scene's unlabelled pixels where there is a scene."""
    return make_labelled_spectra(
        split.train_spectra,
        split.train_labels,
        split.train_groups,
        classes=range(int(split.train_labels.max()) + 1),
        wavelengths=split.wavelengths,
        unlabelled=split.unlabelled,
    )


def make_labelled_spectra(
    spectra: NDArray[np.float32],
    index: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    classes: Iterable[int],
    wavelengths: NDArray[np.float64],
    unlabelled: NDArray[np.float32] | None,
) -> LabelledSpectra:
    """Spectra (pixel, band) as of a library: where the pixels lie is not told, for no rival is told it either.

    Parameters
    ----------
    index, groups
        (pixel,) position of each one's class among `classes`, and its group.
    classes
        Their numbers.
    unlabelled
        (pixel, band) of the scene, where there is one.
    """
    count, bands = spectra.shape
    return LabelledSpectra(
        spectra=np.ascontiguousarray(spectra),
        class_id=(index + 1).astype(np.int32),
        group=groups,
        scene=np.zeros(count, dtype=np.int32),
        row=np.arange(count, dtype=np.int64),
        col=np.zeros(count, dtype=np.int64),
        classes=ClassTable.from_names([f"class {number}" for number in classes]),
        bands=BandTable(count=bands, wavelength=wavelengths),
        scene_band_count=bands,
        scene_band_index=np.arange(bands),
        unlabelled=None if unlabelled is None else _without_places(unlabelled),
    )


def _without_places(spectra: NDArray[np.float32]) -> UnlabelledSpectra:
    """Unlabelled spectra; where they lie is not told either, and not asked without cross-validation."""
    count = len(spectra)
    return UnlabelledSpectra(
        spectra=np.ascontiguousarray(spectra),
        scene=np.ones(count, dtype=np.int32),
        row=np.arange(count, dtype=np.int64),
        col=np.zeros(count, dtype=np.int64),
    )
