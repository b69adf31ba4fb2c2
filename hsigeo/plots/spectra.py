"""What was learnt: mean and spread of the labelled spectra of each class."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.plots.figure import INK, class_color, drawing, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_spectra", "stretches_of"]

_COLUMNS = 3
_GAP = 3.0
"""Bands further apart than so many times the usual step are not joined: something was left out between them."""


def draw_spectra(
    spectra: NDArray[np.float32],
    class_index: NDArray[np.integer],
    classes: ClassTable,
    bands: BandTable,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Write the spectra of each class as a figure: the mean, and where half and nine tenths of the pixels lie.

    Parameters
    ----------
    spectra : (pixel, band)
        Reflectance 0-1.
    class_index : (pixel,)
        Position in `classes`.
    classes, bands
        Names and colours; wavelengths, where they are known.
    path, title, overwrite
        As in `draw_confusion`.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    columns = min(_COLUMNS, len(classes))
    rows = -(-len(classes) // columns)
    place, label = (
        (np.arange(1, bands.count + 1, dtype=float), "band")
        if bands.wavelength is None
        else (bands.wavelength, "wavelength (nm)")
    )
    order = np.argsort(place, kind="stable")
    size = (2.6 * columns + 0.6, min(1.9 * rows + 0.8, 40.0))
    with drawing(path, size=size, texts=[*classes.names, title], overwrite=overwrite) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for number, axes in enumerate(grid.ravel()):
            if number >= len(classes):
                axes.set_visible(False)
                grid[rows - 2, number % columns].tick_params(labelbottom=True)  # nothing is below it
                continue
            entry = classes.entries[number]
            found = spectra[class_index == number]
            axes.set_title(f"{shorten(entry.name)}  ({len(found)})", fontsize=9)
            if len(found):
                _draw_class(axes, place[order], found[:, order], class_color(entry))
        figure.supxlabel(label, fontsize=9)
        figure.supylabel("reflectance", fontsize=9)
        figure.suptitle(title or "labelled spectra: median, half and nine tenths of the pixels", fontsize=11)


def _draw_class(
    axes: Axes, place: NDArray[np.float64], spectra: NDArray[np.float32], color: tuple[float, float, float]
) -> None:
    low, quarter, middle, three, high = np.percentile(spectra, [5, 25, 50, 75, 95], axis=0)
    for start, stop in stretches_of(place):
        along = slice(start, stop)
        axes.fill_between(place[along], low[along], high[along], color=color, alpha=0.25, linewidth=0)
        axes.fill_between(place[along], quarter[along], three[along], color=color, alpha=0.45, linewidth=0)
        # Dark beneath, because some class colours are too light to be seen on white.
        axes.plot(place[along], middle[along], color=INK, linewidth=1.8)
        axes.plot(place[along], middle[along], color=color, linewidth=1.0)


def stretches_of(place: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Runs of bands without a gap between them."""
    if len(place) < 3:
        return [(0, len(place))]
    step = np.diff(place)
    edges = np.flatnonzero(step > _GAP * max(float(np.median(step)), 1e-9)) + 1
    bounds = [0, *edges.tolist(), len(place)]
    return list(itertools.pairwise(bounds))
