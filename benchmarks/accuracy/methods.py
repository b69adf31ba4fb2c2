"""What is compared: hsigeo as users train it, and the rivals on two views of the same spectra."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sklearn
import torch
from numpy.typing import NDArray

from benchmarks.accuracy.digests import digest_of_code
from benchmarks.accuracy.rivals import RIVALS
from benchmarks.accuracy.splits import Split
from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.model import DEFAULT_VARIANT, predict_probabilities
from hsigeo.model.spectrum import Channels
from hsigeo.train import LabelledSpectra
from hsigeo.train.recipes import RECIPES
from hsigeo.train.training import train_on_spectra

__all__ = ["BAR", "HSIGEO", "METHODS", "USUAL", "Method", "Predict"]

Spectra = NDArray[np.float32]
Predict = Callable[[Spectra], NDArray[np.int64]]
"""From (pixel, band) reflectance to (pixel,) class index."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """One column of the table.

    Parameters
    ----------
    fit
        Trains on the training half of a split, and sees nothing else of it.
    modules
        The modules whose code decides what it does: a result counts until one of them changes.
    roots
        The same for modules that spread their code over others, which count as well.
    """

    fit: Callable[[Split], Predict]
    modules: tuple[str, ...]
    roots: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Short name of the code and of the libraries it calls."""
        versions = f"numpy {np.__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}"
        return digest_of_code((__name__, *self.modules), roots=self.roots, versions=versions)


def _fit_hsigeo(variant: str, split: Split) -> Predict:
    # Cross-validation would only write accuracies and a temperature into the card, and change no class.
    model = train_on_spectra(_as_labelled_spectra(split), variant=variant, seed=split.seed, check=False)
    return lambda spectra: predict_probabilities(model, np.ascontiguousarray(spectra)).argmax(axis=1)


def _as_labelled_spectra(split: Split) -> LabelledSpectra:
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


def _bands(train: Spectra) -> Callable[[Spectra], NDArray[np.float64]]:
    """Each band less its mean, in standard deviations."""
    mean, spread = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    spread = np.where(spread > 0, spread, 1.0)
    return lambda spectra: (spectra - mean) / spread


def _channels(train: Spectra) -> Callable[[Spectra], NDArray[np.float64]]:
    """The inputs of hsigeo: reflectance, its logarithm and the logarithm's slope, standardised as hsigeo does."""
    channels = Channels(train.shape[1])
    channels.learn(torch.from_numpy(np.ascontiguousarray(train)))

    def features(spectra: Spectra) -> NDArray[np.float64]:
        found = channels(torch.from_numpy(np.ascontiguousarray(spectra)))  # (pixel, band, channel)
        return np.asarray(found.flatten(1).numpy(), dtype=np.float64)

    return features


def _fit_rival(name: str, view: View, split: Split) -> Predict:
    features = view(split.train_spectra)
    classifier = RIVALS[name](features(split.train_spectra), split.train_labels, split.seed)
    return lambda spectra: classifier.predict(features(spectra))


def _hsigeo(variant: str) -> Method:
    return Method(
        fit=functools.partial(_fit_hsigeo, variant),
        modules=("hsigeo.model.model",),
        roots=(RECIPES[variant].__module__,),
    )


def _rival(name: str, view: View) -> Method:
    inputs = ("hsigeo.model.spectrum",) if view is _channels else ()
    return Method(fit=functools.partial(_fit_rival, name, view), modules=("benchmarks.accuracy.rivals", *inputs))


HSIGEO = "hsigeo"

BAR = ("svm", "lda", "rf", "mlp")
"""The rivals that the default model is held against, on the bands, as other tools would run them."""

METHODS: dict[str, Method] = {
    HSIGEO: _hsigeo(DEFAULT_VARIANT),
    "plain": _hsigeo("plain"),
    **{name: _rival(name, _bands) for name in RIVALS},
    **{f"{name}+channels": _rival(name, _channels) for name in RIVALS},
}
"""Name → method; ``+channels`` is a rival on hsigeo's inputs, which tells what the inputs alone are worth."""

USUAL = (HSIGEO, *RIVALS, "svm+channels", "lda+channels")
"""What is run unless asked otherwise: not `plain`, which takes minutes a fit."""
