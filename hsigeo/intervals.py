"""Confidence intervals of shares: how far an accuracy could be off because only so much was looked at.

Wilson's score interval (1927, J. Am. Stat. Assoc. 22, 209) keeps between 0 and 1 and holds its level for few samples
and for shares near 0 or 1, where the textbook's plus-minus does not (Brown, Cai and DasGupta 2001, Stat. Sci. 16, 101).

It counts independent samples. Pixels of one polygon are not: they are right or wrong together. So where it is known
which pixels belong together, the number of samples is divided by the design effect, measured from how the units differ
(Korn and Graubard 1998, Surv. Methodol. 24, 193): 500 pixels of ten polygons may count as little as ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.metrics import Accuracy

__all__ = ["LEVEL", "AccuracyIntervals", "clustered_interval", "measure_intervals", "tally_units", "wilson_interval"]

LEVEL = 0.95

Z = 1.959963984540054
"""Quantile of the normal distribution that leaves 2.5 % on each side."""

Interval = tuple[float, float]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class AccuracyIntervals:
    """95 % confidence intervals of the figures of an `Accuracy`.

    Parameters
    ----------
    overall
        Of the overall accuracy.
    recall, precision
        (class, 2) low and high; NaN where the figure itself is.
    units
        What was counted as independent: ``pixels`` or ``units of ground``.
    count
        How many of those there are.
    """

    overall: Interval
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    units: str
    count: int

    def to_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """As plain JSON values; NaN becomes `None`."""
        return {
            "method": "Wilson, with the design effect of the units",
            "level": LEVEL,
            "independent": {"what": self.units, "count": self.count},
            "overall_accuracy": _pair(self.overall),
            "classes": [
                {"name": name, "recall": _pair(recall), "precision": _pair(precision)}
                for name, recall, precision in zip(names, self.recall.tolist(), self.precision.tolist(), strict=True)
            ],
        }


def wilson_interval(hits: float, trials: float) -> Interval:
    """Wilson's 95 % score interval of hits / trials; NaN without trials.

    Examples
    --------
    >>> low, high = wilson_interval(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    if not trials:
        return math.nan, math.nan
    share = hits / trials
    scale = 1 / (1 + Z**2 / trials)
    middle = scale * (share + Z**2 / (2 * trials))
    reach = scale * Z * math.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    # At 0 and at 1 the formula is exact; rounding must not put the share outside its own interval.
    return min(max(0.0, middle - reach), share), max(min(1.0, middle + reach), share)


def clustered_interval(hits: Counts, trials: Counts) -> Interval:
    """Wilson's interval for samples that come in clusters.

    Parameters
    ----------
    hits, trials : (cluster,)
        Of each cluster; clusters without trials say nothing.

    Returns
    -------
    (float, float)
        With the number of trials divided by the design effect. A share of exactly 0 or 1 shows no differences to
        measure that by, so there each cluster counts as one trial. Never narrower than for independent trials.
    """
    known = trials > 0
    hits, trials = hits[known], trials[known]
    total, clusters = int(trials.sum()), len(trials)
    if not total:
        return math.nan, math.nan
    share = float(hits.sum()) / total
    if total == clusters:
        return wilson_interval(int(hits.sum()), total)
    if clusters == 1:
        return wilson_interval(share, 1)
    # Linearised variance of a ratio between clusters (Cochran 1977, "Sampling Techniques", section 11.8).
    variance = clusters / (clusters - 1) * float(((hits - share * trials) ** 2).sum()) / total**2
    effective = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else float(clusters)
    effective = min(effective, float(total))
    return wilson_interval(share * effective, effective)


def tally_units(
    reference: NDArray[np.integer], mapped: NDArray[np.integer], unit: NDArray[np.integer], *, shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Count pixels by unit of ground and class. Tallies of parts of a map add up.

    Parameters
    ----------
    reference, mapped : (pixel,)
        Class positions from 1, 0 for none, as for `confusion_matrix`.
    unit : (pixel,)
        Which pixels belong together, from 0.
    shape
        Number of units and of classes.

    Returns
    -------
    (3, unit, class) int64
        Pixels mapped rightly, pixels of the reference, pixels of the map; where both say something.
    """
    counted = (reference > 0) & (mapped > 0)
    reference, mapped, unit = reference[counted] - 1, mapped[counted] - 1, unit[counted]
    right = reference == mapped
    table = np.zeros((3, *shape), dtype=np.int64)
    np.add.at(table[0], (unit[right], reference[right]), 1)
    np.add.at(table[1], (unit, reference), 1)
    np.add.at(table[2], (unit, mapped), 1)
    return table


def measure_intervals(accuracy: Accuracy, tally: NDArray[np.int64] | None = None) -> AccuracyIntervals:
    """Intervals of overall accuracy, and of each class's recall and precision.

    Parameters
    ----------
    accuracy
        The figures.
    tally : (3, unit, class)
        As `tally_units` gives it. Without it every pixel counts as independent, which is right for a random sample of
        pixels and too narrow for anything else.
    """
    if tally is None:
        return AccuracyIntervals(
            overall=wilson_interval(int(accuracy.correct.sum()), accuracy.total),
            recall=_each_wilson(accuracy.correct, accuracy.support),
            precision=_each_wilson(accuracy.correct, accuracy.mapped),
            units="pixels",
            count=accuracy.total,
        )
    correct, support, shown = tally
    pixels = support.sum(axis=1)
    return AccuracyIntervals(
        overall=clustered_interval(correct.sum(axis=1), pixels),
        recall=_each(correct, support),
        precision=_each(correct, shown),
        units="pixels" if int(pixels.max(initial=0)) <= 1 else "units of ground",
        count=int((pixels > 0).sum()),
    )


def _each_wilson(hits: Counts, trials: Counts) -> NDArray[np.float64]:
    pairs = [wilson_interval(h, n) for h, n in zip(hits.tolist(), trials.tolist(), strict=True)]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _each(hits: Counts, trials: Counts) -> NDArray[np.float64]:
    """(class, 2) intervals of (cluster, class) tallies."""
    pairs = [clustered_interval(hits[:, k], trials[:, k]) for k in range(hits.shape[1])]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _pair(interval: Sequence[float]) -> list[float] | None:
    return None if any(math.isnan(end) for end in interval) else list(interval)
