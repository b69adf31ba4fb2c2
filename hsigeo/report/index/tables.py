"""The tables of the index: lines, classes, and the classes of each line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from hsigeo.report.blocks import Cell, Numbering, named_color
from hsigeo.report.certainty import UNSURE
from hsigeo.report.index.campaign import Campaign, Entry
from hsigeo.report.index.row import Row, Thumbnail
from hsigeo.report.markup import NOTHING, Child, Html, class_in_words, element, join, term
from hsigeo.report.wording import AreaUnit, area_unit, count, percent, plural

__all__ = ["anchor_of", "render_classes", "render_lines", "render_shares", "unit_of"]

NAMED = 3
"""Classes that a row names."""

MOST_COLUMNS = 12
"""Classes of the last table; the others are one column."""

MOST_CLASSES = 60
DRAWN = 0.004
"""A class with less of a line is too thin to be seen in its bar."""

TEXT, NUMBER = "text", "number"


@dataclass(frozen=True)
class _Share:
    """A column of shares, left out where no line knows it."""

    title: str
    of: Callable[[Row], float | None]


_SHARES = (
    _Share("Without a class", lambda row: row.unclassified),
    _Share("Unlike the training data", lambda row: row.unknown),
    _Share(f"Less than {100 * UNSURE:g}\u202f% sure", lambda row: row.unsure),
    _Share("Agreement with neighbours", lambda row: row.agreement),
    _Share("Overall accuracy", lambda row: row.accuracy),
)


def unit_of(campaign: Campaign) -> AreaUnit:
    """In what the page gives areas: one that suits a line."""
    largest = max((campaign.amount_of(row) for row in campaign.rows), default=0.0)
    return area_unit(largest, campaign.unit)


def anchor_of(number: int) -> str:
    """The id of a line in the table."""
    return f"line-{number + 1}"


def render_lines(campaign: Campaign, numbering: Numbering) -> Html:
    """One row for each line with a map."""
    unit = unit_of(campaign)
    shares = [share for share in _SHARES if any(share.of(row) is not None for row in campaign.rows)]
    head = [
        Cell(content="Line", sort=TEXT),
        Cell(content="Map and scene", class_="thumbs"),
        Cell(content=f"With a class ({unit.name})", is_number=True, sort=NUMBER),
        Cell(content="Largest classes", class_="parts"),
        *(Cell(content=share.title, is_number=True, sort=NUMBER) for share in shares),
        Cell(content="To check", class_="cautions", sort=NUMBER),
    ]
    rows = [
        [
            Cell(content=_link(entry, number), is_head=True, sort=entry.row.name),
            Cell(content=element("div", [_shown(picture) for picture in entry.row.pictures]), class_="thumbs"),
            _number(campaign.amount_of(entry.row), unit.write(campaign.amount_of(entry.row), unit=False)),
            Cell(content=_parts(campaign, entry.row), class_="parts"),
            *(_number(share.of(entry.row), percent(share.of(entry.row))) for share in shares),
            _cautions(entry),
        ]
        for number, entry in enumerate(campaign.entries)
    ]
    caption = (
        "The lines; each name is a link to the page of its line. A dash means not known: the line was classified "
        "without --unknown or a confidence layer, or not compared with others."
    )
    return numbering.table(head, rows, caption, class_="lines sortable")


def render_classes(campaign: Campaign, numbering: Numbering) -> Html:
    """All classes, with what they cover in all lines together."""
    totals = campaign.totals()
    whole = sum(total.area for total in totals) or 1.0
    unit = area_unit(whole, campaign.unit)
    head = [
        Cell(content="Class", sort=TEXT),
        Cell(content="Lines", is_number=True, sort=NUMBER),
        Cell(content="Pixels", is_number=True, sort=NUMBER),
        *([] if unit.name == "pixels" else [Cell(content=f"Area ({unit.name})", is_number=True, sort=NUMBER)]),
        Cell(content="Share", is_number=True, sort=NUMBER),
        Cell(content="", class_="wide"),
    ]
    rows = []
    for total in totals[:MOST_CLASSES]:
        width = f"width:{100 * total.area / (totals[0].area or 1.0):.2f}%"
        area = [] if unit.name == "pixels" else [_number(total.area, unit.write(total.area, unit=False))]
        rows.append(
            [
                Cell(content=named_color(total.name, total.color), is_head=True, sort=total.name),
                _number(total.lines, count(total.lines)),
                _number(total.pixels, count(total.pixels)),
                *area,
                _number(total.area / whole, percent(total.area / whole)),
                Cell(content=element("span", class_="share", style=width, aria_hidden="true"), class_="wide"),
            ]
        )
    more = f" The largest {len(rows)} of {count(len(totals))}." if len(rows) < len(totals) else ""
    caption = f"The classes of all lines together; ground covered by two lines counts twice.{more}"
    return numbering.table(head, rows, caption, class_="legend sortable")


def render_shares(campaign: Campaign, numbering: Numbering) -> Html:
    """How much of each line is which class."""
    unit, totals = unit_of(campaign), campaign.totals()
    shown, rest = totals[:MOST_COLUMNS], totals[MOST_COLUMNS:]
    name = plural(len(rest), "other class", "other classes")
    others = [Cell(content=name, is_number=True, sort=NUMBER)] if rest else []
    head = [
        Cell(content="Line", sort=TEXT),
        *(Cell(content=named_color(total.name, total.color), is_number=True, sort=NUMBER) for total in shown),
        *others,
    ]
    rows = []
    for entry in campaign.entries:
        amounts = {part.name: campaign.amount(part) for part in entry.row.classes}
        whole = sum(amounts.values()) or 1.0
        values = [amounts.pop(total.name, 0.0) for total in shown]
        values += [sum(amounts.values())] if rest else []
        cells = [
            _number(value, unit.write(value, unit=False) if value else "·", style=f"--share:{value / whole:.3f}")
            for value in values
        ]
        rows.append([Cell(content=term(entry.row.name), is_head=True, sort=entry.row.name), *cells])
    caption = f"Extent of each class in each line, in {unit.name}. The darker a cell, the larger its share of the line."
    return numbering.table(head, rows, caption, class_="shares sortable")


def _link(entry: Entry, number: int) -> Html:
    # With ./ in front, so that no name can be an address of its own.
    return element("a", term(entry.row.name), href=f"./{quote(entry.page)}", id=anchor_of(number))


def _number(value: float | None, text: str, *, style: str | None = None) -> Cell:
    return Cell(content=text, is_number=True, sort=None if value is None else f"{value:.9g}", style=style)


def _shown(picture: Thumbnail) -> Html:
    source = f"data:image/png;base64,{picture.png}"
    return element("img", src=source, alt=picture.says, width=picture.width, height=picture.height)


def _parts(campaign: Campaign, row: Row) -> Html:
    whole = campaign.amount_of(row) or 1.0
    parts = [(part, campaign.amount(part) / whole) for part in row.classes]
    bars = [
        element("span", style=f"width:{100 * share:.2f}%;background:{part.color}")
        for part, share in parts
        if share >= DRAWN
    ]
    named: list[Child] = [[class_in_words(part.name), f" {percent(share)}"] for part, share in parts[:NAMED]]
    return join([element("div", bars, class_="stack", aria_hidden="true"), element("small", join(named, ", "))])


def _cautions(entry: Entry) -> Cell:
    listed = element("ul", [element("li", text) for text in entry.cautions]) if entry.cautions else NOTHING
    return Cell(content=listed, class_="cautions", sort=str(len(entry.cautions)))
