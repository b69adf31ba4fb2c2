"""Mean and standard deviation of the spectra mapped as each class."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.plots.figure import class_color
from hsigeo.plots.panels import class_panels, draw_middle, panel_title, stretches_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_class_spectra"]

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
    place = bands.axis
    order = np.argsort(place, kind="stable")
    order = order[bands.good[order]]
    place, mean, std = place[order], mean[:, order], std[:, order]
    title = "spectra of the classes: mean and one standard deviation; grey: the others"
    with class_panels(path, classes, label=bands.axis_name, title=title, overwrite=overwrite) as panels:
        for number, (axes, entry) in enumerate(zip(panels, classes, strict=True)):
            axes.set_title(panel_title(entry.name, f"{int(pixels[number].max(initial=0))} px"), fontsize=9)
            _draw_panel(axes, place, mean, std[number], number, class_color(entry))


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
        draw_middle(axes, place[along], middle, color)
