"""From a split to a prediction: hsigeo through its public training, the rivals on two views of the same spectra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.accuracy.rivals import RIVALS
from benchmarks.accuracy.splits import Split
from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.model import predict_probabilities
from hsigeo.model.spectrum import Channels
from hsigeo.training import LabelledSpectra
from hsigeo.training.learning import train_on_spectra

__all__ = ["Predict", "View", "as_labelled_spectra", "bands_view", "channels_view", "fit_hsigeo", "fit_rival"]

Spectra = NDArray[np.float32]
Predict = Callable[[Spectra], NDArray[np.int64]]
"""From (pixel, band) reflectance to (pixel,) class index."""


def fit_hsigeo(variant: str, split: Split) -> Predict:
    """Train a variant of hsigeo as its users do."""
    # Cross-validation would only write accuracies and a temperature into the card, and change no class.
    model = train_on_spectra(as_labelled_spectra(split), variant=variant, seed=split.seed, check=False)
    return lambda spectra: predict_probabilities(model, np.ascontiguousarray(spectra)).argmax(axis=1)


def as_labelled_spectra(split: Split) -> LabelledSpectra:
    """The training half of a split, as hsigeo reads it."""
    count, bands = split.train_spectra.shape
    return LabelledSpectra(
        spectra=np.ascontiguousarray(split.train_spectra),
        class_id=(split.train_labels + 1).astype(np.int32),
        group=split.train_groups,
        # As for a spectral library: where the pixels lie is not told, for no rival is told it either.
        scene=np.zeros(count, dtype=np.int32),
        row=np.arange(count, dtype=np.int64),
        col=np.zeros(count, dtype=np.int64),
        classes=ClassTable.from_names([f"class {index}" for index in range(int(split.train_labels.max()) + 1)]),
        bands=BandTable(count=bands, wavelength=split.wavelengths),
        scene_band_count=bands,
        scene_band_index=np.arange(bands),
    )


View = Callable[[Spectra], Callable[[Spectra], NDArray[np.float64]]]
"""Learns from training spectra how to make standardised features of any spectra."""


def bands_view(train: Spectra) -> Callable[[Spectra], NDArray[np.float64]]:
    """Each band less its mean, in standard deviations."""
    mean, spread = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    spread = np.where(spread > 0, spread, 1.0)
    return lambda spectra: (spectra - mean) / spread


def channels_view(train: Spectra) -> Callable[[Spectra], NDArray[np.float64]]:
    """The inputs of hsigeo: reflectance, its logarithm and the logarithm's slope, standardised as hsigeo does."""
    channels = Channels(train.shape[1])
    channels.learn(torch.from_numpy(np.ascontiguousarray(train)))

    def features(spectra: Spectra) -> NDArray[np.float64]:
        found = channels(torch.from_numpy(np.ascontiguousarray(spectra)))  # (pixel, band, channel)
        return np.asarray(found.flatten(1).numpy(), dtype=np.float64)

    return features


def fit_rival(name: str, view: View, split: Split) -> Predict:
    """Train a rival on one view of the spectra."""
    features = view(split.train_spectra)
    classifier = RIVALS[name](features(split.train_spectra), split.train_labels, split.seed)
    return lambda spectra: classifier.predict(features(spectra))
