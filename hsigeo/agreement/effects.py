"""Which line is the odd one.

A bad line also spoils the figures of its good neighbours, so ranking lines by their agreement is not enough.

The strategy here: the disagreement of a pair is what is usual in the campaign plus what each of the two lines adds,
d_ij = m + e_i + e_j. With more pairs than lines the least-squares e_i tell a bad line from its neighbours; where pairs
are few (a chain of parallel lines), a small penalty on the e_i chooses the explanation with the fewest and smallest
culprits. What is left to doubt: two lines that overlap only each other share the blame, whichever of them is bad, and
with fewer than four lines none is called an outlier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hsigeo.agreement.counts import PairCounts

__all__ = ["find_outliers", "line_effects"]

FloatArray = NDArray[np.float64]

FEWEST_PIXELS = 30
"""Pairs with fewer common pixels say nothing about a line."""
FEWEST_LINES = 4
LARGEST_SCORE = 3.5
"""Iglewicz and Hoaglin (1993), "How to Detect and Handle Outliers", for modified z-scores."""
SMALLEST_EXCESS = 0.03
"""Three points of disagreement: less does not matter in practice, however unusual it is."""

_PENALTY = 0.01
_SPREAD_FLOOR = 0.005
_NORMAL = 1.4826  # from the median absolute deviation to a standard deviation


def line_effects(pairs: Mapping[tuple[int, int], PairCounts], lines: int) -> FloatArray:
    """What each line adds to the disagreement of its pairs.

    Returns
    -------
    (line,) float64
        Shares: 0.2 is twenty points more disagreement than is usual. NaN for lines without a pair of 30 pixels.
    """
    used = {pair: counts for pair, counts in pairs.items() if counts.pixels >= FEWEST_PIXELS}
    if not used:
        return np.full(lines, np.nan)
    first, second = np.array(list(used)).T
    disagreement = np.array([1 - counts.agreement for counts in used.values()])
    pixels = np.array([counts.pixels for counts in used.values()], dtype=np.float64)
    # Neighbouring pixels are alike, so a long overlap is not worth many times a usual one.
    weight = np.minimum(pixels / np.median(pixels), 1.0)
    excess = disagreement - np.median(disagreement)

    def normal(effects: FloatArray) -> FloatArray:
        product: FloatArray = _PENALTY * effects
        both = weight * (effects[first] + effects[second])
        np.add.at(product, first, both)
        np.add.at(product, second, both)
        return product

    right = np.zeros(lines)
    np.add.at(right, first, weight * excess)
    np.add.at(right, second, weight * excess)
    effects = _conjugate_gradients(normal, right)
    effects[~np.isin(np.arange(lines), np.concatenate([first, second]))] = np.nan
    return effects


def _conjugate_gradients(apply: Callable[[FloatArray], FloatArray], right: FloatArray) -> FloatArray:
    """Hestenes and Stiefel (1952): the matrix is only ever multiplied with, so pairs may be many."""
    solution = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    size = float(residual @ residual)
    for _ in range(10 * len(right) + 10):
        if size <= 1e-20 * max(float(right @ right), 1e-30):
            break
        product = apply(direction)
        step = size / float(direction @ product)
        solution += step * direction
        residual -= step * product
        before, size = size, float(residual @ residual)
        direction = residual + size / before * direction
    return solution


def find_outliers(effects: FloatArray) -> list[int]:
    """Numbers of the lines that add clearly more disagreement than the others, the worst first."""
    known = effects[np.isfinite(effects)]
    if len(known) < FEWEST_LINES:
        return []
    middle = float(np.median(known))
    spread = _NORMAL * float(np.median(np.abs(known - middle))) + _SPREAD_FLOOR
    odd = [
        number
        for number, effect in enumerate(effects.tolist())
        if np.isfinite(effect) and effect - middle > max(LARGEST_SCORE * spread, SMALLEST_EXCESS)
    ]
    return sorted(odd, key=lambda number: -effects[number])
