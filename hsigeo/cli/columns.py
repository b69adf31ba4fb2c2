"""Names and figures in columns and sentences on a terminal.

Its cells are not characters: 樟 takes two, an accent that is typed apart none.
"""

from __future__ import annotations

import math
import unicodedata

__all__ = ["cells_of", "decimal", "pad", "percent", "shorten"]

_NAME_WIDTH = 30


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


def shorten(name: str, most: int = _NAME_WIDTH) -> str:
    """A name on one line, cut where it is longer than `most` characters."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def percent(share: float) -> str:
    """A share in per cent with one digit; ``-`` where there is none."""
    return "-" if math.isnan(share) else f"{100 * share:.1f}"


def decimal(value: float, digits: int) -> str:
    """With so many digits after the point; ``-`` where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
