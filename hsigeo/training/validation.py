"""What a model trained this way can be expected to do on ground it has not seen.

The same recipe is run on each fold's training part and asked about its test part. The spatially disjoint folds give
the figures to believe, the temperature that calibrates the probabilities, and the plain statement of how much better a
random split would have looked: the optimism gap.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hsigeo.calibration import choose_temperature, expected_calibration_error, reliability, soften
from hsigeo.intervals import AccuracyIntervals, measure_intervals, tally_units
from hsigeo.metrics import Accuracy, confusion_matrix
from hsigeo.model.novelty import decide_and_describe
from hsigeo.progress import Progress
from hsigeo.training.concurrent import run_all
from hsigeo.training.folds import Fold, FoldPlan, plan_disjoint_folds, plan_random_folds
from hsigeo.training.novelty import novelty_of
from hsigeo.training.recipes import Recipe
from hsigeo.training.samples import LabelledSpectra

__all__ = ["HeldOut", "Validation", "ask", "judge", "validate"]


RANDOM_FOLDS = 2
"""How many of the five random folds are trained: they serve one figure only, which nobody should use."""

BATCH = 1024
"""Pixels that go through the network at a time."""

_Answers = tuple[NDArray[np.float32], NDArray[np.float32] | None]

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
    unit
        (tested pixel,) which unit of ground it lies on, from 0.
    names
        Class names.
    distance
        (tested pixel,) float32, how far it lies from what its fold's model had learnt; `None` from a network that does
        not tell.
    """

    plan: FoldPlan
    logits: NDArray[np.float32]
    target: NDArray[np.int64]
    fold: NDArray[np.int64]
    unit: NDArray[np.intp]
    names: tuple[str, ...]
    distance: NDArray[np.float32] | None = None

    @property
    def accuracy(self) -> Accuracy:
        """Over all tested pixels together."""
        return _accuracy(self.logits, self.target, self.names)

    @property
    def intervals(self) -> AccuracyIntervals:
        """95 % confidence intervals, each unit of ground being one observation, about ground like that of the labels.

        They tell how far the figures could be off because only so many units were held out. That the folds' models
        share most of their training pixels, and so part of their errors, is not in them.
        """
        mapped = self.logits.argmax(axis=1) + 1
        shape = (int(self.unit.max(initial=-1)) + 1, len(self.names))
        return measure_intervals(self.accuracy, tally_units(self.target + 1, mapped, self.unit, shape=shape))

    @property
    def spread(self) -> float:
        """Standard deviation of the overall accuracy between folds; NaN with a single fold."""
        each = [self.accuracy_of(number).overall for number in np.unique(self.fold).tolist()]
        return float(np.std(each, ddof=1)) if len(each) > 1 else float("nan")

    def accuracy_of(self, fold: int) -> Accuracy:
        """Accuracy on one fold."""
        chosen = self.fold == fold
        return _accuracy(self.logits[chosen], self.target[chosen], self.names)


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
        Calibrates the probabilities; fitted on the disjoint answers; 1 where that does not carry over between folds.
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
        """Expected calibration error of the disjoint answers, without and with a temperature.

        The second is cross-fitted: each fold at the temperature that the other folds ask for. Where that helps nobody
        the temperature is 1, and both are the same.
        """
        held = self.disjoint
        before = expected_calibration_error(soften(held.logits, 1.0), held.target)
        return before, expected_calibration_error(self._calibrated, held.target)

    @property
    def reliability(self) -> dict[str, list[tuple[float, float, int]]]:
        """Mean confidence, share right and pixels in bins of confidence, ``before`` and (cross-fitted) ``after``."""
        held = self.disjoint
        return {
            "before": reliability(soften(held.logits, 1.0), held.target),
            "after": reliability(self._calibrated, held.target),
        }

    @functools.cached_property
    def _calibrated(self) -> NDArray[np.float64]:
        held = self.disjoint
        return choose_temperature(held.logits, held.target, held.fold)[1]

    @property
    def split(self) -> str:
        """The disjoint split in words: ``5 folds, disjoint by polygons``."""
        plan, units = self.disjoint.plan, _UNITS[self.disjoint.plan.kind]
        if len(plan.halved) == len(self.disjoint.names):
            units = f"halves of {units}"
        elif plan.halved:
            units += ", or halves of a class's only one"
        return f"{len(plan.folds)} folds, disjoint by {units}"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, the form that models and maps store."""
        before, after = self.calibration_error
        return {
            "split": self.split,
            "notes": list(self.disjoint.plan.notes),
            "halved": list(self.disjoint.plan.halved),
            "disjoint": self.disjoint.accuracy.to_json(),
            "confidence_intervals": self.disjoint.intervals.to_json(self.disjoint.names),
            "disjoint_spread": None if np.isnan(self.disjoint.spread) else self.disjoint.spread,
            "random_split_optimistic": {
                "overall_accuracy": self.random.accuracy.overall,
                "average_accuracy": self.random.accuracy.average,
            },
            "optimism_gap": self.optimism_gap,
            "expected_calibration_error": {"before": before, "after": after, "after_is": "cross-fitted"},
            "reliability": {name: [list(line) for line in table] for name, table in self.reliability.items()},
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
    plans[1] = replace(plans[1], folds=plans[1].folds[:RANDOM_FOLDS])
    total = sum(len(plan.folds) for plan in plans)
    done = 0

    def count_one() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    jobs = [partial(_ask_fold, samples, recipe, fold, seed) for plan in plans for fold in plan.folds]
    answers = []
    for found in run_all(jobs):
        answers.append(found)
        count_one()
    split = len(plans[0].folds)
    disjoint, random = _held_out(samples, plans[0], answers[:split]), _held_out(samples, plans[1], answers[split:])
    temperature, _ = choose_temperature(disjoint.logits, disjoint.target, disjoint.fold)
    return Validation(disjoint=disjoint, random=random, temperature=temperature)


def judge(
    samples: LabelledSpectra, recipe: Recipe, train: NDArray[np.intp], test: NDArray[np.intp], *, seed: int
) -> Accuracy:
    """Accuracy on the pixels `test` of a model trained on the pixels `train`."""
    network = recipe(samples.training_part(train, test), seed=seed).network
    return _accuracy(ask(network, samples.spectra[test]), samples.class_index[test], samples.classes.names)


def _accuracy(logits: NDArray[np.float32], target: NDArray[np.int64], names: tuple[str, ...]) -> Accuracy:
    return Accuracy(names=names, confusion=confusion_matrix(target + 1, logits.argmax(axis=1) + 1, len(names)))


def _held_out(samples: LabelledSpectra, plan: FoldPlan, answers: list[_Answers]) -> HeldOut:
    tested = np.concatenate([fold.test for fold in plan.folds])
    distances = [distance for _, distance in answers if distance is not None]
    return HeldOut(
        plan=plan,
        logits=np.concatenate([logits for logits, _ in answers]),
        target=samples.class_index[tested],
        fold=np.repeat(np.arange(len(plan.folds)), [len(fold.test) for fold in plan.folds]),
        unit=plan.unit[tested],
        names=samples.classes.names,
        distance=np.concatenate(distances) if len(distances) == len(plan.folds) else None,
    )


def _ask_fold(samples: LabelledSpectra, recipe: Recipe, fold: Fold, seed: int) -> _Answers:
    """Logits and distances of a fold's test pixels from a model trained on the others."""
    part = samples.training_part(fold.train, fold.test)
    network = recipe(part, seed=seed).network
    novelty = novelty_of(network, part)
    with torch.inference_mode():
        batches = torch.split(torch.from_numpy(samples.spectra[fold.test]), BATCH)
        if novelty is None:
            return torch.cat([network(batch) for batch in batches]).numpy(), None
        found = [decide_and_describe(network, batch) for batch in batches]
        description = torch.cat([described for _, described in found if described is not None])
        return torch.cat([logits for logits, _ in found]).numpy(), novelty.distance(description).numpy()


def ask(network: nn.Module, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits (pixel, class) of spectra, a batch at a time."""
    with torch.inference_mode():
        parts = [network(part) for part in torch.split(torch.from_numpy(spectra), BATCH)]
    return np.asarray(torch.cat(parts).numpy())
