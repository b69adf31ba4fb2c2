"""Class colours from a column of the label file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassTable, Color, make_palette

__all__ = ["color_column", "with_colors"]

_NAMES = ("color", "colour")
_HEX = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)


def color_column(types: Mapping[str, str], field: str | None) -> str | None:
    """The text column called ``color`` or ``colour``, unless it is asked for as the class itself."""
    found = [name for name, kind in types.items() if name.casefold() in _NAMES and kind == "text" and name != field]
    return found[0] if len(found) == 1 else None


def with_colors(classes: ClassTable, class_id: NDArray[np.int32], texts: Iterable[object]) -> ClassTable:
    """Give each class the colour its features name; classes without one keep out of the others' way.

    Parameters
    ----------
    class_id : (row,) int32
        0 where there is no class.
    texts : (row,)
        ``#1b7837`` or ``1b7837``; anything else names no colour. The first of a class counts.
    """
    named: dict[int, Color] = {}
    for number, text in zip(class_id.tolist(), texts, strict=True):
        match = _HEX.fullmatch(str(text).strip())
        if match and number not in named:
            named[number] = (int(match[1], 16), int(match[2], 16), int(match[3], 16))
    taken = set(named.values())
    spare = iter([color for color in make_palette(len(classes) + len(taken)) if color not in taken])
    return ClassTable(
        tuple(replace(entry, color=named[entry.id] if entry.id in named else next(spare)) for entry in classes)
    )
