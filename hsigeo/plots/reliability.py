"""The reliability diagram, which shows whether a model that says 80 per cent is right in 80 per cent of the cases."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from hsigeo.intervals import wilson_interval
from hsigeo.plots.figure import ACCENT, INK, SECOND, drawing

__all__ = ["draw_reliability"]

Bins = Sequence[tuple[float, float, int]]


def draw_reliability(
    tables: Mapping[str, tuple[Bins, float]],
    path: str | os.PathLike[str],
    *,
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Write a reliability diagram as a figure.

    Parameters
    ----------
    tables
        Name of a curve (at most two) → (mean confidence, share right, pixels) of each bin, as
        `hsigeo.calibration.reliability` gives them, and the expected calibration error.
    path, title, overwrite
        As in `draw_confusion`.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    with drawing(path, size=(5.2, 6.2), texts=[*tables, title], overwrite=overwrite) as figure:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="perfectly calibrated")
        styles = ((SECOND, "o", "--"), (ACCENT, "s", "-"))
        for (name, (bins, error)), (color, marker, line) in zip(tables.items(), styles, strict=False):
            confidence, right, count = (np.array(column, dtype=float) for column in zip(*bins, strict=True))
            label = f"{name}: off by {error:.1%}"
            axes.plot(confidence, right, color=color, marker=marker, linestyle=line, markersize=4, label=label)
            ends = [wilson_interval(share * trials, trials) for share, trials in zip(right, count, strict=True)]
            low, high = np.array(ends).T
            # Bins of a handful of pixels jump about; their bars say how little that means.
            axes.vlines(confidence, low, high, color=color, alpha=0.35, linewidth=3)
            below.plot(confidence, count, color=color, marker=marker, linestyle=line, markersize=3)
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="share classified correctly")
        below.set(xlabel="probability of the mapped class", ylabel="pixels", ylim=(0, None))
        axes.set_title(title)
        # Below both, since the curves may run through any corner.
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left")
