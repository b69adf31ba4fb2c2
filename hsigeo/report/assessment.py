"""Accuracies stated by a map or an evaluation file, read as untrusted input.

Everything that can be is computed anew from the confusion matrix; only the intervals, for which the units of ground are
needed, and the figures of the random split are taken as they stand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hsigeo.intervals import AccuracyIntervals, measure_intervals
from hsigeo.metrics import Accuracy
from hsigeo.report.stated import stated_number, stated_share, stated_text, stated_texts, stated_whole

__all__ = ["AdjustedArea", "Calibration", "Evaluation", "HeldOut", "read_evaluation", "read_held_out"]

MOST_CLASSES = 2000
"""A matrix of more would take 30 MB."""

_MOST_BINS = 100

Bins = tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """How far probabilities are off, on average and bin by bin.

    Parameters
    ----------
    before, after
        Expected calibration error, 0-1.
    bins_before, bins_after
        (mean confidence, share right, pixels).
    """

    before: float
    after: float
    bins_before: Bins = ()
    bins_after: Bins = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """What training measured on ground that it held out.

    Parameters
    ----------
    split
        In words.
    accuracy, intervals
        Of the spatially disjoint split.
    spread
        Between folds; `None` where it is not known.
    random
        Overall accuracy of the random split; `None` where it is not known.
    calibration
        `None` where it is not known.
    notes
        What to know about the split.
    """

    split: str
    accuracy: Accuracy
    intervals: AccuracyIntervals
    spread: float | None
    random: float | None
    calibration: Calibration | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AdjustedArea:
    """Area of a class, the map's errors allowed for; half widths are of 95 % intervals."""

    name: str
    mapped: float
    area: float
    half_width: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """What `hsigeo evaluate` found.

    Parameters
    ----------
    reference
        The label file.
    accuracy, intervals
        The figures.
    on_training_labels
        Then they say how well the model remembers, not how good the map is.
    areas, area_unit, area_note
        Area-adjusted areas; empty where there are none; and what they assume, or why there are none.
    overall_adjusted
        Overall accuracy by area, and half of its interval.
    notes
        As the command said.
    """

    reference: str
    accuracy: Accuracy
    intervals: AccuracyIntervals
    on_training_labels: bool
    areas: tuple[AdjustedArea, ...] = ()
    area_unit: str = "ha"
    area_note: str = ""
    overall_adjusted: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


def read_held_out(document: object) -> HeldOut | None:
    """The ``validation`` of a map or model; `None` where there is none, or none that makes sense."""
    if not isinstance(document, Mapping):
        return None
    accuracy = _read_accuracy(document.get("disjoint"))
    if accuracy is None:
        return None
    optimistic = document.get("random_split_optimistic")
    return HeldOut(
        split=stated_text(document.get("split")) or "spatially disjoint",
        accuracy=accuracy,
        intervals=_read_intervals(document.get("confidence_intervals"), accuracy),
        spread=stated_share(document.get("disjoint_spread")),
        random=stated_share(optimistic.get("overall_accuracy")) if isinstance(optimistic, Mapping) else None,
        calibration=_read_calibration(document),
        notes=stated_texts(document.get("notes")),
    )


def read_evaluation(document: object) -> Evaluation | None:
    """The JSON of `hsigeo evaluate`; `None` where it is none."""
    if not isinstance(document, Mapping):
        return None
    accuracy = _read_accuracy(document)
    if accuracy is None:
        return None
    adjusted = document.get("area_adjusted")
    adjusted = adjusted if isinstance(adjusted, Mapping) else {}
    overall, half = (stated_share(adjusted.get(f"overall_accuracy{part}")) for part in ("", "_half_width"))
    return Evaluation(
        reference=stated_text(document.get("reference")),
        accuracy=accuracy,
        intervals=_read_intervals(document.get("confidence_intervals"), accuracy),
        # Whoever does not say so plainly that the labels are others is not believed.
        on_training_labels=document.get("on_training_labels") is not False,
        areas=_read_areas(adjusted.get("classes")),
        area_unit=stated_text(adjusted.get("unit")) or "ha",
        area_note=stated_text(document.get("area_note")),
        overall_adjusted=None if overall is None or half is None else (overall, half),
        notes=stated_texts(document.get("notes")),
    )


def _read_accuracy(document: object) -> Accuracy | None:
    match document:
        case {"confusion_matrix": {"row_names": list(names), "pixels": list(rows)}}:
            pass
        case _:
            return None
    count = len(names)
    if not 0 < count <= MOST_CLASSES or len(rows) != count or not all(isinstance(name, str) for name in names):
        return None
    if not all(isinstance(row, list) and len(row) == count + 1 for row in rows):
        return None
    if not all(stated_whole(cell) is not None for row in rows for cell in row):
        return None
    confusion = np.array(rows, dtype=np.int64)
    return Accuracy(names=tuple(names), confusion=confusion) if confusion[:, :-1].any() else None


def _read_intervals(document: object, accuracy: Accuracy) -> AccuracyIntervals:
    """Those stated where they fit; else those of independent pixels, which the page then says they are."""
    match document:
        case {
            "overall_accuracy": [low, high],
            "classes": list(classes),
            "independent": {"what": str(units), "count": int(number)},
        } if len(classes) == len(accuracy.names) and all(isinstance(row, Mapping) for row in classes):
            return AccuracyIntervals(
                overall=_pair([low, high]),
                recall=np.array([_pair(row.get("recall")) for row in classes]),
                precision=np.array([_pair(row.get("precision")) for row in classes]),
                units=units[:80],
                count=number,
            )
        case _:
            return measure_intervals(accuracy)


def _read_calibration(document: Mapping[str, Any]) -> Calibration | None:
    match document.get("expected_calibration_error"):
        case {"before": before, "after": after}:
            errors = stated_share(before), stated_share(after)
        case _:
            return None
    if errors[0] is None or errors[1] is None:
        return None
    tables = document.get("reliability")
    tables = tables if isinstance(tables, Mapping) else {}
    return Calibration(
        before=errors[0],
        after=errors[1],
        bins_before=_read_bins(tables.get("before")),
        bins_after=_read_bins(tables.get("after")),
    )


def _read_bins(rows: object) -> Bins:
    if not isinstance(rows, list) or len(rows) > _MOST_BINS:
        return ()
    bins = []
    for row in rows:
        match row:
            case [confidence, right, int(pixels)] if pixels > 0:
                known = stated_share(confidence), stated_share(right)
                if known[0] is None or known[1] is None:
                    return ()
                bins.append((known[0], known[1], pixels))
            case _:
                return ()
    return tuple(bins)


def _read_areas(rows: object) -> tuple[AdjustedArea, ...]:
    if not isinstance(rows, list) or len(rows) > MOST_CLASSES:
        return ()
    areas = []
    for row in rows:
        match row:
            case {"name": str(name), "mapped": mapped, "area": area, "area_half_width": half}:
                numbers = [stated_number(value) for value in (mapped, area, half)]
                if any(value is None or value < 0 for value in numbers):
                    return ()
                known = [value for value in numbers if value is not None]
                areas.append(AdjustedArea(name=name, mapped=known[0], area=known[1], half_width=known[2]))
            case _:
                return ()
    return tuple(areas)


def _pair(value: object) -> tuple[float, float]:
    match value:
        case [low, high]:
            known = stated_share(low), stated_share(high)
            if known[0] is not None and known[1] is not None and known[0] <= known[1]:
                return known[0], known[1]
    return math.nan, math.nan
