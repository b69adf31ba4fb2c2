"""The accuracy section: against an independent reference, and on ground held out in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hsigeo.classes import ClassEntry
from hsigeo.intervals import AccuracyIntervals
from hsigeo.metrics import Accuracy
from hsigeo.report.assessment import Evaluation, HeldOut
from hsigeo.report.blocks import Cell, Numbering, Section, caution, class_term, note
from hsigeo.report.charts import interval_bar
from hsigeo.report.findings import Findings
from hsigeo.report.markup import Child, Html, element, join, term
from hsigeo.report.wording import area_unit, count, interval, percent, plural, points

__all__ = ["render_accuracy"]

MOST_COLUMNS = 20
"""Classes up to which the whole confusion matrix is shown; of more, the largest confusions."""

MOST_CONFUSIONS = 25
MOST_ROWS = 400


def render_accuracy(findings: Findings, numbering: Numbering) -> Section | None:
    """All that is known; `None` where nothing is."""
    evaluation, held_out = findings.found.evaluation, findings.held_out
    if evaluation is None and held_out is None:
        return None
    by_name = {entry.name: entry for entry in findings.raster.classes}
    parts: list[Child] = []
    if evaluation is not None:
        parts += _independent(findings, evaluation, by_name, numbering)
    if held_out is not None:
        parts += _on_held_out_ground(held_out, by_name, numbering)
    return Section(anchor="accuracy", title="How accurate it is", body=join(parts))


def _independent(
    findings: Findings, evaluation: Evaluation, by_name: Mapping[str, ClassEntry], numbering: Numbering
) -> list[Child]:
    accuracy = evaluation.accuracy
    title = "Against labels the model was trained on" if evaluation.on_training_labels else "Against a reference"
    parts: list[Child] = [element("h3", title)]
    if evaluation.on_training_labels:
        parts.append(caution("These figures say how well the model remembers, not how accurate the map is."))
    reference = Path(evaluation.reference).name
    parts.append(
        element(
            "p",
            "Compared with ",
            term(reference) if reference else "reference labels",
            ": of ",
            plural(accuracy.total, "reference pixel"),
            ", ",
            element("strong", percent(accuracy.overall)),
            f" are mapped as their class (95\u00a0% interval {interval(*evaluation.intervals.overall)}, "
            f"{_independence(evaluation.intervals)}). {_other_figures(accuracy)}",
            _adjusted_overall(evaluation),
        )
    )
    if accuracy.coverage < 1:
        parts.append(
            note(f"The map classifies {percent(accuracy.coverage)} of the reference pixels; the others do not count.")
        )
    parts.append(_class_table(accuracy, evaluation.intervals, by_name, numbering))
    parts.append(_confusion(accuracy, by_name, numbering))
    if evaluation.areas:
        parts.append(_areas(findings, evaluation, by_name, numbering))
    elif evaluation.area_note:
        parts.append(note(f"Area-adjusted figures are left out: {evaluation.area_note}."))
    return parts


def _on_held_out_ground(held_out: HeldOut, by_name: Mapping[str, ClassEntry], numbering: Numbering) -> list[Child]:
    accuracy = held_out.accuracy
    spread = "" if held_out.spread is None else f" and ±\u00a0{100 * held_out.spread:.1f} points between folds"
    believed: list[Child] = [
        "Separate models were trained, each without part of the labelled ground, and tested on that part: ",
        term(held_out.split),
        ". Of ",
        plural(accuracy.total, "held-out pixel"),
        ", ",
        element("strong", percent(accuracy.overall)),
        f" were classified correctly (95\u00a0% interval {interval(*held_out.intervals.overall)}, "
        f"{_independence(held_out.intervals)}{spread}). {_other_figures(accuracy)}",
    ]
    parts: list[Child] = [element("h3", "On ground that training held out"), element("p", believed)]
    if held_out.random is not None:
        gap = held_out.random - accuracy.overall
        towards = "more" if gap >= 0 else "less"
        parts.append(
            element(
                "p",
                "A random split of the pixels, which tests on neighbours of training pixels, gives "
                f"{percent(held_out.random)}: ",
                element("strong", f"{points(abs(gap))} {towards}"),
                ". The difference is the ",
                element("em", "optimism gap"),
                "; the random figure is optimistic and should not be quoted.",
            )
        )
    parts.append(_class_table(accuracy, held_out.intervals, by_name, numbering))
    parts.append(_confusion(accuracy, by_name, numbering))
    parts += [note(text) for text in held_out.notes]
    return parts


def _other_figures(accuracy: Accuracy) -> str:
    kappa = "" if math.isnan(accuracy.kappa) else f", Cohen's kappa {accuracy.kappa:.2f}"
    return f"Average over classes {percent(accuracy.average)}, macro F1 {percent(accuracy.macro_f1)}{kappa}."


def _independence(intervals: AccuracyIntervals) -> str:
    if intervals.units == "pixels":
        return f"{plural(intervals.count, 'pixel')} counted as independent"
    return f"{count(intervals.count)} {intervals.units} counted as independent"


def _adjusted_overall(evaluation: Evaluation) -> str:
    if evaluation.overall_adjusted is None:
        return ""
    overall, half = evaluation.overall_adjusted
    return f" Weighted by area it is {percent(overall)} ± {100 * half:.1f} points."


def _class_table(
    accuracy: Accuracy, intervals: AccuracyIntervals, by_name: Mapping[str, ClassEntry], numbering: Numbering
) -> Html:
    head = [
        Cell(content="Class"),
        Cell(content="Reference pixels", is_number=True),
        Cell(content="Recall", is_number=True),
        Cell(content="95\u00a0% interval", is_number=True),
        Cell(content="", class_="plot"),
        Cell(content="Precision", is_number=True),
        Cell(content="95\u00a0% interval", is_number=True),
        Cell(content="", class_="plot"),
    ]
    rows = []
    for place, name in enumerate(accuracy.names[:MOST_ROWS]):
        row = [
            Cell(content=_named(name, by_name), is_head=True),
            Cell(content=count(int(accuracy.support[place])), is_number=True),
        ]
        for shares, ends in ((accuracy.recall, intervals.recall), (accuracy.precision, intervals.precision)):
            share, (low, high) = float(shares[place]), ends[place].tolist()
            row += [
                Cell(content=percent(share), is_number=True),
                Cell(content=interval(low, high), is_number=True, class_="faint"),
                Cell(content=interval_bar(share, low, high), class_="plot"),
            ]
        rows.append(row)
    caption = (
        "Recall (producer's accuracy): of the reference pixels of a class, the share that is mapped as such. "
        "Precision (user's accuracy): of the reference pixels mapped as a class, the share that belongs to it."
    )
    return numbering.table(head, rows, caption, class_="figures")


def _named(name: str, by_name: Mapping[str, ClassEntry]) -> Html:
    return class_term(by_name[name]) if name in by_name else term(name)


def _confusion(accuracy: Accuracy, by_name: Mapping[str, ClassEntry], numbering: Numbering) -> Html:
    if len(accuracy.names) > MOST_COLUMNS:
        return _largest_confusions(accuracy, by_name, numbering)
    numbers = [str(number) for number in range(1, len(accuracy.names) + 1)]
    shows_none = bool(accuracy.unclassified.any())
    head = [
        Cell(content="Reference"),
        *(
            Cell(content=element("abbr", number, title=name), is_number=True)
            for number, name in zip(numbers, accuracy.names, strict=True)
        ),
        *([Cell(content="none", is_number=True)] if shows_none else []),
    ]
    whole = np.maximum(accuracy.confusion.sum(axis=1), 1)
    rows = []
    for place, name in enumerate(accuracy.names):
        cells = accuracy.confusion[place].tolist()
        cells = cells if shows_none else cells[:-1]
        rows.append(
            [
                Cell(
                    content=[element("span", numbers[place], class_="index"), " ", _named(name, by_name)], is_head=True
                ),
                *(
                    Cell(
                        content=count(number) if number else "·",
                        is_number=True,
                        class_="right" if column == place else "" if number else "zero",
                        style=f"--share:{number / whole[place]:.3f}" if number else None,
                    )
                    for column, number in enumerate(cells)
                ),
            ]
        )
    caption = (
        "Confusion matrix in pixels: rows are the reference, columns the map. The darker a cell, the larger its share "
        "of the reference class."
    )
    return numbering.table(head, rows, caption, class_="confusion")


def _largest_confusions(accuracy: Accuracy, by_name: Mapping[str, ClassEntry], numbering: Numbering) -> Html:
    wrong = accuracy.confusion[:, :-1].copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    head = [
        Cell(content="Reference"),
        Cell(content="taken for"),
        Cell(content="Pixels", is_number=True),
        Cell(content="of the reference class", is_number=True),
    ]
    rows = []
    for flat in order.tolist():
        row, column = divmod(flat, len(accuracy.names))
        if not wrong[row, column]:
            break
        rows.append(
            [
                Cell(content=_named(accuracy.names[row], by_name), is_head=True),
                Cell(content=_named(accuracy.names[column], by_name)),
                Cell(content=count(int(wrong[row, column])), is_number=True),
                Cell(content=percent(float(wrong[row, column] / accuracy.support[row])), is_number=True),
            ]
        )
    caption = f"The {len(rows)} most frequent confusions among {len(accuracy.names)} classes."
    return numbering.table(head, rows, caption, class_="figures")


def _areas(findings: Findings, evaluation: Evaluation, by_name: Mapping[str, ClassEntry], numbering: Numbering) -> Html:
    unit = area_unit(sum(row.mapped for row in evaluation.areas), evaluation.area_unit)
    head = [
        Cell(content="Class"),
        Cell(content=f"Mapped ({unit.name})", is_number=True),
        Cell(content=f"Estimated ({unit.name})", is_number=True),
        Cell(content="±", is_number=True),
    ]
    rows = [
        [
            Cell(content=_named(row.name, by_name), is_head=True),
            Cell(content=unit.write(row.mapped, unit=False), is_number=True),
            Cell(content=unit.write(row.area, unit=False), is_number=True),
            Cell(content=unit.write(row.half_width, unit=False), is_number=True, class_="faint"),
        ]
        for row in evaluation.areas[:MOST_ROWS]
    ]
    caption = (
        "Class areas adjusted for the map's errors (Olofsson et al. 2014), ± half the 95\u00a0% interval. "
        "The mapped area alone is a biased estimate."
    )
    condition = f"{evaluation.area_note[0].upper()}{evaluation.area_note[1:]}." if evaluation.area_note else ""
    remark = caution(condition) if condition.startswith("NOT") else note(condition)
    return join([numbering.table(head, rows, caption, class_="figures"), remark])
