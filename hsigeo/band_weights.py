"""What a band of one sensor is in the bands of another: weights, by centre and width.

The rules, for each target band:

1. *same*: a band with the same centre (within a tenth of the sampling interval) and about the same width is taken.
2. *averaged*: where the bands are clearly narrower than the target and lie close, they are averaged under a Gaussian
   that widens them to the target's width: this is what the target's sensor would have seen.
3. *interpolated*: otherwise the two neighbours are interpolated linearly, if they lie close enough to each other.
4. *missing* otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable

__all__ = ["BandWeights", "Kind", "weigh_bands"]

SAME_CENTRE = 0.1
"""Two centres are the same when they differ by less than this share of the sampling interval."""

NARROWER = 0.7
"""A band narrower than this share of the target is a piece of it, not a stand-in for it."""

WIDEST_GAP_NM = 30.0
"""Neighbours this far apart may still be interpolated between, whatever the target's own sampling is."""

GAP_IN_INTERVALS = 2.5
"""… and so may neighbours this many of the target's own sampling intervals apart."""

DEFAULT_INTERVAL_NM = 10.0
"""The sampling interval of a table of one wavelength."""

ODD_INTERVAL = 3.0
"""A sampling interval this many times the file's usual one, or this part of it, comes from the order of the bands."""

FWHM_TO_SIGMA = 1 / 2.354820045

Array = NDArray[np.float64]


class Kind(IntEnum):
    """By which rule a target band is made."""

    MISSING = 0
    INTERPOLATED = 1
    AVERAGED = 2
    SAME = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class BandWeights:
    """Target bands out of source bands.

    Parameters
    ----------
    weights
        (target, source) float64, rows summing to 1; 0 where the target is missing.
    kind
        (target,) `Kind`.
    """

    weights: Array
    kind: NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sources:
    """The good source bands in order of wavelength: centres and widths in nm, and their positions in the file."""

    centre: Array
    width: Array
    position: NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class _Target:
    """A target band: centre, width and sampling interval in nm, and how many before it have the same centre."""

    centre: float
    width: float
    interval: float
    occurrence: int


def weigh_bands(target: BandTable, source: BandTable) -> BandWeights:
    """Weights that make the target's bands out of the source's good ones; both have wavelengths."""
    centre, position = _wavelengths(source), np.argsort(_wavelengths(source), kind="stable")
    position = position[source.good[position]]
    sources = _Sources(
        centre=centre[position], width=band_widths(centre, source.fwhm)[position], position=position.astype(np.intp)
    )
    wanted = _wavelengths(target)
    widths, intervals, occurrence = band_widths(wanted, target.fwhm), _intervals(wanted), _occurrences(wanted)
    weights, kind = np.zeros((target.count, source.count)), np.zeros(target.count, dtype=np.intp)
    for k in range(target.count if len(position) else 0):
        band = _Target(centre=wanted[k], width=widths[k], interval=intervals[k], occurrence=int(occurrence[k]))
        kind[k], row = _weigh(band, sources)
        weights[k, position] = row
    return BandWeights(weights=weights, kind=kind)


def band_widths(wavelength: Array, fwhm: Array | None) -> Array:
    """Band widths, nm; the sampling interval stands in for a width that is unknown or not positive."""
    intervals = _intervals(wavelength)
    return intervals if fwhm is None else np.where(np.isfinite(fwhm) & (fwhm > 0), fwhm, intervals)


def _weigh(target: _Target, sources: _Sources) -> tuple[Kind, Array]:
    centres, row = sources.centre, np.zeros(len(sources.centre))
    distance = np.abs(centres - target.centre)
    nearest = _nearest(distance, target, sources)
    offset = float(distance[nearest])
    is_narrower = sources.width[nearest] < NARROWER * target.width
    if offset <= SAME_CENTRE * min(target.interval, target.width) and not is_narrower:
        row[nearest] = 1.0
        return Kind.SAME, row
    if is_narrower and (inside := _inside(target, centres)) is not None:
        # Widths of Gaussians add in squares; the source's bands already are that wide.
        sigma = FWHM_TO_SIGMA * np.sqrt(target.width**2 - sources.width[nearest] ** 2)
        gaussian = np.exp(-0.5 * (distance[inside] / sigma) ** 2)
        row[inside] = gaussian / gaussian.sum()
        return Kind.AVERAGED, row
    upper = int(np.searchsorted(centres, target.centre))
    if upper in (0, len(centres)):
        # Just past the end of the range: half a band is still mostly the same light.
        if offset > target.width / 2:
            return Kind.MISSING, row
        row[nearest] = 1.0
        return Kind.INTERPOLATED, row
    gap = centres[upper] - centres[upper - 1]
    if gap > max(WIDEST_GAP_NM, GAP_IN_INTERVALS * target.interval):
        return Kind.MISSING, row
    row[upper] = (target.centre - centres[upper - 1]) / gap
    row[upper - 1] = 1 - row[upper]
    return Kind.INTERPOLATED, row


def _nearest(distance: Array, target: _Target, sources: _Sources) -> int:
    """The nearest source band; of several detectors' bands at one centre, the one in the same place among them."""
    ties = np.flatnonzero(distance <= distance.min() + 1e-9)
    return int(ties[np.argsort(sources.position[ties])][min(target.occurrence, len(ties) - 1)])


def _inside(target: _Target, centres: Array) -> NDArray[np.bool_] | None:
    """The bands that make up a wider one, if they lie close enough and reach both of its sides."""
    inside = np.abs(centres - target.centre) <= target.width
    reaches = centres[0] <= target.centre - target.width / 2 and centres[-1] >= target.centre + target.width / 2
    close = reaches and inside.sum() >= 4 and np.diff(centres[inside]).max() <= target.width / 2
    return inside if close else None


def _wavelengths(bands: BandTable) -> Array:
    if bands.wavelength is None:
        raise ValueError("bands without wavelengths cannot be weighed; match them by position")
    return bands.wavelength


def _intervals(wavelength: Array) -> Array:
    """Local sampling interval, nm: the distance to the nearer neighbour within the same detector.

    Detectors overlap: in EnMAP files the wavelengths start anew at 900 nm, in AVIRIS files at every spectrometer. A
    band of the other detector may lie a fraction of a nanometre away, which is no sampling interval. So neighbours
    are looked for in runs of the file's own order that ascend (or descend, if the whole file does).
    """
    ascending = wavelength if wavelength[-1] >= wavelength[0] else -wavelength
    steps = np.where(np.diff(ascending) > 0, np.diff(ascending), np.inf)
    nearer = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    distinct = np.unique(wavelength)
    usual = float(np.median(np.diff(distinct))) if len(distinct) > 1 else DEFAULT_INTERVAL_NM
    # Files whose bands are in no order at all, or sorted across detectors, have intervals that mean nothing.
    return np.where(np.isfinite(nearer), nearer, usual).clip(usual / ODD_INTERVAL, usual * ODD_INTERVAL)


def _occurrences(wavelength: Array) -> NDArray[np.intp]:
    """(band,) how many earlier bands have the same centre."""
    seen: dict[float, int] = {}
    count = []
    for centre in wavelength.tolist():
        count.append(seen.get(centre, 0))
        seen[centre] = count[-1] + 1
    return np.asarray(count, dtype=np.intp)
