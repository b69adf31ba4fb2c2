"""The recipe for training each variant."""

from __future__ import annotations

from typing import Protocol

from hsigeo.progress import Progress
from hsigeo.training.consensus import train_consensus
from hsigeo.training.gated import train_gated
from hsigeo.training.plain import train_plain
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.trained import Trained

__all__ = ["RECIPES", "Recipe"]


class Recipe(Protocol):
    """From labelled spectra to a trained network."""

    def __call__(self, samples: LabelledSpectra, *, seed: int, progress: Progress | None = None) -> Trained:
        """Train; the same samples and seed give the same network."""


RECIPES: dict[str, Recipe] = {"consensus": train_consensus, "gated": train_gated, "plain": train_plain}
"""One for every entry of `hsigeo.model.VARIANTS`."""
