"""Figures of explanations: evidence against wavelength, with the spectra it is drawn from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassEntry
from hsigeo.plots.figure import ACCENT, INK, SECOND, class_color, drawing, shorten
from hsigeo.plots.panels import stretches_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EvidencePanel", "draw_evidence"]

MOST_PANELS = 40
"""A figure of more would be taller than any page."""

_KEY = "blue: evidence for it; orange: against it; grey: deciding wavelengths"

Bands = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class EvidencePanel:
    """One class, or one pixel.

    Parameters
    ----------
    title
        What it is.
    entry
        Whose colour the spectrum is drawn in.
    spectrum, deviation
        (band,) reflectance and its spread; either may not be known.
    evidence, spread
        (band,) log-odds and their spread.
    chosen
        First and last wavelength of each deciding stretch.
    other, other_entry
        A second spectrum to hold the first against, such as the runner-up's mean.
    """

    title: str
    entry: ClassEntry
    spectrum: Bands | None
    evidence: Bands
    deviation: Bands | None = None
    spread: Bands | None = None
    chosen: tuple[tuple[float, float], ...] = ()
    other: Bands | None = None
    other_entry: ClassEntry | None = None


def draw_evidence(
    panels: Sequence[EvidencePanel],
    bands: BandTable,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Write evidence against wavelength, one panel for each class or pixel.

    Above the spectrum (mean and one standard deviation), below what each band says: for the class in blue, against it
    in vermilion; grey columns are the deciding wavelengths.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    panels = panels[:MOST_PANELS]
    place = bands.axis
    order = np.argsort(place, kind="stable")
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    names = [text for panel in panels for text in (panel.title, panel.entry.name)]
    others = [panel.other_entry.name for panel in panels if panel.other_entry is not None]
    with drawing(
        path, size=(4.6 * columns + 0.6, 2.7 * rows + 0.7), texts=[*names, *others, title], overwrite=overwrite
    ) as figure:
        grid = figure.subplots(2 * rows, columns, sharex=True, squeeze=False, height_ratios=[3, 2] * rows)
        for number in range(rows * columns):
            row, column = divmod(number, columns)
            upper, lower = grid[2 * row, column], grid[2 * row + 1, column]
            if number >= len(panels):
                upper.set_visible(False)
                lower.set_visible(False)
                continue
            _draw_panel(upper, lower, panels[number], place, order)
            if number + columns >= len(panels):
                lower.tick_params(labelbottom=True)
        thin = "; thin lines: one standard deviation" if any(panel.spread is not None for panel in panels) else ""
        figure.supxlabel(f"{bands.axis_name}\n{_KEY}{thin}", fontsize=8)
        if title:
            figure.suptitle(title, fontsize=11)


def _draw_panel(
    upper: Axes, lower: Axes, panel: EvidencePanel, place: NDArray[np.float64], order: NDArray[np.intp]
) -> None:
    upper.set_title(shorten(panel.title, 60), fontsize=9)
    for axes in (upper, lower):
        for first, last in panel.chosen:
            half = 0.5 * float(np.median(np.diff(place[order]))) if len(place) > 1 else 0.5
            axes.axvspan(first - half, last + half, color="#e8e8e8", linewidth=0, zorder=0)
    upper.set_ylabel("reflectance", fontsize=8)
    lower.set_ylabel("evidence", fontsize=8)
    lower.axhline(0, color=INK, linewidth=0.6)
    for start, stop in stretches_of(place[order]):
        at = order[start:stop]
        if panel.other is not None and panel.other_entry is not None:
            upper.plot(place[at], panel.other[at], color=INK, linewidth=1.0, linestyle=":")
            upper.plot(place[at], panel.other[at], color=class_color(panel.other_entry), linewidth=0.8, linestyle=":")
        if panel.spectrum is not None:
            _draw_spectrum(upper, panel, place, at)
        evidence = panel.evidence[at]
        lower.fill_between(place[at], 0, evidence.clip(min=0), color=ACCENT, linewidth=0)
        lower.fill_between(place[at], 0, evidence.clip(max=0), color=SECOND, linewidth=0)
        if panel.spread is not None:
            for edge in (evidence - panel.spread[at], evidence + panel.spread[at]):
                lower.plot(place[at], edge, color=INK, linewidth=0.5, alpha=0.5)
    if panel.other_entry is not None:
        upper.text(
            0.99, 0.97, f"dotted: {shorten(panel.other_entry.name)}", transform=upper.transAxes, ha="right", va="top",
            fontsize=7,
        )  # fmt: skip


def _draw_spectrum(axes: Axes, panel: EvidencePanel, place: NDArray[np.float64], at: NDArray[np.intp]) -> None:
    if panel.spectrum is None:
        return
    color = class_color(panel.entry)
    if panel.deviation is not None:
        low, high = panel.spectrum - panel.deviation, panel.spectrum + panel.deviation
        axes.fill_between(place[at], low[at], high[at], color=color, alpha=0.35, linewidth=0)
    # Dark beneath, because some class colours are too light to be seen on white.
    axes.plot(place[at], panel.spectrum[at], color=INK, linewidth=1.8)
    axes.plot(place[at], panel.spectrum[at], color=color, linewidth=1.0)
