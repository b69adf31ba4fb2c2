"""What each component of the default contributes: trained with and without it on the same pixels, with the same seeds.

Every comparison is paired: the default and the network without a component learn from the same training pixels and
are asked about the same test pixels, damaged alike where they are damaged. A contribution is the mean difference over
these trials, its spread their standard deviation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import TrainingError
from hsigeo.metrics import Accuracy, confusion_matrix
from hsigeo.progress import Progress
from hsigeo.training.components import WHOLE, Component
from hsigeo.training.damage import damage_spectra
from hsigeo.training.fit import seeded
from hsigeo.training.folds import plan_disjoint_folds
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.validation import ask

__all__ = [
    "CLEAN",
    "Ablation",
    "Contribution",
    "Fit",
    "Score",
    "Trial",
    "ablate",
    "plan_trials",
    "score_on",
    "score_records",
]

CLEAN = "clean"
"""The test spectra as they are, among the names of damages."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """Pixels to learn from and pixels to be asked about; no ground is in both.

    Parameters
    ----------
    task
        Where they are from; trials of one task are alike.
    seed
        Of training and of damages.
    fold
        Which part of the task is tested.
    train
        Training pixels.
    test
        Test pixels, of the same classes and bands.
    """

    task: str
    seed: int
    fold: int
    train: LabelledSpectra
    test: LabelledSpectra


@dataclass(frozen=True, kw_only=True)
class Score:
    """Overall and average accuracy, 0-1."""

    overall: float
    average: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """One network of one trial.

    Parameters
    ----------
    component
        What was taken out; ``default`` if nothing.
    trial
        Position of the trial, from 0.
    seconds
        Processor time of training. Other programs' work is not in it.
    scores
        By condition: `CLEAN`, or the name of a damage.
    """

    component: str
    trial: int
    seconds: float
    scores: dict[str, Score]


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """The default less the network without a component, over all trials.

    Parameters
    ----------
    overall, overall_spread, average, average_spread
        Mean and standard deviation over trials of the difference in accuracy, 0-1. A spread of one trial is NaN.
    better, worse
        Trials in which overall accuracy is higher, or lower, with the component.
    """

    overall: float
    overall_spread: float
    average: float
    average_spread: float
    better: int
    worse: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Ablation:
    """Everything that was measured.

    Parameters
    ----------
    components
        What was taken out, one at a time.
    conditions
        What was tested on: `CLEAN` and damages.
    trials
        Task, seed and fold of each trial.
    fits
        One for the default and each component in each trial.
    """

    components: tuple[Component, ...]
    conditions: tuple[str, ...]
    trials: tuple[tuple[str, int, int], ...]
    fits: tuple[Fit, ...]

    def scores(self, component: str, condition: str = CLEAN) -> NDArray[np.float64]:
        """(trial, 2) overall and average accuracy."""
        found = {fit.trial: fit.scores[condition] for fit in self.fits if fit.component == component}
        return np.array([(found[trial].overall, found[trial].average) for trial in range(len(self.trials))])

    def seconds(self, component: str) -> float:
        """Mean processor time of a fit."""
        return float(np.mean([fit.seconds for fit in self.fits if fit.component == component]))

    def contribution(self, component: str, condition: str = CLEAN) -> Contribution:
        """What a component is worth on test spectra in some condition."""
        gain = self.scores(WHOLE.name, condition) - self.scores(component, condition)  # (trial, 2)
        mean = gain.mean(axis=0)
        spread = gain.std(axis=0, ddof=1) if len(gain) > 1 else np.full(2, np.nan)
        return Contribution(
            overall=float(mean[0]),
            overall_spread=float(spread[0]),
            average=float(mean[1]),
            average_spread=float(spread[1]),
            better=int((gain[:, 0] > 0).sum()),
            worse=int((gain[:, 0] < 0).sum()),
        )

    def summary(self) -> dict[str, Any]:
        """What each component contributes in each condition, as plain JSON values."""
        return {
            "trials": len(self.trials),
            "default": {name: self.scores(WHOLE.name, name).mean(axis=0).tolist() for name in self.conditions},
            "components": [
                {
                    "name": each.name,
                    "contributes": each.contributes,
                    "instead": each.instead,
                    "training_seconds": self.seconds(WHOLE.name) - self.seconds(each.name),
                    "contribution": {
                        name: _without_nan(asdict(self.contribution(each.name, name))) for name in self.conditions
                    },
                }
                for each in self.components
            ],
        }

    def records(self) -> list[dict[str, Any]]:
        """Every score as one flat record, the form for CSV files and JSON."""
        return [
            {"component": fit.component, **record, "training_seconds": fit.seconds}
            for fit in self.fits
            for record in score_records(self.trials[fit.trial], fit.scores)
        ]


def score_records(trial: tuple[str, int, int], scores: Mapping[str, Score]) -> list[dict[str, Any]]:
    """The scores of one network, one record for each condition, with the task, seed and fold of its trial."""
    task, seed, fold = trial
    return [
        {
            "task": task,
            "seed": seed,
            "fold": fold,
            "condition": condition,
            "overall_accuracy": score.overall,
            "average_accuracy": score.average,
        }
        for condition, score in scores.items()
    ]


def plan_trials(samples: LabelledSpectra, *, seeds: int, folds: int) -> tuple[Trial, ...]:
    """Spatially disjoint folds of labelled spectra, dealt anew for each seed.

    Raises
    ------
    TrainingError
        The labels lie on a single piece of ground.
    """
    trials = []
    for seed in range(seeds):
        plan = plan_disjoint_folds(samples, count=folds, seed=seed)
        if len(plan.folds) < 2:
            raise TrainingError(f"the labels are a single {plan.kind}, which cannot be split; give more of them")
        for number, fold in enumerate(plan.folds):
            trials.append(
                Trial(
                    task=f"folds by {plan.kind}",
                    seed=seed,
                    fold=number,
                    train=samples.training_part(fold.train, fold.test),
                    test=samples.take(fold.test),
                )
            )
    return tuple(trials)


def ablate(
    trials: Sequence[Trial],
    components: Iterable[Component],
    *,
    damages: Iterable[str] = (),
    progress: Progress | None = None,
) -> Ablation:
    """Train the default and the default without each component, in every trial.

    Parameters
    ----------
    damages
        Names of `hsigeo.training.damage.DAMAGES` that test spectra also suffer.
    progress
        Called with (networks trained, networks in all).
    """
    components, conditions = tuple(components), (CLEAN, *damages)
    fits: list[Fit] = []
    total = len(trials) * (1 + len(components))
    for number, trial in enumerate(trials):
        # All networks of a trial in a row: whatever slows the machine for a while slows them alike.
        for component in (WHOLE, *components):
            fits.append(_fit(component, number, trial, conditions))
            if progress is not None:
                progress(len(fits), total)
    return Ablation(
        components=components,
        conditions=conditions,
        trials=tuple((trial.task, trial.seed, trial.fold) for trial in trials),
        fits=tuple(fits),
    )


def score_on(trial: Trial, answer: Callable[[NDArray[np.float32]], NDArray[Any]], condition: str) -> Score:
    """Accuracy on a trial's test pixels of whatever gives (pixel, class) logits for spectra."""
    test = trial.test
    spectra = test.spectra
    if condition != CLEAN:
        spectra = damage_spectra(condition, spectra, test.bands, seed=trial.seed)
    names = test.classes.names
    confusion = confusion_matrix(test.class_index + 1, answer(spectra).argmax(axis=1) + 1, len(names))
    accuracy = Accuracy(names=names, confusion=confusion)
    return Score(overall=accuracy.overall, average=accuracy.average)


def _fit(component: Component, number: int, trial: Trial, conditions: tuple[str, ...]) -> Fit:
    started = time.process_time()
    network = component.recipe(trial.train, seed=trial.seed).network
    seconds = time.process_time() - started
    with seeded(trial.seed):  # for its single thread: small batches are not worth sharing
        scores = {name: score_on(trial, lambda spectra: ask(network, spectra), name) for name in conditions}
    return Fit(component=component.name, trial=number, seconds=seconds, scores=scores)


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in figures.items()}
