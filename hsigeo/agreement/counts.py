"""Counts of pixels on which two lines agree and disagree, and the measures derived from them.

For a pair of lines three counts for each class are enough: how often one line says it, how often the other does, how
often both do. So memory grows with pairs times classes, not with classes squared. Agreement is the share of common
pixels on which both say the same; kappa sets it against what two lines with these class shares would agree on by chance
(Cohen 1960); agreement on a class is 2·both / (one + other), which is 1 where both always say it together (Dice 1945).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["PairCounts", "PositionCounts", "agreement_of", "class_agreement", "class_kappa", "kappa_of"]

Counts = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairCounts:
    """Common pixels of two lines, by class.

    Parameters
    ----------
    first, second : (class,) int64
        How often each line says a class, where both say something.
    both : (class,) int64
        How often both say it.
    """

    first: Counts
    second: Counts
    both: Counts

    @classmethod
    def empty(cls, classes: int) -> PairCounts:
        """Nothing counted yet."""
        return cls(
            first=np.zeros(classes, dtype=np.int64),
            second=np.zeros(classes, dtype=np.int64),
            both=np.zeros(classes, dtype=np.int64),
        )

    def add(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Count pixels.

        Parameters
        ----------
        first, second : (pixel,)
            Positions of classes from 0, where both lines say something.
        """
        count = len(self.both)
        self.first[:] += np.bincount(first, minlength=count)
        self.second[:] += np.bincount(second, minlength=count)
        self.both[:] += np.bincount(first[first == second], minlength=count)

    @property
    def pixels(self) -> int:
        """Common pixels."""
        return int(self.first.sum())

    @property
    def agreement(self) -> float:
        """Share of common pixels with the same class; NaN without any."""
        return agreement_of(int(self.both.sum()), self.pixels)

    @property
    def kappa(self) -> float:
        """Cohen's kappa; NaN without pixels, and where both lines show one and the same single class."""
        return kappa_of(self.first, self.second, int(self.both.sum()))


@dataclass(frozen=True, kw_only=True, eq=False)
class PositionCounts:
    """Common pixels by where they lie in the swath.

    Parameters
    ----------
    edges : (bin + 1,)
        Of the bins: shares of the half width, or degrees.
    lines : (line, bin, 2) int64
        For each line by its own position: common pixels, and those of them with the same class.
    confusion : (bin, class, class) int64
        By the position of that line of a pair that lies farther out, without regard to the side; both orders are
        counted, so each matrix is symmetric.
    outer_edges : (bin + 1,)
        Edges for `confusion`.
    """

    edges: FloatArray
    lines: Counts
    outer_edges: FloatArray
    confusion: Counts = field(repr=False)

    def bin_of(self, position: FloatArray) -> NDArray[np.int64]:
        """Number of the bin; the last ones take what lies beyond."""
        return _bin_of(self.edges, position)

    def outer_bin_of(self, position: FloatArray) -> NDArray[np.int64]:
        """The same for positions without side."""
        return _bin_of(self.outer_edges, position)

    @property
    def pixels(self) -> Counts:
        """(bin,) pairs of pixels, by the outer position."""
        total: Counts = self.confusion.sum(axis=(1, 2)) // 2
        return total

    def figures(self) -> list[tuple[float, float]]:
        """Agreement and kappa of each outer bin."""
        rows = []
        for matrix in self.confusion:
            both, shares = int(np.trace(matrix)), matrix.sum(axis=1)
            rows.append((agreement_of(both, int(shares.sum())), kappa_of(shares, shares, both)))
        return rows

    def class_figures(self) -> FloatArray:
        """(bin, class) agreement on each class; NaN where neither line says it."""
        both = np.diagonal(self.confusion, axis1=1, axis2=2)
        one = self.confusion.sum(axis=2)
        return class_agreement(one, one, both)


def _bin_of(edges: FloatArray, position: FloatArray) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.clip(np.searchsorted(edges, position, side="right") - 1, 0, len(edges) - 2)
    return found


def agreement_of(both: int, pixels: int) -> float:
    """Share that agrees; NaN of nothing."""
    return both / pixels if pixels else math.nan


def kappa_of(first: Counts, second: Counts, both: int) -> float:
    """Agreement beyond chance, from the class counts of two lines and the number of pixels on which they agree."""
    pixels = int(first.sum())
    if not pixels:
        return math.nan
    by_chance = float((first / pixels) @ (second / pixels))
    return math.nan if by_chance >= 1 else (both / pixels - by_chance) / (1 - by_chance)


def class_agreement(first: Counts, second: Counts, both: Counts) -> FloatArray:
    """Agreement on each class, 2·both / (first + second)."""
    either = first + second
    result = np.full(either.shape, np.nan)
    np.divide(2 * both, either, out=result, where=either > 0)
    return result


def class_kappa(first: Counts, second: Counts, both: Counts) -> FloatArray:
    """(class,) kappa of "this class or any other"."""
    pixels = int(first.sum())
    values = []
    for one, other, common in zip(first.tolist(), second.tolist(), both.tolist(), strict=True):
        neither = pixels - one - other + common
        values.append(
            kappa_of(np.array([one, pixels - one]), np.array([other, pixels - other]), common + neither)
            if one or other
            else math.nan
        )
    return np.array(values)
