"""The claims that the first architecture was built on, tested as stated on the variant ``plain``.

1. Prototypes that start at k-means centres halve the epochs to converge, and steady the first ones.
2. Label smoothing keeps the read weights broad.
3. Band dropout helps where test spectra are calibrated otherwise than those of training.

Each is a pair of trainings (three for the dropout) that differ in nothing but the switch in question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.model.plain import PlainNetwork
from hsigeo.progress import Progress
from hsigeo.training.ablation import CLEAN, Score, Trial, score_on, score_records
from hsigeo.training.fit import FitPlan, seeded
from hsigeo.training.plain import PlainPlan, train_plain
from hsigeo.training.validation import ask

__all__ = ["SETTINGS", "Claims", "Convergence", "PlainRun", "measure_claims"]

SETTINGS: dict[str, PlainPlan] = {
    "plain": PlainPlan(),
    "random start": PlainPlan(clustered=False),
    "no smoothing": PlainPlan(label_smoothing=0.0),
    "no dropout": PlainPlan(band_dropout=0.0),
    "dropout 2 %": PlainPlan(band_dropout=0.02),
}
"""What is trained. The plain variant itself has a k-means start, smoothing 0.1 and band dropout 10 %."""

LOOKS = 40
"""How often a training is stopped to look at its held-out loss."""

LOOKED_AT = 512
"""Test pixels that the loss is taken of; of more, evenly spaced ones."""

WITHIN = 0.05
"""Converged: the held-out loss is within this share of its way down to the level that both trainings end at."""

FIRST_PART = 0.2
"""Share of the steps that counts as the start, in which instability would show."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainRun:
    """One training.

    Parameters
    ----------
    setting
        Of `SETTINGS`.
    trial
        Position of the trial, from 0.
    steps
        (look,) steps done, from 0.
    loss
        (look,) mean log-loss of held-out pixels, without smoothing.
    breadth
        How many prototypes a held-out pixel reads: the exponential of the read weights' mean entropy.
    scores
        By condition.
    """

    setting: str
    trial: int
    steps: NDArray[np.int64]
    loss: NDArray[np.float64]
    breadth: float
    scores: dict[str, Score]


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """How one pair of trainings came down to the same level of held-out loss.

    Parameters
    ----------
    steps_clustered, steps_random
        Until converged.
    climb_clustered, climb_random
        Sum of all rises of the held-out loss in the first part of the training; a steady one has none.
    """

    steps_clustered: int
    steps_random: int
    climb_clustered: float
    climb_random: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Claims:
    """Everything that was measured.

    Parameters
    ----------
    conditions
        `CLEAN` and damages.
    steps
        Of every training.
    pixels
        Training pixels, mean over trials.
    prototypes
        In the memory.
    trials
        Task, seed and fold of each trial.
    runs
        One for each setting and trial.
    """

    conditions: tuple[str, ...]
    steps: int
    pixels: float
    prototypes: int
    trials: tuple[tuple[str, int, int], ...]
    runs: tuple[PlainRun, ...]

    def of(self, setting: str) -> list[PlainRun]:
        """Trainings of a setting, trial by trial."""
        return sorted((run for run in self.runs if run.setting == setting), key=lambda run: run.trial)

    def convergence(self) -> list[Convergence]:
        """How fast, and how steadily, with and without the k-means start; for each trial."""
        return [_compare(*pair) for pair in zip(self.of("plain"), self.of("random start"), strict=True)]

    def breadth(self, setting: str) -> NDArray[np.float64]:
        """(trial,) prototypes read by a pixel."""
        return np.array([run.breadth for run in self.of(setting)])

    def overall(self, setting: str, condition: str = CLEAN) -> NDArray[np.float64]:
        """(trial,) overall accuracy."""
        return np.array([run.scores[condition].overall for run in self.of(setting)])

    def records(self) -> list[dict[str, Any]]:
        """Every score as one flat record."""
        return [
            {"setting": run.setting, **record, "prototypes_read": run.breadth}
            for run in self.runs
            for record in score_records(self.trials[run.trial], run.scores)
        ]

    def summary(self) -> dict[str, Any]:
        """How long, how fast, and the held-out loss of every training, as plain JSON values."""
        return {
            "steps": self.steps,
            "training_pixels": self.pixels,
            "prototypes": self.prototypes,
            "convergence": [asdict(each) for each in self.convergence()],
            "curves": [
                {"setting": run.setting, "trial": run.trial, "steps": run.steps.tolist(), "loss": run.loss.tolist()}
                for run in self.runs
            ],
        }


def measure_claims(
    trials: Sequence[Trial],
    *,
    steps: int | None = None,
    damages: Iterable[str] = (),
    progress: Progress | None = None,
) -> Claims:
    """Train the plain variant in every setting, in every trial.

    Parameters
    ----------
    steps
        Of each training; `None` is the variant's own number.
    damages
        Names of `hsigeo.training.damage.DAMAGES` that test spectra also suffer.
    progress
        Called with (steps done, steps in all).
    """
    steps, conditions = steps or FitPlan().steps, (CLEAN, *damages)
    total = steps * len(trials) * len(SETTINGS)
    runs: list[tuple[PlainRun, int]] = []
    for number, trial in enumerate(trials):
        for setting in SETTINGS:
            before = steps * len(runs)

            def show(done: int, _: int, before: int = before) -> None:
                if progress is not None:
                    progress(before + done, total)

            runs.append(_run(setting, number, trial, steps, conditions, show))
    return Claims(
        conditions=conditions,
        steps=steps,
        pixels=float(np.mean([len(trial.train) for trial in trials])),
        prototypes=runs[0][1],
        trials=tuple((trial.task, trial.seed, trial.fold) for trial in trials),
        runs=tuple(run for run, _ in runs),
    )


def _run(
    setting: str,
    number: int,
    trial: Trial,
    steps: int,
    conditions: tuple[str, ...],
    progress: Progress,
) -> tuple[PlainRun, int]:
    """A training, and how many prototypes its memory has."""
    chosen = np.unique(np.linspace(0, len(trial.test) - 1, min(LOOKED_AT, len(trial.test))).astype(int))
    spectra = torch.from_numpy(trial.test.spectra[chosen])
    target = torch.from_numpy(trial.test.class_index[chosen])
    every, at, loss = max(1, steps // LOOKS), [], []

    def watch(done: int, network: PlainNetwork) -> None:
        if done == 1 or done % every == 0 or done == steps:
            at.append(done)
            loss.append(_loss(network, spectra, target))

    plan = replace(SETTINGS[setting], steps=steps)
    trained = train_plain(trial.train, seed=trial.seed, plan=plan, watch=watch, progress=progress)
    network = trained.network
    if not isinstance(network, PlainNetwork):
        raise TypeError(f"the plain variant is a PlainNetwork, not {type(network).__name__}")
    with seeded(trial.seed):
        run = PlainRun(
            setting=setting,
            trial=number,
            steps=np.array(at),
            loss=np.array(loss),
            breadth=_breadth(network, spectra),
            scores={name: score_on(trial, lambda asked: ask(network, asked), name) for name in conditions},
        )
    return run, trained.hyperparameters["prototypes"]


@torch.no_grad()
def _loss(network: PlainNetwork, spectra: Tensor, target: Tensor) -> float:
    network.eval()
    loss = float(F.cross_entropy(network(spectra), target))
    network.train()
    return loss


@torch.no_grad()
def _breadth(network: PlainNetwork, spectra: Tensor) -> float:
    weights = network.memory(network.embed(spectra)).weights  # (P, M)
    return float(torch.special.entr(weights).sum(dim=1).mean().exp())


def _compare(clustered: PlainRun, random: PlainRun) -> Convergence:
    start = max(clustered.loss[0], random.loss[0])
    end = max(clustered.loss[-1], random.loss[-1])  # a level that both reach
    level = end + WITHIN * max(0.0, start - end)
    return Convergence(
        steps_clustered=_first_below(clustered, level),
        steps_random=_first_below(random, level),
        climb_clustered=_climb(clustered),
        climb_random=_climb(random),
    )


def _first_below(run: PlainRun, level: float) -> int:
    return int(run.steps[int(np.argmax(run.loss <= level))])


def _climb(run: PlainRun) -> float:
    early = run.loss[run.steps <= FIRST_PART * run.steps[-1]]
    return float(np.diff(early).clip(min=0.0).sum()) if len(early) > 1 else 0.0
