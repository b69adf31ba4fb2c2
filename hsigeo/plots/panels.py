"""One panel of spectra per class, side by side on shared axes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassTable
from hsigeo.plots.figure import INK, drawing, shorten
from hsigeo.plots.fonts import families_for, spell_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["class_panels", "draw_middle", "panel_title", "stretches_of"]

_COLUMNS = 3
_TITLE_COLUMNS = 30
"""What goes above a panel of this width."""
_GAP = 3.0
"""Bands further apart than so many times the usual step are not joined: something was left out between them."""


@contextmanager
def class_panels(
    path: str | os.PathLike[str], classes: ClassTable, *, label: str, title: str, overwrite: bool
) -> Iterator[list[Axes]]:
    """Give axes for each class, in the order of the table, and write the figure if the block succeeds.

    Parameters
    ----------
    label
        Of the axis of bands.
    path, title, overwrite
        As in `hsigeo.plots.draw_confusion`.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    columns = min(_COLUMNS, max(len(classes), 1))
    rows = max(-(-len(classes) // columns), 1)
    size = (2.6 * columns + 0.6, min(1.9 * rows + 0.8, 40.0))
    with drawing(path, size=size, texts=[*classes.names, title], overwrite=overwrite) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        yield list(grid.ravel()[: len(classes)])
        for number, axes in enumerate(grid.ravel()[len(classes) :], len(classes)):
            axes.set_visible(False)
            grid[rows - 2, number % columns].tick_params(labelbottom=True)  # nothing is below it
        figure.supxlabel(label, fontsize=9)
        figure.supylabel("reflectance", fontsize=9)
        figure.suptitle(title, fontsize=11)


def panel_title(name: str, count: str) -> str:
    """A class name and how many there are of it, as wide as a panel; characters without a font are spelt first."""
    spelt = spell_out(name, families_for([name]))
    return f"{shorten(spelt, _TITLE_COLUMNS - len(count))}  ({count})"


def draw_middle(
    axes: Axes, place: NDArray[np.float64], values: NDArray[np.floating], color: tuple[float, float, float]
) -> None:
    """A line in the colour of its class; dark beneath, because some class colours are too light to be seen on white."""
    axes.plot(place, values, color=INK, linewidth=1.8)
    axes.plot(place, values, color=color, linewidth=1.0)


def stretches_of(place: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Runs of bands without a gap between them."""
    if len(place) < 3:
        return [(0, len(place))]
    step = np.diff(place)
    edges = np.flatnonzero(step > _GAP * max(float(np.median(step)), 1e-9)) + 1
    bounds = [0, *edges.tolist(), len(place)]
    return list(itertools.pairwise(bounds))
