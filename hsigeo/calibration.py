"""Probabilities that mean what they say: temperature scaling, and how far they are off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "choose_temperature",
    "cross_fitted",
    "expected_calibration_error",
    "fit_temperature",
    "negative_log_likelihood",
    "reliability",
    "soften",
]

COLDEST, HOTTEST = 0.05, 20.0
"""Between these a temperature is searched; beyond, the classes are decided or drowned anyway."""


def soften(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Softmax of (pixel, class) logits divided by a temperature."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def negative_log_likelihood(logits: NDArray[Any], target: NDArray[np.integer], temperature: float) -> float:
    """Mean negative log-probability of the true class; `target` (pixel,) is the class index."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    top = scaled.max(axis=1)
    log_sum = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return float(np.mean(log_sum - scaled[np.arange(len(target)), target]))


def fit_temperature(logits: NDArray[Any], target: NDArray[np.integer]) -> float:
    """The temperature under which held-out logits are most likely (Guo et al. 2017, ICML, §4.2).

    With a standard normal prior on its logarithm, worth about one pixel: a dozen held-out pixels that all happen to be
    right would otherwise make every probability 1. The sum has one minimum in the logarithm of the temperature, so a
    golden-section search finds it; 40 rounds narrow the range to one part in 10^7.

    Parameters
    ----------
    logits : (pixel, class)
        Of pixels the model has not seen in training; finite.
    target : (pixel,)
        Class index.
    """
    low, high = np.log(COLDEST), np.log(HOTTEST)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _surprise(logits, target, left) < _surprise(logits, target, right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _surprise(logits: NDArray[Any], target: NDArray[np.integer], log_temperature: float) -> float:
    """Negative log-posterior of a temperature, but for a constant."""
    likelihood = len(target) * negative_log_likelihood(logits, target, float(np.exp(log_temperature)))
    return likelihood + 0.5 * log_temperature**2


def cross_fitted(
    logits: NDArray[Any], target: NDArray[np.integer], fold: NDArray[np.integer]
) -> tuple[NDArray[np.float64], dict[int, float]]:
    """Probabilities of each fold at the temperature that the other folds ask for.

    A temperature fitted on the very pixels that judge it looks better than it is; this one does not.

    Parameters
    ----------
    logits : (pixel, class)
    target, fold : (pixel,)
        Class index; which fold held the pixel out.

    Returns
    -------
    probability : (pixel, class)
    temperatures
        By fold. With a single fold there are no others, and it stays at 1.
    """
    probability = np.empty(logits.shape, dtype=np.float64)
    temperatures = {}
    for number in np.unique(fold).tolist():
        inside = fold == number
        others = ~inside
        temperatures[number] = fit_temperature(logits[others], target[others]) if others.any() else 1.0
        probability[inside] = soften(logits[inside], temperatures[number])
    return probability, temperatures


def choose_temperature(
    logits: NDArray[Any], target: NDArray[np.integer], fold: NDArray[np.integer]
) -> tuple[float, NDArray[np.float64]]:
    """The temperature of all folds together, if temperatures carry over from some folds to the others; else 1.

    What carries over is judged by the likelihood of the cross-fitted probabilities, which must gain more than its
    standard error between the folds. Where the folds ask for different temperatures, any of them would make new ground
    worse; and a few pixels that were surely taken for another class can outweigh all others in the mean.

    Returns
    -------
    temperature
    probability : (pixel, class)
        What to judge the choice by: cross-fitted, or as the logits say.
    """
    plain = soften(logits, 1.0)
    fitted, _ = cross_fitted(logits, target, fold)
    rows = np.arange(len(target))
    gain = np.log(fitted[rows, target].clip(1e-30)) - np.log(plain[rows, target].clip(1e-30))
    return (fit_temperature(logits, target), fitted) if gain.mean() > _error_between(gain, fold) else (1.0, plain)


def _error_between(values: NDArray[np.float64], fold: NDArray[np.integer]) -> float:
    """Standard error of a mean over folds, each fold counting once; 0 with a single fold."""
    means = [float(values[fold == number].mean()) for number in np.unique(fold)]
    return float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else 0.0


def reliability(
    probability: NDArray[Any], target: NDArray[np.integer], *, bins: int = 15
) -> list[tuple[float, float, int]]:
    """Mean confidence, share right, and count of the pixels in each bin of confidence; empty bins are left out.

    Parameters
    ----------
    probability : (pixel, class)
        Rows sum to 1.
    target : (pixel,)
        Class index.
    """
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == target
    bin_number = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        for inside in (bin_number == number for number in range(bins))
        if inside.any()
    ]


def expected_calibration_error(probability: NDArray[Any], target: NDArray[np.integer], *, bins: int = 15) -> float:
    """Mean gap between confidence and share right over bins of confidence (Naeini et al. 2015, AAAI)."""
    table = reliability(probability, target, bins=bins)
    return sum(count * abs(confidence - right) for confidence, right, count in table) / len(target)
