"""Whether numbers look like an image: neighbours resemble each other, and values are such as instruments give.

Read with the wrong byte order, type, offset or interleave, a file still gives numbers. But then the value beside a
value comes from elsewhere, and real numbers have exponents that nothing measures. Ranks are compared, not values, so
that a single 1e38 decides nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Looks", "judge"]

LARGEST = 1e7
SMALLEST = 1e-7
"""Reflectance, radiance and counts lie between; a number read wrongly lies anywhere between 1e-38 and 1e38."""

COMMON = 0.15
"""A value that more than this share of the sample has is a fill value; it says nothing about neighbours."""

FEWEST_PAIRS = 50

_MOST_VALUES = 1 << 18

_ROUNDING = 1e-12
"""What equal ranks may seem to vary by, as a share of how many values there are, squared."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How much a sample looks like an image.

    Parameters
    ----------
    implausible
        Share of the values that no instrument gives.
    coherence
        Rank correlation of neighbours, the lowest of those along bands, rows and columns; `None` where too few
        values differ to tell.
    largest
        The largest finite value, regardless of sign.
    """

    implausible: float
    coherence: float | None
    largest: float

    def __str__(self) -> str:
        alike = "" if self.coherence is None else f"neighbours correlate at {self.coherence:.2f}"
        odd = f"{self.implausible:.0%} of the values are implausible (up to {self.largest:.2g})"
        parts = [odd] if self.implausible > 0 else []
        return " and ".join([*parts, alike] if alike else parts) or "all values are plausible"


def judge(stored: NDArray[Any], *, nodata: float | int | None = None, spectral: bool = True) -> Looks:
    """How much windows of stored numbers look like an image.

    Parameters
    ----------
    stored : (window, band, row, column)
    nodata
        The stored number that means "no data".
    spectral
        Whether neighbouring bands should resemble each other, as those of a spectrum do.
    """
    stored = _thinned(stored)
    with np.errstate(invalid="ignore"):  # signalling NaN among numbers read wrongly
        values = stored.astype(np.float64, order="C")
    known = np.isfinite(values)
    if nodata is not None:
        known &= values != nodata
    return Looks(
        implausible=_count_odd(values, known, is_whole=stored.dtype.kind != "f") / values.size,
        coherence=_coherence(values, known, (1, 2, 3) if spectral else (2, 3)),
        largest=float(np.abs(values).max(where=known, initial=0)),
    )


def _count_odd(values: NDArray[np.float64], known: NDArray[np.bool_], *, is_whole: bool) -> int:
    """How many values no instrument gives."""
    if is_whole and values.min() >= -LARGEST and values.max() <= LARGEST:
        return 0
    size = np.abs(values)
    odd = known & (size > LARGEST)
    if not is_whole:
        odd |= known & (size > 0) & (size < SMALLEST)
        odd |= np.isinf(values)
    return int(np.count_nonzero(odd))


def _thinned(stored: NDArray[Any]) -> NDArray[Any]:
    """Fewer columns of each window, all its bands and rows."""
    per_column = stored[..., :1].size
    return stored[..., : max(8, _MOST_VALUES // per_column)]


def _coherence(values: NDArray[np.float64], known: NDArray[np.bool_], axes: tuple[int, ...]) -> float | None:
    if not known.any():
        return None
    position, count = _places_of(values.ravel() if known.all() else values[known])
    if np.count_nonzero(count) < FEWEST_PAIRS:
        return None
    ranks = np.full(values.shape, np.nan)
    # The middle of the places that equal values share, which makes the correlation Spearman's.
    places = np.cumsum(count) - count / 2 - count.sum() / 2
    places[count > COMMON * values.size] = np.nan
    ranks[known] = places[position]
    found = [_neighbour_correlation(ranks, axis) for axis in axes if ranks.shape[axis] > 1]
    told = [value for value in found if value is not None]
    return min(told) if told and len(told) == len(found) else None


def _places_of(values: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The place of each value among the distinct ones, ascending, and how often each of these is there.

    Whole numbers that lie close together are counted, which is faster than sorting them; those between them that are
    not there count 0.
    """
    least, most = values.min(), values.max()
    if most - least < values.size and (values == np.floor(values)).all():
        position = (values - least).astype(np.intp)
        return position, np.bincount(position)
    _, position, count = np.unique(values, return_inverse=True, return_counts=True)
    return position.ravel(), count


def _neighbour_correlation(ranks: NDArray[np.float64], axis: int) -> float | None:
    """Pearson's correlation of each rank with the next one along an axis.

    Parameters
    ----------
    ranks
        Counted from about their middle, so that little is lost where products are summed first.
    """
    earlier, later = (slice(None),) * axis + (slice(-1),), (slice(None),) * axis + (slice(1, None),)
    one, other = ranks[earlier], ranks[later]
    both = np.isfinite(one) & np.isfinite(other)
    pairs = int(np.count_nonzero(both))
    if pairs < FEWEST_PAIRS:
        return None
    if pairs < both.size:  # else spared: to pick them takes longer than all the rest
        one, other = one[both], other[both]
    means = one.mean(), other.mean()
    covariance = _sum_of_products(one, other) / pairs - means[0] * means[1]
    variances = (
        _sum_of_products(each, each) / pairs - mean * mean for each, mean in zip((one, other), means, strict=True)
    )
    spread = np.sqrt(math.prod(max(0.0, each) for each in variances))
    return float(covariance / spread) if spread > _ROUNDING * ranks.size**2 else None


def _sum_of_products(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    # Without the array of products; and not `@`: BLAS starts all its threads for a sum this short, and they get in
    # each other's way.
    letters = "abcd"[: one.ndim]
    return float(np.einsum(f"{letters},{letters}->", one, other))
