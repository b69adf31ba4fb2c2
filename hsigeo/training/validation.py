"""What a model trained this way can be expected to do on ground it has not seen.

The same recipe is run on each fold's training part and asked about its test part. The spatially disjoint folds give
the figures to believe, the temperature that calibrates the probabilities, and the plain statement of how much better a
random split would have looked: the optimism gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsigeo.calibration import expected_calibration_error, fit_temperature, soften
from hsigeo.metrics import Accuracy, confusion_matrix
from hsigeo.training.folds import FoldPlan, plan_disjoint_folds, plan_random_folds
from hsigeo.training.recipes import Recipe
from hsigeo.training.samples import LabelledSpectra

__all__ = ["HeldOut", "Validation", "validate"]

Progress = Callable[[int, int], None]

_UNITS = {"polygon": "polygons", "scene": "scenes", "block": "blocks with a buffer", "pixel": "pixels"}


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """Answers about pixels that were not in the training set of the model that gave them.

    Parameters
    ----------
    plan
        How the pixels were split.
    logits
        (tested pixel, class) float32.
    target
        (tested pixel,) class index.
    fold
        (tested pixel,) which fold tested it.
    names
        Class names.
    """

    plan: FoldPlan
    logits: NDArray[np.float32]
    target: NDArray[np.int64]
    fold: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def accuracy(self) -> Accuracy:
        """Over all tested pixels together."""
        return self._accuracy_of(np.ones(len(self.target), dtype=bool))

    @property
    def spread(self) -> float:
        """Standard deviation of the overall accuracy between folds; NaN with a single fold."""
        each = [self._accuracy_of(self.fold == number).overall for number in np.unique(self.fold)]
        return float(np.std(each, ddof=1)) if len(each) > 1 else float("nan")

    def _accuracy_of(self, chosen: NDArray[np.bool_]) -> Accuracy:
        mapped = self.logits[chosen].argmax(axis=1) + 1
        matrix = confusion_matrix(self.target[chosen] + 1, mapped, len(self.names))
        return Accuracy(names=self.names, confusion=matrix)


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """Spatially disjoint and random-split results of the same recipe, side by side.

    Parameters
    ----------
    disjoint
        The figures to believe.
    random
        The optimistic ones.
    temperature
        Calibrates the probabilities; fitted on the disjoint answers.
    """

    disjoint: HeldOut
    random: HeldOut
    temperature: float

    @property
    def optimism_gap(self) -> float:
        """How much overall accuracy a random split would have promised beyond the disjoint one."""
        return self.random.accuracy.overall - self.disjoint.accuracy.overall

    @property
    def calibration_error(self) -> tuple[float, float]:
        """Expected calibration error before and after applying the temperature, on the disjoint answers."""
        held = self.disjoint
        before, after = (
            expected_calibration_error(soften(held.logits, temperature), held.target)
            for temperature in (1.0, self.temperature)
        )
        return before, after

    @property
    def split(self) -> str:
        """The disjoint split in words: ``5 folds, disjoint by polygons``."""
        return f"{len(self.disjoint.plan.folds)} folds, disjoint by {_UNITS[self.disjoint.plan.kind]}"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, the form that models and maps store."""
        before, after = self.calibration_error
        return {
            "split": self.split,
            "notes": list(self.disjoint.plan.notes),
            "disjoint": self.disjoint.accuracy.to_json(),
            "disjoint_spread": None if np.isnan(self.disjoint.spread) else self.disjoint.spread,
            "random_split_optimistic": {
                "overall_accuracy": self.random.accuracy.overall,
                "average_accuracy": self.random.accuracy.average,
            },
            "optimism_gap": self.optimism_gap,
            "expected_calibration_error": {"before": before, "after": after},
        }


def validate(
    samples: LabelledSpectra, recipe: Recipe, *, seed: int, progress: Progress | None = None
) -> Validation | None:
    """Cross-validate a recipe on disjoint and on random folds.

    Parameters
    ----------
    seed
        Of folds and training.
    progress
        Called with (models trained, models in all).

    Returns
    -------
    Validation or None
        `None` where the labels cannot be split: fewer than two units of ground, or a single pixel in every class.
    """
    plans = [plan_disjoint_folds(samples, seed=seed), plan_random_folds(samples, seed=seed)]
    if any(len(plan.folds) < 2 for plan in plans):
        return None
    total = sum(len(plan.folds) for plan in plans)
    done = 0

    def count_one() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    disjoint, random = (_hold_out(samples, recipe, plan, seed, count_one) for plan in plans)
    return Validation(disjoint=disjoint, random=random, temperature=fit_temperature(disjoint.logits, disjoint.target))


def _hold_out(
    samples: LabelledSpectra, recipe: Recipe, plan: FoldPlan, seed: int, count_one: Callable[[], None]
) -> HeldOut:
    logits = []
    for fold in plan.folds:
        network = recipe(samples.take(fold.train), seed=seed).network
        with torch.inference_mode():
            logits.append(network(torch.from_numpy(samples.spectra[fold.test])).numpy())
        count_one()
    tested = np.concatenate([fold.test for fold in plan.folds])
    return HeldOut(
        plan=plan,
        logits=np.concatenate(logits),
        target=samples.class_index[tested],
        fold=np.repeat(np.arange(len(plan.folds)), [len(fold.test) for fold in plan.folds]),
        names=samples.classes.names,
    )
