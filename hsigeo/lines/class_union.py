"""One class table for maps whose tables differ: equal names are the same class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassTable
from hsigeo.io.labels.merging import merge_class_tables
from hsigeo.lines.mapped_line import MappedLine
from hsigeo.messages import name_some

__all__ = ["ClassUnion", "unite_classes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassUnion:
    """Common classes, and the way there from the ids of each line.

    Parameters
    ----------
    classes
        The common table.
    lookups
        For each line, (id,) → common id; 0 stays 0.
    notes
        What differed among the maps, as sentences.
    """

    classes: ClassTable
    lookups: tuple[NDArray[np.uint16], ...]
    notes: tuple[str, ...]

    def translate(self, number: int, ids: NDArray[Any]) -> NDArray[np.uint16]:
        """Ids of the line of this number as common ids; ids its table does not name become 0."""
        lookup = self.lookups[number]
        known = np.where(ids < len(lookup), ids, 0)
        return lookup[known]


def unite_classes(lines: Sequence[MappedLine]) -> ClassUnion:
    """Merge the class tables of all lines by name.

    Raises
    ------
    LabelError
        There are more than 65535 classes.
    """
    tables = [line.raster.classes for line in lines]
    classes, mappings = merge_class_tables(tables)
    lookups = []
    for mapping in mappings:
        lookup: NDArray[np.uint16] = np.zeros(max(mapping, default=0) + 1, dtype=np.uint16)
        for old, new in mapping.items():
            lookup[old] = new
        lookups.append(lookup)
    return ClassUnion(classes=classes, lookups=tuple(lookups), notes=tuple(_notes(lines, classes, mappings)))


def _notes(lines: Sequence[MappedLine], classes: ClassTable, mappings: Sequence[dict[int, int]]) -> list[str]:
    notes = []
    renumbered = [
        line.name
        for line, mapping in zip(lines, mappings, strict=True)
        if any(old != new for old, new in mapping.items())
    ]
    if renumbered:
        notes.append(
            f"class ids differ among the maps; classes keep their names and get new ids ({name_some(renumbered)})"
        )
    common = {entry.name: entry.color for entry in classes}
    recolored = sorted(
        {entry.name for line in lines for entry in line.raster.classes if common.get(entry.name) != entry.color}
    )
    if recolored:
        notes.append(f"colours differ among the maps; one is used for each class ({name_some(recolored)})")
    partial = [line.name for line in lines if len(line.raster.classes) < len(classes)]
    if partial:
        notes.append(f"not every map knows all {len(classes)} classes ({name_some(partial)})")
    return notes
