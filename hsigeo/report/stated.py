"""Reads values from untrusted documents: each has the expected type, or counts as missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

__all__ = ["stated_number", "stated_rows", "stated_share", "stated_text", "stated_texts", "stated_whole"]

LONGEST = 2000
MOST_TEXTS = 20
MOST_ROWS = 10_000


def stated_number(value: object) -> float | None:
    """A finite number; `None` for anything else, ``true`` among it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def stated_share(value: object) -> float | None:
    """A number from 0 to 1."""
    number = stated_number(value)
    return number if number is not None and 0 <= number <= 1 else None


def stated_whole(value: object) -> int | None:
    """A count, small enough that sums of some stay exact as floating-point numbers."""
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def stated_total(value: object) -> int | None:
    """The sum of a list of counts; `None` for anything else."""
    counts = [stated_whole(item) for item in value] if isinstance(value, list) else [None]
    return None if None in counts else sum(count for count in counts if count is not None)


def stated_text(value: object) -> str:
    """A text of at most `LONGEST` characters; empty for anything else."""
    return value[:LONGEST] if isinstance(value, str) else ""


def stated_texts(value: object) -> tuple[str, ...]:
    """Those of a list that are texts and not empty, `MOST_TEXTS` at most."""
    return tuple(text for item in value[:MOST_TEXTS] if (text := stated_text(item))) if isinstance(value, list) else ()


def stated_rows(value: object) -> Iterator[Mapping[str, object]]:
    """Those of a list that are objects, `MOST_ROWS` at most."""
    if isinstance(value, list):
        yield from (row for row in value[:MOST_ROWS] if isinstance(row, Mapping))
