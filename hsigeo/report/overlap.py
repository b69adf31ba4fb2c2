"""The section on agreement with overlapping flight lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hsigeo.report.agreement import Agreement
from hsigeo.report.blocks import Cell, Numbering, Section, caution, class_term
from hsigeo.report.findings import Findings
from hsigeo.report.markup import Child, Html, element, join, term
from hsigeo.report.wording import count, percent, plural

__all__ = ["render_agreement"]

MOST_ROWS = 40


def render_agreement(findings: Findings, numbering: Numbering) -> Section | None:
    """What was found; `None` where nothing was compared."""
    agreement = findings.found.agreement
    if agreement is None:
        return None
    parts = [*_summary(agreement), _partners(agreement, numbering), _classes(findings, agreement, numbering)]
    return Section(anchor="agreement", title="Agreement with overlapping lines", body=join(parts))


def _summary(agreement: Agreement) -> list[Child]:
    share, pixels = percent(agreement.overall), plural(agreement.pixels, "pair of pixels", "pairs of pixels")
    said: list[Child] = [
        f"Where the {plural(len(agreement.lines), 'line')} overlap, {share} of {pixels} have the same class."
    ]
    own = agreement.own
    if own is not None:
        shared = plural(own.neighbours, "neighbour")
        said += [
            " ",
            term(own.name),
            f" agrees with its {shared} on {percent(own.agreement)} of {count(own.pixels)} pixels.",
        ]
    said.append(
        " Agreement is not accuracy: lines can agree on the wrong class. But where they disagree, one must be wrong."
    )
    parts: list[Child] = [element("p", said)]
    if own is not None and own.odd:
        worse = (
            "" if math.isnan(own.excess) else f": it adds {100 * own.excess:.1f} points of disagreement to its pairs"
        )
        parts.append(caution("This line stands out", worse, ". Check its weather, view angles and processing."))
    elif odd := [row for row in agreement.lines if row.odd]:
        names: list[Child] = [term(row.name) for row in odd[:5]]
        parts.append(element("p", "Lines that stand out: ", join(names, ", "), "."))
    return parts


def _partners(agreement: Agreement, numbering: Numbering) -> Html:
    """The pairs of the map's own line; for a mosaic, all lines."""
    if agreement.line:
        head, name = ["Neighbour", "Common pixels", "Agreement"], agreement.line
        found = [pair for pair in agreement.pairs if name in (pair.first, pair.second)]
        found.sort(key=lambda pair: pair.agreement)
        rows = [
            _row(pair.second if pair.first == name else pair.first, pair.pixels, pair.agreement)
            for pair in found[:MOST_ROWS]
        ]
        caption = "Lines that overlap this one, lowest agreement first."
    else:
        head = ["Line", "Common pixels", "Agreement"]
        compared = sorted((row for row in agreement.lines if row.neighbours), key=lambda row: row.agreement)
        rows = [_row(row.name, row.pixels, row.agreement) for row in compared[:MOST_ROWS]]
        caption = "The lines, lowest agreement first."
    return numbering.table(_head(head), rows, caption, class_="figures")


def _classes(findings: Findings, agreement: Agreement, numbering: Numbering) -> Html:
    by_name = {entry.name: entry for entry in findings.raster.classes}
    rows = [
        [
            Cell(content=class_term(by_name[row.name]) if row.name in by_name else term(row.name), is_head=True),
            Cell(content=count(row.pixels), is_number=True),
            Cell(content=percent(row.agreement), is_number=True),
            Cell(content=term(row.confused_with) if row.confused_with else "–"),  # noqa: RUF001
        ]
        for row in agreement.classes[:MOST_ROWS]
        if row.pixels
    ]
    head = [*_head(["Class", "Pixels", "Agreement"]), Cell(content="Most often taken for")]
    return numbering.table(head, rows, "Agreement on each class, over all pairs of lines.", class_="figures")


def _head(names: Sequence[str]) -> list[Cell]:
    return [Cell(content=name, is_number=place > 0) for place, name in enumerate(names)]


def _row(name: str, pixels: int, agreement: float) -> list[Cell]:
    return [
        Cell(content=term(name), is_head=True),
        Cell(content=count(pixels), is_number=True),
        Cell(content=percent(agreement), is_number=True),
    ]
