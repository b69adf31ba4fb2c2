"""Agreement of flight lines on one page: by line, pair, class and view angle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassEntry
from hsigeo.plots.figure import ACCENT, SECOND, class_color, drawing, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AgreementPage", "draw_agreement"]

FloatArray = NDArray[np.float64]

_MOST_BARS, _FEWEST_SLOTS = 40, 8
_MOST_CELLS, _MOST_LABELS = 120, 40
_FAINT_LINE = "#9a9a9a"


@dataclass(frozen=True, kw_only=True, eq=False)
class AgreementPage:
    """What the page shows.

    Parameters
    ----------
    lines
        (name, agreement, excess disagreement, whether it is odd), the best first; lines without neighbours left out.
    pairs
        (first, second, agreement).
    curves
        For each line, (position, agreement), and whether it is odd.
    classes
        Entries of the class table, in order of id.
    position_edges : (bin + 1,)
        By the line of each pair that lies farther out.
    positions : (bin,)
        Agreement.
    class_positions : (bin, class)
        Agreement on each class.
    axis
        What positions are: ``zenith`` or ``centre``.
    """

    lines: Sequence[tuple[str, float, float, bool]]
    pairs: Sequence[tuple[str, str, float]]
    curves: Sequence[tuple[Sequence[tuple[float, float]], bool]]
    classes: Sequence[ClassEntry]
    position_edges: FloatArray
    positions: FloatArray
    class_positions: FloatArray
    axis: str


_AXIS_LABELS = {
    "zenith": ("view zenith of the line, degrees", "larger view zenith of the two lines, degrees"),
    "centre": (
        "distance from the line's centre (-1 west edge, 1 east edge)",
        "distance from the centre of the line farther out (1 = edge)",
    ),
}


def draw_agreement(path: str | os.PathLike[str], page: AgreementPage, *, overwrite: bool = False) -> None:
    """Draw the page.

    Raises
    ------
    OutputExistsError, OutputError
        The file is there and `overwrite` is false, or cannot be written.
    """
    texts = [*(line[0] for line in page.lines), *(entry.name for entry in page.classes)]
    with drawing(path, size=(11.0, 8.0), texts=texts, overwrite=overwrite) as figure:
        axes = figure.subplots(2, 2)
        _draw_lines(axes[0, 0], page)
        _draw_pairs(axes[0, 1], page)
        _draw_curves(axes[1, 0], page)
        _draw_classes(axes[1, 1], page)


def _draw_lines(axes: Axes, page: AgreementPage) -> None:
    shown = page.lines if len(page.lines) <= _MOST_BARS else page.lines[-_MOST_BARS:]
    places = np.arange(len(shown))
    values = [100 * agreement for _, agreement, _, _ in shown]
    axes.barh(places, values, color=[SECOND if odd else ACCENT for *_, odd in shown])
    size = 8 if len(shown) <= 20 else 5
    axes.set_yticks(places, [shorten(line[0]) for line in shown], fontsize=size)
    for place, value, (_, _, excess, _) in zip(places.tolist(), values, shown, strict=True):
        if np.isfinite(excess):
            axes.annotate(
                f"{100 * excess:+.1f}", (value, place), (3, 0), textcoords="offset points", va="center", fontsize=size
            )
    axes.set_ylim(max(len(shown), _FEWEST_SLOTS) - 0.5, -0.5)
    axes.set_xlim(_lower_limit(values), 100)
    axes.set_xlabel("agreement with neighbours, %; numbers: points of disagreement the line itself adds")
    left_out = "" if len(shown) == len(page.lines) else f" (the last {len(shown)} of {len(page.lines)})"
    axes.set_title(
        "Lines, ranked" + left_out + ("; orange: lines that stand out" if any(line[3] for line in shown) else "")
    )
    axes.grid(visible=False, axis="y")


def _draw_pairs(axes: Axes, page: AgreementPage) -> None:
    names = list(dict.fromkeys(name for first, second, _ in page.pairs for name in (first, second)))
    names.sort()
    if len(names) > _MOST_CELLS or not names:
        axes.hist([100 * agreement for _, _, agreement in page.pairs], bins=20, color=ACCENT)
        axes.set_xlabel("agreement of a pair, %")
        axes.set_ylabel("pairs of lines")
        axes.set_title(f"Pairs: {len(page.pairs)}")
        return
    place = {name: number for number, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    for first, second, agreement in page.pairs:
        matrix[place[first], place[second]] = matrix[place[second], place[first]] = 100 * agreement
    image = axes.imshow(matrix, vmin=_lower_limit(matrix[np.isfinite(matrix)]), vmax=100)
    size = 8 if len(names) <= 12 else 5
    # Of very many lines every n-th is named; they are in the order of their names.
    named = range(0, len(names), -(-len(names) // _MOST_LABELS))
    labels = [shorten(names[number], 16) for number in named]
    axes.set_xticks(named, labels, rotation=90, fontsize=size)
    axes.set_yticks(named, labels, fontsize=size)
    axes.grid(visible=False)
    axes.figure.colorbar(image, ax=axes, label="%")
    axes.set_title("Agreement of pairs")


def _draw_curves(axes: Axes, page: AgreementPage) -> None:
    for curve, odd in page.curves:
        if curve:
            at, agreement = np.array(curve).T
            axes.plot(
                at,
                100 * agreement,
                color=SECOND if odd else _FAINT_LINE,
                linewidth=1.8 if odd else 0.8,
                zorder=3 if odd else 2,
                marker="." if len(curve) == 1 else "",
            )
    axes.set_xlabel(_AXIS_LABELS[page.axis][0])
    axes.set_ylabel("agreement with neighbours, %")
    axes.set_ylim(top=100)
    axes.set_title("Each line by position in its swath")


def _draw_classes(axes: Axes, page: AgreementPage) -> None:
    middle = (page.position_edges[1:] + page.position_edges[:-1]) / 2
    for entry, curve in zip(page.classes, page.class_positions.T, strict=True):
        if np.isfinite(curve).any():
            axes.plot(
                middle, 100 * curve, color=class_color(entry), linewidth=1.2, marker=".", label=shorten(entry.name)
            )
    axes.plot(middle, 100 * page.positions, color="black", linewidth=2.2, marker="o", markersize=4, label="all classes")
    axes.set_xlabel(_AXIS_LABELS[page.axis][1])
    axes.set_ylabel("agreement, %")
    axes.set_ylim(top=100)
    axes.set_title("Classes by position")
    axes.legend(fontsize=7, ncols=2, loc="lower left")


def _lower_limit(values: Sequence[float] | FloatArray) -> float:
    """A round number below all values, so that differences near 100 % are seen."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return max(0.0, float(10 * np.floor(known.min() / 10 - 0.5))) if known.size else 0.0
