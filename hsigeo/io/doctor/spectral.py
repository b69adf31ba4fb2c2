"""Checks of the bands: their wavelengths, and whether they hold data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.io.band_text import describe_bands
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.envi.header_text import format_list

__all__ = ["check_bands", "check_wavelengths", "may_be_inverted"]

WATER_VAPOUR_NM = ((1340.0, 1445.0), (1790.0, 1955.0))
"""Where the air lets nothing through: the ``Band_Window_…_Nanometers`` of NEON's reflectance files."""

MOST_BREAKS = 3
"""Spectrometers are put together of up to four detectors; a list that turns back more often is no such thing."""

FEWEST_PIXELS = 16


def check_wavelengths(bands: BandTable) -> list[Finding]:
    """Duplicated wavelengths, wavelengths in no order, and detectors that overlap."""
    if bands.wavelength is None or bands.count < 2:
        return []
    return [*_duplicates(bands.wavelength), *_order(bands.wavelength)]


def check_bands(bands: BandTable, values: NDArray[np.float32]) -> list[Finding]:
    """A bad-band list the wrong way round, and bands without any signal that no list marks as bad.

    Parameters
    ----------
    values : (band, pixel) reflectance, NaN where there is no data
    """
    seen = np.isfinite(values)
    pixels = int(seen.any(axis=0).sum())
    if pixels < FEWEST_PIXELS or bands.count < 2:
        return []
    dead = _find_dead(values, seen)
    if inverted := _inverted_list(bands, dead):
        return [inverted]
    return _dead_bands(bands, dead, pixels)


def may_be_inverted(bands: BandTable) -> bool:
    """Whether the bad-band list could be the wrong way round: it then calls few bands good."""
    return bands.wavelength is not None and 0 < 2 * int(bands.good.sum()) < bands.count


@dataclass(frozen=True, kw_only=True, eq=False)
class _Dead:
    """(band,) bool each: bands with no data at all, with zeros only, with one other number only."""

    empty: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    constant: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        return self.empty | self.zero | self.constant


def _find_dead(values: NDArray[np.float32], seen: NDArray[np.bool_]) -> _Dead:
    low = np.where(seen, values, np.inf).min(axis=1)
    high = np.where(seen, values, -np.inf).max(axis=1)
    empty: NDArray[np.bool_] = np.asarray(~seen.any(axis=1))
    constant = ~empty & (low == high)
    return _Dead(empty=empty, zero=constant & (low == 0), constant=constant & (low != 0))


def _dead_bands(bands: BandTable, dead: _Dead, pixels: int) -> list[Finding]:
    unmarked = bands.good & dead.any
    if not unmarked.any() or dead.any.all():
        return []
    said = [
        f"{'bands' if marked.sum() > 1 else 'band'} {_numbers(marked)} {what}"
        for marked, what in (
            (bands.good & dead.empty, "without any data"),
            (bands.good & dead.zero, "that are 0 throughout"),
            (bands.good & dead.constant, "with the same number throughout"),
        )
        if marked.any()
    ]
    good = bands.good & ~dead.any
    consequence = " (every pixel would count as invalid)" if (bands.good & dead.empty).any() else ""
    return [
        Finding(
            code="dead-bands",
            severity="warning",
            message=f"in {pixels} sampled pixels there are {' and '.join(said)}, not marked as bad{consequence}",
            remedy="mark them as bad (bbl = 0)",
            changes={"bbl": _as_list(good)},
        )
    ]


def _inverted_list(bands: BandTable, dead: _Dead) -> Finding | None:
    """A list in which 1 means bad: then the few "good" bands are those of water vapour and dead detectors."""
    if bands.wavelength is None or not may_be_inverted(bands):
        return None
    good, bad = bands.good, ~bands.good
    useless = dead.any.copy()
    for first, last in WATER_VAPOUR_NM:
        useless |= (bands.wavelength >= first) & (bands.wavelength <= last)
    if useless[good].mean() < 0.5 or useless[bad].mean() > 0.2:
        return None
    return Finding(
        code="bbl-inverted",
        severity="error",
        message=(
            f"the bad-band list seems to be inverted: of {good.sum()} bands it calls good, {useless[good].sum()} "
            f"lie in water vapour (1340-1445, 1790-1955 nm) or are dead; of {bad.sum()} it calls bad, "
            f"{useless[bad].sum()} do"
        ),
        remedy="in 'bbl', 1 means good: swap 0 and 1",
        changes={"bbl": _as_list(bad)},
    )


def _duplicates(wavelength: NDArray[np.float64]) -> list[Finding]:
    values, counts = np.unique(wavelength, return_counts=True)
    repeated = values[counts > 1]
    if not len(repeated):
        return []
    shown = "; ".join(f"{value:g} nm: bands {_numbers(wavelength == value)}" for value in repeated[:3])
    more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""
    message = f"{'wavelengths stand' if len(repeated) > 1 else 'a wavelength stands'} more than once ({shown}{more})"
    # Where detectors overlap, two bands may well have the same centre.
    breaks = np.flatnonzero(np.diff(wavelength) < 0) if wavelength[-1] > wavelength[0] else np.empty(0, dtype=np.intp)
    pairs = [np.flatnonzero(wavelength == value) for value in repeated]
    if 0 < len(breaks) <= MOST_BREAKS and all(any(pair[0] <= at < pair[-1] for at in breaks) for pair in pairs):
        return [Finding(code="duplicate-wavelengths", severity="note", message=f"{message}, in two detectors each")]
    return [
        Finding(
            code="duplicate-wavelengths",
            severity="warning",
            message=message,
            remedy="mark all but one of each as bad (bbl = 0), or correct the list",
        )
    ]


def _order(wavelength: NDArray[np.float64]) -> list[Finding]:
    """Where the list turns back; a list that descends throughout is in order."""
    steps = np.diff(wavelength)
    breaks = np.flatnonzero(steps < 0) if (steps > 0).sum() >= (steps < 0).sum() else np.flatnonzero(steps > 0)
    if not len(breaks):
        return []
    if len(breaks) > MOST_BREAKS or len(wavelength) < 3 * (len(breaks) + 1):
        first = breaks[0]
        return [
            Finding(
                code="unsorted-wavelengths",
                severity="warning",
                message=(
                    f"the wavelengths are not sorted: they go back {len(breaks)} times, first from band {first + 1} "
                    f"({wavelength[first]:g} nm) to band {first + 2} ({wavelength[first + 1]:g} nm)"
                ),
                remedy="check that the list belongs to this file; hsigeo uses it as it is",
            )
        ]
    overlaps = [
        f"bands {index + 1} and {index + 2} ({min(wavelength[index : index + 2]):g}-"
        f"{max(wavelength[index : index + 2]):g} nm)"
        for index in breaks
    ]
    return [
        Finding(
            code="detector-overlap",
            severity="note",
            message=f"the wavelengths of two detectors overlap between {', '.join(overlaps)}",
            remedy="nothing to do: hsigeo matches bands by wavelength, in any order",
        )
    ]


def _numbers(marked: NDArray[np.bool_]) -> str:
    numbers: Sequence[int] = (np.flatnonzero(marked) + 1).tolist()
    return describe_bands(numbers)


def _as_list(good: NDArray[np.bool_]) -> str:
    return format_list([str(int(value)) for value in good])
