"""Mean and spread of the labelled spectra of each class."""

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

__all__ = ["draw_spectra"]


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
    place = bands.axis
    order = np.argsort(place, kind="stable")
    title = title or "labelled spectra: median, half and nine tenths of the pixels"
    with class_panels(path, classes, label=bands.axis_name, title=title, overwrite=overwrite) as panels:
        for number, (axes, entry) in enumerate(zip(panels, classes, strict=True)):
            found = spectra[class_index == number]
            axes.set_title(panel_title(entry.name, str(len(found))), fontsize=9)
            if len(found):
                _draw_class(axes, place[order], found[:, order], class_color(entry))


def _draw_class(
    axes: Axes, place: NDArray[np.float64], spectra: NDArray[np.float32], color: tuple[float, float, float]
) -> None:
    low, quarter, middle, three, high = np.percentile(spectra, [5, 25, 50, 75, 95], axis=0)
    for start, stop in stretches_of(place):
        along = slice(start, stop)
        axes.fill_between(place[along], low[along], high[along], color=color, alpha=0.25, linewidth=0)
        axes.fill_between(place[along], quarter[along], three[along], color=color, alpha=0.45, linewidth=0)
        draw_middle(axes, place[along], middle[along], color)
