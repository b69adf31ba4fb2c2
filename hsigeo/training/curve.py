"""How accuracy on unseen ground grows with the number of labels.

The same recipe is trained on part of each fold's training pixels and asked about the fold's whole test part, so every
point of the curve is about ground that no training pixel lies on. Pixels are drawn class by class: with few labels,
that is how somebody would collect them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.metrics import Accuracy
from hsigeo.training.concurrent import run_all
from hsigeo.training.recipes import Recipe
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.validation import HeldOut, judge

__all__ = ["CURVE_FOLDS", "SHARES", "CurvePoint", "measure_learning_curve"]

CURVE_FOLDS = 3
"""More folds would make the curve smoother, and three quarters of the training time be spent on it."""

SHARES = (0.03, 0.1, 0.3)
"""Shares of each fold's training pixels; the last point, all of them, is known from validation."""

LEAST_A_CLASS = 3

MUCH_LESS = 0.8
"""Where classes are small, `LEAST_A_CLASS` makes two shares nearly the same pixels; one point is enough for both."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Accuracies with so many labels.

    Parameters
    ----------
    pixels
        Labelled pixels in training, mean over folds.
    overall, average
        Accuracy on each fold's test part.
    """

    pixels: float
    overall: tuple[float, ...]
    average: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"pixels": self.pixels, "overall_accuracy": list(self.overall), "average_accuracy": list(self.average)}


def measure_learning_curve(
    samples: LabelledSpectra, recipe: Recipe, held: HeldOut, *, seed: int, count_one: Callable[[], None]
) -> tuple[CurvePoint, ...]:
    """Train on parts of the disjoint folds' training pixels.

    Parameters
    ----------
    held
        The disjoint answers of `validate`: its folds are used, and its accuracies are the last point.
    count_one
        Called after each model.

    Returns
    -------
    tuple of CurvePoint
        Ascending in pixels. A share that is hardly fewer pixels than the next is left out.
    """
    folds = held.plan.folds[:CURVE_FOLDS]
    drawn = []  # (share, fold)
    for share in SHARES:
        generator = np.random.default_rng(seed)
        drawn.append([fold.train[_draw(samples.class_index[fold.train], share, generator)] for fold in folds])
    jobs = [
        partial(judge, samples, recipe, train, fold.test, seed=seed)
        for parts in drawn
        for train, fold in zip(parts, folds, strict=True)
    ]
    accuracies = []
    for accuracy in run_all(jobs):
        accuracies.append(accuracy)
        count_one()
    points = [
        _point(accuracies[k * len(folds) : (k + 1) * len(folds)], [len(train) for train in parts])
        for k, parts in enumerate(drawn)
    ]
    whole = [held.accuracy_of(number) for number in range(len(folds))]
    points.append(_point(whole, [len(fold.train) for fold in folds]))
    return tuple(point for point, later in zip(points, [*points[1:], None], strict=True) if _is_less(point, later))


def _point(accuracies: list[Accuracy], pixels: list[int]) -> CurvePoint:
    return CurvePoint(
        pixels=float(np.mean(pixels)),
        overall=tuple(each.overall for each in accuracies),
        average=tuple(each.average for each in accuracies),
    )


def _is_less(point: CurvePoint, later: CurvePoint | None) -> bool:
    return later is None or point.pixels < MUCH_LESS * later.pixels


def _draw(class_index: NDArray[np.int64], share: float, generator: np.random.Generator) -> NDArray[np.intp]:
    """Positions of a share of the pixels of each class, at least `LEAST_A_CLASS` where there are as many."""
    drawn = []
    for index in np.unique(class_index):
        members = generator.permutation(np.flatnonzero(class_index == index))
        drawn.append(members[: max(LEAST_A_CLASS, round(share * len(members)))])
    return np.sort(np.concatenate(drawn))
