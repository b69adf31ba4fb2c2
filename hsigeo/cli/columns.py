"""Names in columns of a terminal, whose cells are not characters: 樟 takes two, an accent that is typed apart none."""

from __future__ import annotations

import unicodedata

__all__ = ["cells_of", "pad"]


def cells_of(text: str) -> int:
    """How many cells of a terminal a text takes (Unicode Standard Annex 11).

    >>> cells_of("Buk"), cells_of("樟树"), cells_of("e\u0301")
    (3, 4, 1)
    """
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, cells: int) -> str:
    """A text with blanks behind it up to so many cells."""
    return text + " " * (cells - cells_of(text))
