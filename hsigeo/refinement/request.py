"""A refinement as one value: what to do to a map; nothing by default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsigeo.classes import ClassTable
from hsigeo.refinement.changes import ClassChange, Recoding
from hsigeo.refinement.rows import Certainty
from hsigeo.refinement.thresholds import NO_THRESHOLDS, Thresholds

__all__ = ["LARGEST_RADIUS", "Refinement", "Smoothing"]

LARGEST_RADIUS = 50
LARGEST_STRENGTH = 20.0
MOST_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """A spatial prior over the probabilities (`hsigeo.refinement.smoothing`).

    Parameters
    ----------
    strength
        What neighbours that are all sure of one class, with no edge between, add to the log-odds of it.
    rounds
        How far in pixels the prior reaches. Five were no more accurate than three
        (``python -m benchmarks.smoothing --development``).
    scene
        Where to see edges: between spectra of different shape. Without it, between different probabilities.

    Raises
    ------
    ValueError
        A value is out of range.
    """

    strength: float
    rounds: int = 3
    scene: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.strength <= LARGEST_STRENGTH:
            raise ValueError(f"the strength of smoothing goes up to {LARGEST_STRENGTH:g}; {self.strength:g} is not")
        if not 1 <= self.rounds <= MOST_ROUNDS:
            raise ValueError(f"smoothing takes 1 to {MOST_ROUNDS} rounds; {self.rounds} is not")


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """What to do; nothing by default.

    Parameters
    ----------
    changes
        To the classes.
    thresholds
        Pixels of which the model was less sure get no class.
    probabilities, confidence
        Layers of the map. With probabilities, those of merged classes are added, and the highest sum decides.
    smoothing
        Of the probabilities; `None` for none.
    radius
        Of the majority filter, pixels; its window is ``2 * radius + 1`` wide.
    clump_radius
        Of the closing, likewise.
    clumped
        Names or ids of the new map's classes that are closed; empty for all.
    smallest_patch
        Patches of fewer pixels go to the largest patch beside them.
    diagonal
        Whether pixels that touch at a corner are of one patch.

    Raises
    ------
    ValueError
        A value is out of range.
    """

    changes: tuple[ClassChange, ...] = ()
    thresholds: Thresholds = NO_THRESHOLDS
    probabilities: Path | None = None
    confidence: Path | None = None
    smoothing: Smoothing | None = None
    radius: int = 0
    clump_radius: int = 0
    clumped: tuple[str, ...] = ()
    smallest_patch: int = 0
    diagonal: bool = False

    def __post_init__(self) -> None:
        for radius, what in ((self.radius, "majority filter"), (self.clump_radius, "closing")):
            if not 0 <= radius <= LARGEST_RADIUS:
                raise ValueError(f"the radius of the {what} goes up to {LARGEST_RADIUS} pixels; {radius} is not")
        if self.smallest_patch < 0:
            raise ValueError(f"a patch has at least one pixel; {self.smallest_patch} is no size")

    def steps(self, before: ClassTable, recoding: Recoding, certainty: Certainty | None) -> list[dict[str, Any]]:
        """What is done, as JSON values, in order."""
        steps: list[dict[str, Any]] = []
        if self.changes:
            steps.append({"operation": "classes", "changes": recoding.to_json(before)})
        if certainty is not None:
            steps.append({"operation": certainty.kind, "file": certainty.path.name, **self.thresholds.to_json()})
        if self.smoothing is not None:
            scene = self.smoothing.scene
            edges = "probabilities" if scene is None else scene.name
            done = {"strength": self.smoothing.strength, "rounds": self.smoothing.rounds, "edges": edges}
            steps.insert(len(steps) - 1, {"operation": "smoothing", **done})
        if self.radius:
            steps.append({"operation": "majority", "radius": self.radius})
        if self.clump_radius:
            chosen = {"classes": list(self.clumped)} if self.clumped else {}
            steps.append({"operation": "clump", "radius": self.clump_radius, **chosen})
        if self.smallest_patch > 1:
            neighbours = 8 if self.diagonal else 4
            steps.append({"operation": "sieve", "smallest_patch": self.smallest_patch, "neighbours": neighbours})
        return steps
