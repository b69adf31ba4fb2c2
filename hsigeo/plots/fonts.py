"""Fonts for class names in any language: what DejaVu Sans lacks is looked for among the fonts that are installed.

matplotlib itself would warn about a missing character and draw an empty box. Here the list of families is chosen for
the texts of a figure, and what no installed font has is spelt as its Unicode number, which at least says what it was.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

__all__ = ["families_for", "isolate", "spell_out"]

BASE = "DejaVu Sans"
"""Comes with matplotlib, so it is always there: Latin, Greek, Cyrillic, Arabic, Hebrew, Georgian, Armenian, symbols."""

_BOXES = "Last Resort"
"""Also comes with matplotlib, and has a box for every character: no use for reading."""

_REGULAR = (400, "normal", "regular", "book")
"""A family without a regular weight is passed by: matplotlib would log a complaint each time it is used."""

_MOST_FILES = 3000
"""Nobody has more; a damaged font cache shall not make a figure take minutes."""


_LEFT_TO_RIGHT = "\u200e"
_KEPT = "\n\u200c\u200d" + _LEFT_TO_RIGHT
"""Without a shape but with a meaning: line breaks, the joiners of Persian and Hindi, and what `isolate` adds."""


def families_for(texts: Iterable[str]) -> list[str]:
    """Font families that together draw as much of the texts as the installed fonts can, the usual one first."""
    missing = _visible(texts) - _characters_of(BASE)
    families = [BASE]
    for family in _other_families() if missing else ():
        found = missing & _characters_of(family)
        if found:
            families.append(family)
            missing -= found
        if not missing:
            break
    return families


def spell_out(text: str, families: Iterable[str]) -> str:
    """The text as it can be drawn: runs of characters without a font as ``[U+6C34 U+57DF]``; controls as blanks.

    Line breaks stay, for titles have them, and so do marks that shape the letters beside them.
    """
    known = frozenset().union(*(_characters_of(family) for family in families))
    parts: list[str] = []
    run: list[str] = []
    for character in text:
        if _is_visible(character) and ord(character) not in known:
            run.append(f"U+{ord(character):04X}")
            continue
        parts += _spelt(run)
        run = []
        parts.append(character if _is_visible(character) or character in _KEPT else " ")
    return "".join(parts + _spelt(run))


def _spelt(run: list[str]) -> list[str]:
    return [f"[{' '.join(run)}]"] if run else []


def isolate(text: str) -> str:
    """Text that runs from right to left, kept apart from what stands beside it; any other as it is.

    A title that begins with an Arabic name would else run from right to left as a whole, with ``(12 px)`` turned about
    (Unicode Standard Annex 9). Marks on both sides do it; isolates would be the plainer means, but matplotlib's own
    font has none.
    """
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"{_LEFT_TO_RIGHT}{text}{_LEFT_TO_RIGHT}"
    return text


def _visible(texts: Iterable[str]) -> frozenset[int]:
    return frozenset(ord(character) for text in texts for character in text if _is_visible(character))


def _is_visible(character: str) -> bool:
    # Categories Z (separators) and C (controls, format characters, unassigned) have no shape of their own.
    return bool(character) and unicodedata.category(character)[0] not in "ZC"


def _other_families() -> Iterator[str]:
    """Families to search, upright text fonts made for many scripts first."""
    font_manager = _font_manager()
    names = {
        entry.name
        for entry in font_manager.fontManager.ttflist[:_MOST_FILES]
        if entry.style == "normal" and entry.weight in _REGULAR and not entry.name.startswith(_BOXES)
    }
    yield from sorted(
        names - {BASE}, key=lambda name: ("sans" not in name.casefold(), "noto" not in name.casefold(), name)
    )


@cache
def _characters_of(family: str) -> frozenset[int]:
    """Code points of the file that matplotlib takes for a family; none where the file cannot be read."""
    font_manager = _font_manager()
    properties = font_manager.FontProperties(family=family)
    try:
        path = font_manager.findfont(properties, fallback_to_default=False)
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, ValueError, RuntimeError):
        return frozenset()


def _font_manager() -> Any:
    """Matplotlib's. Without the warning of a home folder that its cache cannot be written to: it goes on without."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib import font_manager

    return font_manager
