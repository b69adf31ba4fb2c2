"""Probabilities that mean what they say: temperature scaling, and how far they are off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected_calibration_error", "fit_temperature", "negative_log_likelihood", "reliability", "soften"]

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

    The likelihood has one minimum in the logarithm of the temperature, so a golden-section search finds it; 40
    rounds narrow the range to one part in 10^7.

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
        if negative_log_likelihood(logits, target, np.exp(left)) < negative_log_likelihood(
            logits, target, np.exp(right)
        ):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


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
