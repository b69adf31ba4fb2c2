"""Merges the class tables of several label files into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import MAX_CLASSES, ClassEntry, ClassTable, make_palette
from hsigeo.errors import LabelError
from hsigeo.io.labels.columns import natural_order
from hsigeo.labels import LabelledPixels

__all__ = ["merge_class_tables", "relabel"]


def merge_class_tables(tables: Sequence[ClassTable]) -> tuple[ClassTable, list[dict[int, int]]]:
    """Give every class one id across label files: the same name is the same class.

    Where no file contradicts another, ids stay as they are (label tiles that lack some classes). Where one name has
    two ids or one id two names (vector files with other sets of names), all classes are numbered anew, in the natural
    order of their names. A class that has its id for a name (a raster without names) takes the name that another
    file has for that id.

    Returns
    -------
    classes
        The common table; colours are those of the first file that has the class.
    mappings
        For each table, its ids → ids of the common table.

    Raises
    ------
    LabelError
        More than 65535 classes.
    """
    titles = _titles(tables)
    named = [
        [replace(entry, name=titles.get(entry.id, entry.name)) if _nameless(entry) else entry for entry in t]
        for t in tables
    ]
    first: dict[str, ClassEntry] = {}
    for entry in (entry for table in named for entry in table):
        first.setdefault(entry.name, entry)
    pairs = {(entry.id, entry.name) for table in named for entry in table}
    consistent = len(pairs) == len(first) == len({number for number, _ in pairs})
    if consistent:
        ids = {name: entry.id for name, entry in first.items()}
    else:
        ids = {name: number for number, name in enumerate(natural_order(first), start=1)}
    if len(ids) > MAX_CLASSES:
        raise LabelError(f"the label files have {len(ids)} classes together; {MAX_CLASSES} is the most a map can hold")
    classes = ClassTable(tuple(replace(first[name], id=number) for name, number in ids.items()))
    return _apart(classes), [{entry.id: ids[entry.name] for entry in table} for table in named]


def relabel(pixels: LabelledPixels, classes: ClassTable, mapping: dict[int, int]) -> LabelledPixels:
    """The same pixels under the ids of a common table, as `merge_class_tables` gives them."""
    lookup: NDArray[np.int32] = np.zeros(max(mapping, default=0) + 1, dtype=np.int32)
    for old, new in mapping.items():
        lookup[old] = new
    return replace(pixels, class_id=lookup[pixels.class_id], classes=classes)


def _nameless(entry: ClassEntry) -> bool:
    return entry.name == str(entry.id)


def _titles(tables: Sequence[ClassTable]) -> dict[int, str]:
    """Id → name, where every file that has a name for the id has the same."""
    titles: dict[int, str] = {}
    disputed = set()
    for entry in (entry for table in tables for entry in table if not _nameless(entry)):
        if titles.setdefault(entry.id, entry.name) != entry.name:
            disputed.add(entry.id)
    return {number: name for number, name in titles.items() if number not in disputed}


def _apart(classes: ClassTable) -> ClassTable:
    """Files color their classes on their own; where two now share a colour, all take the palette's."""
    if len({entry.color for entry in classes}) == len(classes):
        return classes
    colors = make_palette(len(classes))
    return ClassTable(tuple(replace(entry, color=color) for entry, color in zip(classes, colors, strict=True)))
