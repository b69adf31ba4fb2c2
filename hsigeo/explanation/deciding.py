"""From evidence by band to the few stretches of the spectrum that carry a decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable

__all__ = ["Stretch", "deciding_bands", "deciding_stretches"]

SHARE = 0.5
"""Bands are named, strongest first, until they hold this share of what speaks for the class."""

MOST_BANDS = 0.25
"""Never more than this share of the bands: what is everywhere is no reason."""

WIDEST_STEP = 3.0
"""Bands further apart than so many times the usual step are no neighbours."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Neighbouring bands that speak for a class.

    Parameters
    ----------
    first, last
        Of the wavelengths, nm; band numbers from 1 for a model without wavelengths.
    evidence
        Log-odds that the bands contribute together.
    share
        The same, of all that speaks for the class.
    """

    first: float
    last: float
    evidence: float
    share: float

    def __str__(self) -> str:
        return f"{self.first:.0f}-{self.last:.0f} ({self.share:.0%})"


def deciding_bands(evidence: NDArray[np.float32], share: float = SHARE) -> NDArray[np.intp]:
    """Positions of the bands with the strongest evidence for the class, ascending; none where nothing speaks for it."""
    positive = evidence.clip(min=0)
    order = np.argsort(-positive, kind="stable")
    total = float(positive.sum())
    if total <= 0:
        return np.empty(0, dtype=np.intp)
    reached = np.cumsum(positive[order]) >= share * total
    count = min(int(np.argmax(reached)) + 1, max(1, int(MOST_BANDS * len(evidence))))
    return np.sort(order[:count])


def deciding_stretches(evidence: NDArray[np.float32], bands: BandTable) -> tuple[Stretch, ...]:
    """The deciding bands, neighbours joined, strongest first.

    Parameters
    ----------
    evidence : (band,)
        For a class, in log-odds.
    """
    place = bands.axis
    chosen = deciding_bands(evidence)
    total = float(evidence.clip(min=0).sum())
    # Neighbours in the file, but not across what was left out between them, such as the water vapour.
    step = np.abs(np.diff(place[chosen]))
    usual = float(np.median(np.abs(np.diff(place)))) if bands.count > 1 else 1.0
    apart = (np.diff(chosen) > 1) | (step > WIDEST_STEP * usual)
    stretches = []
    for run in np.split(chosen, np.flatnonzero(apart) + 1):
        if len(run):
            amount = float(evidence[run].sum())
            stretches.append(
                Stretch(
                    first=float(place[run].min()),
                    last=float(place[run].max()),
                    evidence=amount,
                    share=amount / total,
                )
            )
    return tuple(sorted(stretches, key=lambda stretch: -stretch.evidence))
