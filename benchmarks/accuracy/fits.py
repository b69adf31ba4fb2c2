"""From a split to a prediction: the rivals, on two views of the same spectra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.accuracy.rivals import RIVALS
from benchmarks.accuracy.splits import Split
from hsigeo.model.spectrum import Channels

__all__ = ["Predict", "View", "bands_view", "channels_view", "fit_rival"]

Spectra = NDArray[np.float32]
Predict = Callable[[Spectra], NDArray[np.int64]]
"""From (pixel, band) reflectance to (pixel,) class index."""


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
