"""By how much hsigeo leads the best rival of each task, and how much of that the luck of the draws may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["BEHIND", "Lead", "count_by_luck", "find_lead"]

BEHIND = 1.0
"""Points by which a lead must be negative before a task counts as lost."""

CONFIDENCE = 0.975
"""Of a one-sided test whether a task is lost by more than luck."""


@dataclass(frozen=True, kw_only=True)
class Lead:
    """What hsigeo leads the best rival of a task by.

    Parameters
    ----------
    rival
        The one with the best mean over seeds, picked afterwards.
    points
        Mean over seeds of hsigeo less that rival.
    error
        Standard error of that mean; nan for a single seed.
    seeds
        How many differences it is the mean of.
    """

    rival: str
    points: float
    error: float
    seeds: int

    @property
    def lost(self) -> bool:
        """Whether hsigeo is behind by more than `BEHIND`."""
        return self.points < -BEHIND

    @property
    def lost_beyond_luck(self) -> bool:
        """Whether it is so, and other draws would hardly have made it level (Student's t)."""
        if not self.lost or self.seeds < 2:
            return False
        return bool(self.points < -stats.t.ppf(CONFIDENCE, self.seeds - 1) * self.error)


def find_lead(ours: Sequence[float], theirs: Mapping[str, Sequence[float]]) -> Lead:
    """The lead over the best of `theirs`, from accuracies in per cent by seed, the same seeds for all."""
    rival = max(theirs, key=lambda name: float(np.mean(theirs[name])))
    apart: NDArray[np.float64] = np.subtract(ours, theirs[rival])
    seeds = len(apart)
    error = float(apart.std(ddof=1)) / seeds**0.5 if seeds > 1 else float("nan")
    return Lead(rival=rival, points=float(apart.mean()), error=error, seeds=seeds)


def count_by_luck(leads: Sequence[Lead]) -> float:
    """How many tasks would be lost if hsigeo were truly level with the best rival on each; nan for a single seed.

    What is measured then scatters about 0 by its standard error, which is itself an estimate: Student's t. That the
    best rival is picked afterwards, with luck on its side, is not counted; it would make the number larger.
    """
    return float(sum(_chance_to_lose(lead) for lead in leads))


def _chance_to_lose(lead: Lead) -> float:
    if lead.error == 0.0:
        return 0.0
    return float(stats.t.sf(BEHIND / lead.error, lead.seeds - 1)) if lead.seeds > 1 else float("nan")
