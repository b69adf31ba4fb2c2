"""Counts and names in the words of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["in_words", "name_some"]


def in_words(counts: Mapping[str, int]) -> list[str]:
    """The counts that are not 0, as text; their names are in the plural.

    >>> in_words({"pixels on nodata": 1, "features outside": 0})
    ['1 pixel on nodata']
    """
    return [f"{count} {what if count != 1 else what.replace('s ', ' ', 1)}" for what, count in counts.items() if count]


def name_some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are.

    >>> name_some(["oak", "elm", "ash"], 2), name_some(["oak", "elm"], 2)
    ('oak, elm and 1 more', 'oak, elm')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
