"""The index as a page."""

from __future__ import annotations

import base64
import hashlib

from hsigeo.agreement.effects import FEWEST_LINES
from hsigeo.report.blocks import Cell, Numbering, Section, caution, note
from hsigeo.report.index.campaign import Campaign, ClassTotal
from hsigeo.report.index.sketch import render_sketch
from hsigeo.report.index.tables import anchor_of, render_classes, render_lines, render_shares
from hsigeo.report.markup import Child, Html, class_in_words, element, join, term
from hsigeo.report.overview import key_figures
from hsigeo.report.skeleton import POLICY, document, footer, resource
from hsigeo.report.wording import area_unit, count, enumerate_words, percent, plural

__all__ = ["make_index_page"]

LARGEST = 3
MOST_NAMED = 12
"""Lines that are named above the table because something about them is to be looked at."""


def make_index_page(campaign: Campaign) -> str:
    """The whole document.

    It runs one script, which sorts its tables; the policy names it by its digest, so no other can run.
    """
    script = resource("index/sort.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    numbering = Numbering()
    sections = [section for section in _sections(campaign, numbering) if section is not None]
    links = [element("li", element("a", section.title, href=f"#{section.anchor}")) for section in sections]
    return document(
        f"Class maps: {campaign.name}",
        element("a", "Skip to the lines", href="#lines", class_="skip"),
        element(
            "main",
            _overview(campaign),
            element("nav", element("ol", links), aria_label="Contents"),
            [section.render() for section in sections],
            element("p", id="sorted", role="status", class_="spoken"),
        ),
        footer(campaign.written),
        element("script", Html(script)),
        policy=f"{POLICY}; script-src 'sha256-{digest}'",
        more_style=resource("index/index.css"),
    )


def _sections(campaign: Campaign, numbering: Numbering) -> list[Section | None]:
    return [
        _place(campaign, numbering),
        _to_be_looked_at(campaign),
        _failures(campaign, numbering),
        _lines(campaign, numbering),
        _classes(campaign, numbering),
    ]


def _lines(campaign: Campaign, numbering: Numbering) -> Section | None:
    if not campaign.entries:
        return None
    return Section(anchor="lines", title="The lines", body=render_lines(campaign, numbering))


def _overview(campaign: Campaign) -> Html:
    return element(
        "header",
        element("h1", "Class maps: ", element("bdi", campaign.name)),
        element("p", plural(len(campaign.entries), "flight line"), class_="subtitle"),
        element(
            "div",
            element("p", join(_what(campaign), " ")),
            element("p", join(_trust(campaign), " ")),
            class_="summary",
            role="region",
            aria_label="Summary",
        ),
        key_figures(_figures(campaign)),
    )


def _what(campaign: Campaign) -> list[Child]:
    totals = campaign.totals()
    if not totals:
        return ["No pixel of any line has a class."]
    whole = sum(total.area for total in totals)
    amount = area_unit(whole, campaign.unit).write(whole)
    largest: list[Child] = [
        [class_in_words(total.name), f" ({percent(total.area / whole)})"] for total in totals[:LARGEST]
    ]
    sentences: list[Child] = [
        f"These maps of {plural(len(campaign.entries), 'flight line')} distinguish "
        f"{plural(len(totals), 'class', 'classes')} on {amount}; ground covered by two lines counts twice.",
        ["The largest are ", enumerate_words(largest), "."],
    ]
    if campaign.failures:
        sentences.append(element("strong", f"{plural(len(campaign.failures), 'line')} could not be shown."))
    return sentences


def _trust(campaign: Campaign) -> list[Child]:
    sentences: list[Child] = []
    models = campaign.models
    if len(models) == 1:
        sentences.append(["All were made with the model ", term(models[0]), "."])
    elif models:
        sentences.append(f"They were made with {len(models)} different models, so compare lines with care.")
    held_out = {row.held_out for row in campaign.rows if row.held_out is not None}
    if len(held_out) == 1:
        sentences.append(
            f"On ground held out in training, it classified {percent(held_out.pop())} of the pixels correctly."
        )
    sentences += _agreement(campaign)
    return sentences or ["Their accuracy is not known."]


def _agreement(campaign: Campaign) -> list[Child]:
    known = sorted(row.agreement for row in campaign.rows if row.agreement is not None)
    if not known:
        return []
    extent = percent(known[0]) if known[0] == known[-1] else f"{percent(known[0])} to {percent(known[-1])}"
    middle = f", half of the lines on {percent(known[len(known) // 2])} or more" if len(known) >= FEWEST_LINES else ""
    return [
        f"Lines agree with those that overlap them on {extent} of the common pixels{middle}. Agreement is not accuracy."
    ]


def _figures(campaign: Campaign) -> list[tuple[str, str, str]]:
    totals = campaign.totals()
    whole = sum(total.area for total in totals)
    pixels = sum(row.pixels for row in campaign.rows)
    without = 1 - sum(total.pixels for total in totals) / max(pixels, 1)
    noted = sum(bool(entry.cautions) for entry in campaign.entries)
    return [
        ("Lines", count(len(campaign.entries)), _shortfall(campaign)),
        ("With a class", area_unit(whole, campaign.unit).write(whole), "overlaps counted more than once"),
        ("Classes", count(len(totals)), _everywhere(totals, len(campaign.entries))),
        ("Without a class", percent(without), f"of {plural(pixels, 'pixel')}"),
        ("To check", plural(noted, "line"), "see below" if noted else "nothing stands out"),
    ]


def _shortfall(campaign: Campaign) -> str:
    return f"{count(len(campaign.failures))} more without a page" if campaign.failures else "all with a page"


def _everywhere(totals: list[ClassTotal], lines: int) -> str:
    return f"{count(sum(total.lines == lines for total in totals))} of them in every line"


def _place(campaign: Campaign, numbering: Numbering) -> Section | None:
    sketch = render_sketch(campaign)
    if sketch is None:
        return None
    caption = "Outlines of the lines, north up; each is a link to its row. Dashed: lines to check."
    return Section(anchor="where", title="Where they lie", body=numbering.figure(sketch, caption))


def _to_be_looked_at(campaign: Campaign) -> Section | None:
    noted = [(number, entry) for number, entry in enumerate(campaign.entries) if entry.cautions]
    noted.sort(key=lambda item: -len(item[1].cautions))
    if not noted and not campaign.shared:
        return None
    items = [
        element("li", element("a", term(entry.row.name), href=f"#{anchor_of(number)}"), ": ", "; ".join(entry.cautions))
        for number, entry in noted[:MOST_NAMED]
    ]
    others = len(noted) - MOST_NAMED
    parts: list[Child] = [
        caution(f"In {plural(lines, 'line')}: {what}.") for what, lines in campaign.shared[:MOST_NAMED]
    ]
    parts.append(element("ul", items, class_="first") if items else None)
    parts.append(note(f"And {plural(others, 'more line')} in the table.") if others > 0 else None)
    return Section(anchor="first", title="What to look at first", body=join(parts))


def _failures(campaign: Campaign, numbering: Numbering) -> Section | None:
    if not campaign.failures:
        return None
    rows = [
        [Cell(content=term(failure.name), is_head=True), Cell(content=failure.status), Cell(content=failure.why or "–")]  # noqa: RUF001
        for failure in campaign.failures
    ]
    head = [Cell(content="Line"), Cell(content="State"), Cell(content="Why")]
    table = numbering.table(head, rows, "Lines without a page.", class_="words")
    warning = caution("Areas on this page do not include these lines.")
    return Section(anchor="missing", title="Lines that are not shown", body=join([warning, table]))


def _classes(campaign: Campaign, numbering: Numbering) -> Section | None:
    if not campaign.totals():
        return None
    body = join([render_classes(campaign, numbering), render_shares(campaign, numbering)])
    return Section(anchor="classes", title="The classes", body=body)
