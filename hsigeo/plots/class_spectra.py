"""What the classes of a map look like: mean and spread of the spectra each class was given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.plots.figure import INK, class_color, drawing, shorten
from hsigeo.plots.spectra import stretches_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_class_spectra"]

_COLUMNS = 3
_OTHERS = "#b5b5b5"


def draw_class_spectra(
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    pixels: NDArray[np.int64],
    classes: ClassTable,
    bands: BandTable,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> None:
    """Write a panel for each class: its mean, one standard deviation about it, and in grey the means of the others.

    Parameters
    ----------
    mean, std : (class, band)
        Reflectance; NaN where nothing is known. Bad bands are left out.
    pixels : (class, band)
        How many there were.
    classes, bands
        Names and colours; wavelengths, where they are known.
    path, overwrite
        As in `draw_confusion`.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    place, label = (
        (np.arange(1, bands.count + 1, dtype=float), "band")
        if bands.wavelength is None
        else (bands.wavelength, "wavelength (nm)")
    )
    order = np.argsort(place, kind="stable")
    order = order[bands.good[order]]
    place, mean, std = place[order], mean[:, order], std[:, order]
    columns = min(_COLUMNS, max(len(classes), 1))
    rows = max(-(-len(classes) // columns), 1)
    size = (2.6 * columns + 0.6, min(1.9 * rows + 0.8, 40.0))
    with drawing(path, size=size, texts=classes.names, overwrite=overwrite) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for number, axes in enumerate(grid.ravel()):
            if number >= len(classes):
                axes.set_visible(False)
                grid[rows - 2, number % columns].tick_params(labelbottom=True)  # nothing is below it
                continue
            entry = classes.entries[number]
            count = int(pixels[number].max(initial=0))
            axes.set_title(f"{shorten(entry.name)}  ({count} px)", fontsize=9)
            _draw_panel(axes, place, mean, std[number], number, class_color(entry))
        figure.supxlabel(label, fontsize=9)
        figure.supylabel("reflectance", fontsize=9)
        figure.suptitle("spectra of the classes: mean and one standard deviation; grey: the others", fontsize=11)


def _draw_panel(
    axes: Axes,
    place: NDArray[np.float64],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    number: int,
    color: tuple[float, float, float],
) -> None:
    others = np.delete(mean, number, axis=0)
    for start, stop in stretches_of(place):
        along = slice(start, stop)
        axes.plot(place[along], others[:, along].T, color=_OTHERS, linewidth=0.6)
        middle, spread = mean[number, along], std[along]
        axes.fill_between(place[along], middle - spread, middle + spread, color=color, alpha=0.4, linewidth=0)
        # Dark beneath, because some class colours are too light to be seen on white.
        axes.plot(place[along], middle, color=INK, linewidth=1.8)
        axes.plot(place[along], middle, color=color, linewidth=1.0)
