"""Accuracy figures as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hsigeo.cli.columns import cells_of, decimal, pad, percent, shorten

if TYPE_CHECKING:
    from hsigeo.areas import AreaEstimate
    from hsigeo.intervals import AccuracyIntervals
    from hsigeo.metrics import Accuracy

__all__ = ["area_lines", "class_lines", "figure_lines", "matrix_lines"]

_MOST_COLUMNS = 20
"""A wider matrix is unreadable on a terminal; the JSON file has it."""


def figure_lines(accuracy: Accuracy, intervals: AccuracyIntervals) -> list[str]:
    """The figures over all classes, and what the interval counts."""
    return [
        f"overall accuracy  {percent(accuracy.overall):>6} %   95 % interval {_interval(intervals.overall)}, "
        f"{intervals.count} {intervals.units} counted as independent",
        f"average accuracy  {percent(accuracy.average):>6} %",
        f"macro F1          {percent(accuracy.macro_f1):>6} %",
        f"kappa             {decimal(accuracy.kappa, 3):>6}",
    ]


def class_lines(accuracy: Accuracy, intervals: AccuracyIntervals) -> list[str]:
    """Precision, recall and F1 of each class in per cent, with 95 % confidence intervals."""
    names = [shorten(name) for name in accuracy.names]
    width = max(len("class"), *map(cells_of, names))
    lines = [f"{'class':<{width}}  precision   (95 % CI)  recall   (95 % CI)      F1  reference  map"]
    figures = zip(
        names,
        accuracy.precision,
        intervals.precision,
        accuracy.recall,
        intervals.recall,
        accuracy.f1,
        accuracy.support,
        accuracy.mapped,
        strict=True,
    )
    for name, precision, about_precision, recall, about_recall, f1, support, mapped in figures:
        shares = (
            f"{percent(precision):>9}  {_interval(about_precision):>10}  {percent(recall):>6}  "
            f"{_interval(about_recall):>10}  {percent(f1):>6}"
        )
        lines.append(f"{pad(name, width)}  {shares}  {support:>9}  {mapped}")
    return lines


def matrix_lines(accuracy: Accuracy) -> list[str]:
    """The confusion matrix, where it is not too wide."""
    count = len(accuracy.names)
    if count > _MOST_COLUMNS:
        return [f"confusion matrix: {count} classes are too many for a terminal; write it with --json FILE"]
    names = [shorten(name) for name in accuracy.names]
    width = max(len(f"{count} "), *(cells_of(f"{number} {name}") for number, name in enumerate(names, start=1)))
    cell = max(5, *(len(str(number)) for number in accuracy.confusion.ravel().tolist()))
    columns = [*map(str, range(1, count + 1)), "none"]
    lines = [
        "confusion matrix in pixels: rows are the reference, columns the map, 'none' is nodata or unclassified",
        " " * width + "".join(f"  {column:>{cell}}" for column in columns),
    ]
    for number, (name, row) in enumerate(zip(names, accuracy.confusion.tolist(), strict=True), start=1):
        lines.append(pad(f"{number} {name}", width) + "".join(f"  {value:>{cell}}" for value in row))
    return lines


def area_lines(estimate: AreaEstimate) -> list[str]:
    """Areas on the map, and corrected by its errors, with the half widths of 95 % intervals."""
    from hsigeo.intervals import Z

    names = [shorten(name) for name in estimate.names]
    width = max(len("class"), *map(cells_of, names))
    lines = [
        "by area, allowing for the map's errors (Olofsson et al. 2014; ± is a 95 % interval):",
        f"overall accuracy  {percent(estimate.overall):>6} ± {percent(Z * estimate.overall_error)} %",
        f"{'class':<{width}}  {'mapped ' + estimate.unit:>13}  {'estimated ' + estimate.unit:>26}  "
        f"{'precision':>13}  {'recall':>13}",
    ]
    figures = zip(
        names,
        estimate.mapped,
        _with_error(estimate.area.tolist(), estimate.area_error.tolist(), _amount),
        _with_error(estimate.precision.tolist(), estimate.precision_error.tolist(), percent),
        _with_error(estimate.recall.tolist(), estimate.recall_error.tolist(), percent),
        strict=True,
    )
    for name, mapped, area, precision, recall in figures:
        lines.append(f"{pad(name, width)}  {_amount(mapped):>13}  {area:>26}  {precision:>13}  {recall:>13}")
    return lines


def _with_error(values: Sequence[float], errors: Sequence[float], write: Callable[[float], str]) -> list[str]:
    from hsigeo.intervals import Z

    return [
        "-" if math.isnan(value) else f"{write(value)} ± {write(Z * error)}"
        for value, error in zip(values, errors, strict=True)
    ]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _interval(ends: Sequence[float]) -> str:
    return "-" if any(math.isnan(end) for end in ends) else f"{percent(ends[0])}-{percent(ends[1])}"
