"""The cost of attention against bands, heads and pixels, as a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.kernels.measures import time_batches
from benchmarks.kernels.rivals import DOT_PRODUCT, OWN, Problem
from hsigeo.plots.figure import ACCENT, SECOND, drawing

__all__ = ["Point", "draw_sweep", "sweep"]

BANDS, HEADS, PIXELS = (50, 100, 200, 300, 512), (1, 2, 4, 8, 16), (1, 4, 16, 64, 256, 1024)
BATCH, BATCH_OF_TORCH = 512, 16
"""As hsigeo has it, and as was best for torch."""

_NAMES = {OWN: (ACCENT, "o"), DOT_PRODUCT: (SECOND, "s")}
_AXES = {"bands": "bands", "heads": "heads", "pixels": "pixels in a batch"}


@dataclass(frozen=True, kw_only=True)
class Point:
    """Microseconds per pixel of a way, and the least and most of the rounds.

    Parameters
    ----------
    axis, value
        What was varied, and to what.
    name
        The way.
    """

    axis: str
    value: int
    name: str
    middle: float
    least: float
    most: float


def sweep(
    *, bands: int, heads: int, width: int, repeats: int, done: Callable[[], object] = bool, quick: bool = False
) -> list[Point]:
    """Vary one of bands, heads and pixels, the others being the usual ones; hsigeo's way and torch's."""
    points = []
    for axis, values in {"bands": BANDS, "heads": HEADS, "pixels": PIXELS}.items():
        for value in values[:2] if quick else values:
            sizes = {"bands": bands, "heads": heads} | ({axis: value} if axis != "pixels" else {})
            problem = Problem.draw(**sizes, width=max(width, sizes["heads"]))
            batch = value if axis == "pixels" else 8 if quick else BATCH
            batches = {OWN: batch, DOT_PRODUCT: batch if axis == "pixels" else min(batch, BATCH_OF_TORCH)}
            costs = time_batches(problem, batches, repeats=repeats)
            for name, found in costs.items():
                points.append(
                    Point(
                        axis=axis,
                        value=value,
                        name=name,
                        middle=1e6 * median(found),
                        least=1e6 * min(found),
                        most=1e6 * max(found),
                    )
                )
            done()
    return points


def draw_sweep(points: Sequence[Point], path: Path, *, title: str, overwrite: bool = False) -> None:
    """Write the figure: a panel for each of what was varied."""
    with drawing(path, size=(9.0, 3.6), texts=[title], overwrite=overwrite) as figure:
        panels = figure.subplots(1, len(_AXES), sharey=True)
        for panel, (axis, words) in zip(panels, _AXES.items(), strict=True):
            for name, (color, marker) in _NAMES.items():
                own = [point for point in points if (point.axis, point.name) == (axis, name)]
                middles = [point.middle for point in own]
                below = [point.middle - point.least for point in own]
                above = [point.most - point.middle for point in own]
                panel.errorbar(
                    [point.value for point in own],
                    middles,
                    [below, above],
                    color=color,
                    marker=marker,
                    markersize=4,
                    capsize=2,
                    label=name,
                )
            panel.set(xscale="log", yscale="log", xlabel=words)
            ticks = sorted({point.value for point in points if point.axis == axis})
            panel.set_xticks(ticks, [str(tick) for tick in ticks])
            panel.minorticks_off()
        panels[0].set_ylabel("microseconds per pixel")
        panels[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panels[1].legend(loc="lower right")
        figure.suptitle(title, x=0.01, ha="left")
