"""Accuracy on unseen ground against the number of labels: whether more labels would help, and how much."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsigeo.plots.figure import ACCENT, SECOND, drawing

__all__ = ["draw_learning_curve"]

_TICKS_APART = 0.08
"""Of the axis; narrower than that, numbers of three digits touch."""

Points = Sequence[tuple[float, Sequence[float], Sequence[float]]]


def draw_learning_curve(
    points: Points, path: str | os.PathLike[str], *, title: str = "", overwrite: bool = False
) -> None:
    """Write a learning curve as a figure.

    Parameters
    ----------
    points
        (labelled pixels, overall accuracies of the folds, average accuracies of the folds), ascending.
    path, title, overwrite
        As in `draw_confusion`.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    with drawing(path, size=(6.0, 4.2), texts=[title], overwrite=overwrite) as figure:
        axes = figure.add_subplot()
        labels = np.array([count for count, _, _ in points], dtype=float)
        for place, name, color, marker in ((1, "overall", ACCENT, "o"), (2, "average over classes", SECOND, "s")):
            values = [np.asarray(point[place], dtype=float) for point in points]
            mean = np.array([each.mean() for each in values])
            spread = np.array([each.std(ddof=1) if len(each) > 1 else 0.0 for each in values])
            axes.errorbar(
                labels, 100 * mean, 100 * spread, color=color, marker=marker, markersize=4, capsize=3, label=name
            )
        axes.set_xscale("log")
        marked = labels[_apart(labels)]
        axes.set_xticks(marked, [f"{count:.0f}" for count in marked])
        axes.minorticks_off()
        axes.set(xlabel="labelled pixels in training", ylabel="accuracy on held-out ground (%)")
        axes.legend(loc="lower right", title="± between folds")
        axes.set_title(title)


def _apart(labels: NDArray[np.float64]) -> list[int]:
    """Which counts can be written below an axis without touching: the last, and before it those far enough away."""
    place = np.log(labels) / max(float(np.log(labels[-1] / labels[0])), 1e-9)
    kept = [len(labels) - 1]
    for index in range(len(labels) - 2, -1, -1):
        if place[kept[-1]] - place[index] >= _TICKS_APART:
            kept.append(index)
    return kept[::-1]
