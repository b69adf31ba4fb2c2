"""One class withheld: training without it, and what its pixels on held-out ground look like to the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.default import make_labelled_spectra
from benchmarks.accuracy.pixels import Pixels
from benchmarks.accuracy.splits import Division
from hsigeo.errors import ModelError
from hsigeo.model import measure_distance, predict_probabilities
from hsigeo.training import LabelledSpectra, train_on_spectra

__all__ = ["LEAST", "Found", "area_under_roc", "withheld_cases"]

LEAST = 5
"""With fewer test pixels of the withheld class, or of the others, nothing is measured."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one withheld class showed.

    Parameters
    ----------
    withheld
        Index of the class.
    known, strangers
        Test pixels of the other classes, and of the withheld one.
    by_distance, by_confidence
        Area under the ROC curve of the distance, and of one less the confidence, for telling strangers from known.
    lost, caught
        At the rate asked for: share of known pixels left unclassified, and of strangers. NaN without a rate.
    """

    withheld: int
    known: int
    strangers: int
    by_distance: float
    by_confidence: float
    lost: float
    caught: float


def area_under_roc(known: NDArray[np.floating], strangers: NDArray[np.floating]) -> float:
    """Chance that a stranger scores higher than a known pixel; ties count half."""
    order = np.sort(known)
    below = np.searchsorted(order, strangers, side="left")
    not_above = np.searchsorted(order, strangers, side="right")
    return float((below + not_above).mean() / (2 * len(known)))


def withheld_cases(division: Division, *, seed: int, rate: float | None) -> Iterator[Found]:
    """Withhold each class in turn.

    Parameters
    ----------
    division
        Labelled pixels, and which train and which test.
    seed
        Of the division and of training.
    rate
        Also cross-validate, as `hsigeo train` does, and reject at this rate; takes eight times as long.
    """
    pixels = division.pixels
    train, test = division.divide(seed)
    unlabelled = division.unlabelled(seed)
    for withheld in np.unique(pixels.labels[train]).tolist():
        learnt = np.flatnonzero(train & (pixels.labels != withheld))
        names = np.unique(pixels.labels[learnt])
        known = np.flatnonzero(test & np.isin(pixels.labels, names))
        strangers = np.flatnonzero(test & (pixels.labels == withheld))
        if len(names) < 2 or min(len(known), len(strangers)) < LEAST:
            continue
        samples = make_labelled_spectra(
            pixels.spectra[learnt],
            np.searchsorted(names, pixels.labels[learnt]),
            pixels.groups[learnt],
            classes=names.tolist(),
            wavelengths=pixels.wavelengths,
            unlabelled=unlabelled,
        )
        yield _measure(pixels, samples, known, strangers, seed=seed, rate=rate)


def _measure(
    pixels: Pixels,
    samples: LabelledSpectra,
    known: NDArray[np.intp],
    strangers: NDArray[np.intp],
    *,
    seed: int,
    rate: float | None,
) -> Found:
    model = train_on_spectra(samples, seed=seed, check=rate is not None)
    distance = [measure_distance(model, np.ascontiguousarray(pixels.spectra[part])) for part in (known, strangers)]
    doubt = [
        1 - predict_probabilities(model, np.ascontiguousarray(pixels.spectra[part])).max(axis=1)
        for part in (known, strangers)
    ]
    lost, caught = float("nan"), float("nan")
    if rate is not None and model.novelty is not None:
        try:
            limit = model.novelty.threshold(rate)
            lost, caught = (float((part > limit).mean()) for part in distance)
        except ModelError:  # too few held-out pixels for the rate
            pass
    return Found(
        withheld=int(pixels.labels[strangers[0]]),
        known=len(known),
        strangers=len(strangers),
        by_distance=area_under_roc(*distance),
        by_confidence=area_under_roc(*doubt),
        lost=lost,
        caught=caught,
    )
