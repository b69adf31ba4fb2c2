"""The confusion matrix: rows as shares of their reference class, with the counts written in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from hsigeo.metrics import Accuracy
from hsigeo.plots.figure import INK, SEQUENTIAL, drawing, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_confusion"]

_MOST_WRITTEN = 25
"""With more classes the counts would be too small to read."""


def draw_confusion(
    accuracy: Accuracy, path: str | os.PathLike[str], *, title: str = "", overwrite: bool = False
) -> None:
    """Write the confusion matrix as a figure.

    Parameters
    ----------
    accuracy
        The figures.
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``.
    title
        What was compared with what.
    overwrite
        Replace a file that is there.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    count = len(accuracy.names)
    show_none = bool(accuracy.unclassified.any())
    side = min(3.0 + 0.42 * count, 14.0)
    with drawing(path, size=(side + 1.0, side), texts=[*accuracy.names, title], overwrite=overwrite) as figure:
        axes = figure.add_subplot()
        counts = accuracy.confusion if show_none else accuracy.confusion[:, :-1]
        whole = accuracy.confusion.sum(axis=1, keepdims=True)
        shares = np.divide(counts, whole, out=np.zeros(counts.shape), where=whole > 0)
        image = axes.imshow(shares, vmin=0, vmax=1, cmap=SEQUENTIAL, aspect="auto")
        names = [shorten(name) for name in accuracy.names]
        axes.set_yticks(range(count), names)
        columns = [*names, "(unclassified)"] if show_none else names
        axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_ylabel("reference")
        axes.set_xlabel("map")
        axes.grid(visible=False)
        if count <= _MOST_WRITTEN:
            _write_counts(axes, counts.tolist(), shares)
        bar = figure.colorbar(image, ax=axes, shrink=0.8)
        bar.set_label("share of the reference class")
        figures = f"overall {accuracy.overall:.1%}, average {accuracy.average:.1%}"
        axes.set_title(f"{title}\n{figures}" if title else figures)


def _write_counts(axes: Axes, counts: list[list[int]], shares: np.ndarray) -> None:
    for row, line in enumerate(counts):
        for col, number in enumerate(line):
            if number:
                color = "white" if shares[row, col] < 0.5 else INK
                axes.text(col, row, f"{number}", ha="center", va="center", color=color, fontsize=8)
