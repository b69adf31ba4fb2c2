"""HTML and SVG elements; text is always escaped.

A page is a tree of `element` calls. A child that is a `str` is always escaped, an attribute too; only `Html`, which
nothing but this module and constants of this package make, goes into the page as it is. So no class name, file name or
line of a stranger's metadata can become markup, whoever writes a section and whatever they forget.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["NOTHING", "Child", "Html", "class_in_words", "clean", "element", "join", "plain", "shorten", "term"]

MOST_CHARACTERS = 120
"""Longest name on the page, in characters: names are untrusted and may be of any length."""

_VOID = frozenset({"br", "col", "hr", "img", "meta"})

# C0 and C1 controls but for tab and line breaks, halves of surrogate pairs, and what is no character at all: HTML has
# no place for them, and UTF-8 none for the halves.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# Marks that turn the direction of what follows. Inside an element with an isolated direction they end with it; in an
# attribute there is nothing to end them.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Html:
    """Markup that is finished.

    Parameters
    ----------
    text
        Goes into the page as it is.
    """

    text: str


NOTHING = Html("")

Child = Html | str | int | float | None | Iterable["Child"]


def element(tag: str, *children: Child, **attributes: str | float | bool | None) -> Html:
    """An element.

    Parameters
    ----------
    tag
        Name; of HTML or SVG.
    children
        Text, which is escaped; finished markup; or sequences of these. `None` is nothing.
    attributes
        ``_`` in a name stands for ``-``, at the end for nothing (``class_``). `None` and `False` leave it out, `True`
        gives it without a value.

    Examples
    --------
    >>> element("p", "a < b", class_="note").text
    '<p class="note">a &lt; b</p>'
    """
    parts = [f"<{tag}"]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        parts.append(f" {name.rstrip('_').replace('_', '-')}")
        if value is not True:
            parts.append(f'="{html.escape(plain(str(value)))}"')
    parts.append(">")
    if tag not in _VOID:
        parts += [*_texts(children), f"</{tag}>"]
    return Html("".join(parts))


def join(children: Iterable[Child], between: Child = None) -> Html:
    """Children one after another, with something between them."""
    separator = "".join(_texts([between]))
    return Html(separator.join("".join(_texts([child])) for child in children))


def term(name: str) -> Html:
    """A name from outside in running text: cut where it is endless, and of its own direction."""
    return element("bdi", shorten(name))


def class_in_words(name: str) -> Html:
    """A class in a sentence: one that has a number for a name would be taken for a figure."""
    return term(f"class {name}" if name.isdecimal() else name)


def plain(text: str) -> str:
    """Text for an attribute, or another place where a direction cannot be isolated."""
    return _TURNING.sub("", clean(text))


def clean(text: str) -> str:
    """Text that can stand in a page: what is no character becomes U+FFFD."""
    return _IMPOSSIBLE.sub("\ufffd", text)


def shorten(text: str) -> str:
    """A name on one line, of at most `MOST_CHARACTERS`."""
    flat = " ".join(text[: 4 * MOST_CHARACTERS].split())
    return flat if len(flat) <= MOST_CHARACTERS else flat[: MOST_CHARACTERS - 1].rstrip() + "…"


def _texts(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        match child:
            case None:
                continue
            case Html(text=text):
                yield text
            case str():
                yield html.escape(clean(child), quote=False)
            case int() | float():
                yield str(child)
            case _:
                yield from _texts(child)
