"""Building blocks of pages: sections, numbered figures and tables, pictures, class names with their colours."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassEntry
from hsigeo.io.png import encode_png
from hsigeo.report.markup import Child, Html, element, term

__all__ = ["Cell", "Numbering", "Section", "caution", "class_term", "code", "named_color", "note", "picture", "table"]

SMOOTH = 400
"""A picture smaller than this is shown with its pixels, as a map is; a larger one may be scaled smoothly."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    anchor
        Its id.
    title
        Its heading.
    body
        What stands below.
    """

    anchor: str
    title: str
    body: Html

    def render(self) -> Html:
        """With its heading."""
        heading = element("h2", self.title, id=f"{self.anchor}-title")
        return element("section", heading, self.body, id=self.anchor, aria_labelledby=f"{self.anchor}-title")


@dataclass
class Numbering:
    """Counts figures and tables through the page."""

    figures: int = field(default=0)
    tables: int = field(default=0)

    def figure(self, content: Child, caption: Child, *, class_: str | None = None) -> Html:
        """A figure with its number and what it shows."""
        self.figures += 1
        label = element("b", f"Figure {self.figures}.")
        return element("figure", content, element("figcaption", label, " ", caption), class_=class_)

    def table(self, head: Sequence[Cell], rows: Sequence[Sequence[Cell]], caption: Child, **how: str) -> Html:
        """A table with its number and what it holds; see `table`."""
        self.tables += 1
        label = element("b", f"Table {self.tables}.")
        return table(head, rows, [label, " ", caption], name=f"Table {self.tables}", **how)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    content
        What stands in it.
    is_number
        Set right-aligned, with figures of one width.
    is_head
        Names its row or column.
    class_
        For the style sheet.
    style
        Of this cell alone.
    sort
        What rows are sorted by in this column; in the head, ``text`` or ``number`` for a column that can be sorted by.
    """

    content: Child
    is_number: bool = False
    is_head: bool = False
    class_: str = ""
    style: str | None = None
    sort: str | None = None

    def render(self, scope: str) -> Html:
        """As ``th`` or ``td``; `scope` is that of a head."""
        classes = " ".join(part for part in ("number" if self.is_number else "", self.class_) if part)
        tag, scope_ = ("th", scope) if self.is_head else ("td", None)
        return element(tag, self.content, scope=scope_, class_=classes or None, style=self.style, data_sort=self.sort)


def table(head: Sequence[Cell], rows: Sequence[Sequence[Cell]], caption: Child, *, name: str, class_: str = "") -> Html:
    """A table in a frame that scrolls where it is too wide, with the keyboard too.

    Parameters
    ----------
    name
        Of the frame, for screen readers.
    """
    # A column of bars repeats the numbers beside it for the eye; a head without text would only puzzle a screen reader.
    columns = [replace(cell, is_head=bool(cell.content)).render("col") for cell in head]
    body = [element("tr", [cell.render("row") for cell in row]) for row in rows]
    inner = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", columns)) if head else None,
        element("tbody", body),
        class_=class_ or None,
    )
    return element("div", inner, class_="scroll", role="region", aria_label=name, tabindex="0")


def picture(rgba: NDArray[np.uint8], says: str, *, ratio: float | None = None) -> Html:
    """A picture inside the page.

    Parameters
    ----------
    rgba : (4, y, x) uint8
    says
        What it shows, for whoever does not see it.
    ratio
        Of width to height as it is to be seen; by default that of the pixels.
    """
    _, height, width = rgba.shape
    shape = None if ratio is None or abs(ratio * height / width - 1) < 0.01 else f"aspect-ratio:{ratio:.4f}"
    source = "data:image/png;base64," + base64.b64encode(encode_png(rgba)).decode()
    crisp = "crisp" if max(height, width) < SMOOTH else None
    return element("img", src=source, alt=says, width=width, height=height, class_=crisp, style=shape)


def class_term(entry: ClassEntry) -> Html:
    """Colour and name of a class."""
    return named_color(entry.name, entry.hex_color)


def named_color(name: str, color: str) -> Html:
    """A colour, as style sheets write it, and the name that goes with it."""
    swatch = element("span", class_="swatch", style=f"background:{color}", aria_hidden="true")
    return element("span", swatch, term(name), class_="class")


def code(text: str) -> Html:
    """A command."""
    return element("code", text)


def note(*children: Child) -> Html:
    """A smaller remark."""
    return element("p", children, class_="note")


def caution(*children: Child) -> Html:
    """What must not be overlooked."""
    return element("p", element("strong", "Caution. "), children, class_="caution")
