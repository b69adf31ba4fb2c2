"""Changes of a map's classes (renamed, merged, recoloured, dropped), from a table in CSV or JSON.

One row for each class that changes. ``class`` is its name or id on the map; ``name`` its new name, and classes with the
same new name become one; ``color`` its new colour, ``#rrggbb``; ``id`` its new id, 0 to leave the class out. What is
empty or missing stays as it is.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import MAX_CLASSES, UNCLASSIFIED, ClassEntry, ClassTable, Color
from hsigeo.errors import LabelError

__all__ = ["ClassChange", "Recoding", "number_classes", "read_changes", "recode"]

COLUMNS = ("class", "name", "color", "id")
MOST_BYTES = 16 << 20

_Value = TypeVar("_Value")

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """One row of the table; `None` is "as it was".

    Parameters
    ----------
    old
        Name or id of a class of the map.
    name, color, id
        What they become; an id of 0 leaves the class out.
    """

    old: str
    name: str | None = None
    color: Color | None = None
    id: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Recoding:
    """New classes for old.

    Parameters
    ----------
    classes
        The new table.
    to_new
        (old id,) → new id; 0 for what is left out, and for 0 itself.
    """

    classes: ClassTable
    to_new: NDArray[np.uint16]

    def to_json(self, before: ClassTable) -> list[dict[str, Any]]:
        """What changed, one item for each class of the map before that is not as it was."""
        after = {entry.id: entry for entry in self.classes}
        rows = []
        for entry in before:
            new = after.get(int(self.to_new[entry.id]))
            if new != entry:
                became = {"id": 0} if new is None else {"id": new.id, "name": new.name, "color": list(new.color)}
                rows.append({"from": {"id": entry.id, "name": entry.name}, "to": became})
        return rows


def read_changes(path: str | Path) -> tuple[ClassChange, ...]:
    """Read a table of changes: CSV with a header row (comma, semicolon or tab), or JSON, a list of objects.

    Raises
    ------
    LabelError
        There is no such file, or it is no such table.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LabelError(f"{path} is larger than a table of classes can be ({MOST_BYTES >> 20} MiB)")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}; give a table of classes") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path} is not UTF-8 at byte {error.start}; save the table as UTF-8") from error
    rows = _parse_json(text, path) if path.suffix.casefold() == ".json" else _parse_csv(text, path)
    return tuple(_parse_row(row, f"{path}, class {number}") for number, row in enumerate(rows, start=1))


def recode(classes: ClassTable, changes: Sequence[ClassChange]) -> Recoding:
    """Apply changes to a class table.

    A merged class keeps the lowest of its ids and that one's colour, unless rows say otherwise.

    Raises
    ------
    LabelError
        A row names no class of the map, or one that another row named; rows contradict each other, or the new table
        is none (two names with one id).
    """
    by_class = _assign(classes, changes)
    groups: dict[str, list[ClassEntry]] = {}
    left_out = set()
    for entry in classes:
        change = by_class.get(entry.id)
        if change is not None and change.id == UNCLASSIFIED:
            left_out.add(entry.id)
        else:
            groups.setdefault(entry.name if change is None or change.name is None else change.name, []).append(entry)
    to_new = np.zeros(max(classes.ids, default=0) + 1, dtype=np.uint16)
    entries = []
    for name, members in groups.items():
        wanted = [by_class[entry.id] for entry in members if entry.id in by_class]
        number = _agreed({row.id for row in wanted if row.id is not None}, f"ids for {name!r}")
        color = _agreed({row.color for row in wanted if row.color is not None}, f"colours for {name!r}")
        new = ClassEntry(id=number or members[0].id, name=name, color=color or members[0].color)
        entries.append(new)
        to_new[[entry.id for entry in members]] = new.id
    try:
        return Recoding(classes=ClassTable(tuple(entries)), to_new=to_new)
    except ValueError as error:
        raise LabelError(f"the changes give no class table: {error}") from error


def number_classes(classes: ClassTable) -> dict[str, int]:
    """What a user may call a class → its id. Names come before ids: a class may be called "3"."""
    return {str(entry.id): entry.id for entry in classes} | {entry.name: entry.id for entry in classes}


def _assign(classes: ClassTable, changes: Sequence[ClassChange]) -> dict[int, ClassChange]:
    """Id of a class of the map → the row about it."""
    numbers = number_classes(classes)
    found: dict[int, ClassChange] = {}
    for change in changes:
        number = numbers.get(change.old)
        if number is None:
            raise LabelError(f"the map has no class {change.old!r}; it has {', '.join(classes.names)!s:.200}")
        if number in found:
            raise LabelError(f"class {change.old!r} is in the table of changes twice; give each class one row")
        found[number] = change
    return found


def _agreed(values: set[_Value], what: str) -> _Value | None:
    if len(values) > 1:
        raise LabelError(f"the table of changes has several {what}: {sorted(map(str, values))}; give one")
    return next(iter(values), None)


def _parse_csv(text: str, path: Path) -> list[Mapping[str, Any]]:
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        reader = csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True)
        rows: list[Mapping[str, Any]] = [row for row in reader if any(isinstance(v, str) and v for v in row.values())]
    except csv.Error as error:
        raise LabelError(f"{path} is no CSV table: {error}") from error
    if any(None in row for row in rows):
        raise LabelError(f"{path} has a row with more values than its header has columns; quote names with commas")
    return rows


def _parse_json(text: str, path: Path) -> list[Mapping[str, Any]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{path} is no JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LabelError(f"{path} is not a table of classes; give a list of objects with {', '.join(COLUMNS)} is")
    return rows


def _parse_row(row: Mapping[str, Any], where: str) -> ClassChange:
    values = {str(key).strip().casefold(): value for key, value in row.items()}
    if strange := sorted(set(values) - set(COLUMNS)):
        raise LabelError(f"{where}: there is no column {strange[0]!r}; columns are {', '.join(COLUMNS)}")
    text = {key: "" if value is None else str(value).strip() for key, value in values.items() if key != "color"}
    if not text.get("class"):
        raise LabelError(f"{where}: the column class is missing or empty; it names a class of the map")
    number = text.get("id", "")
    if number and not (number.isdecimal() and len(number) <= 5 and int(number) <= MAX_CLASSES):
        raise LabelError(f"{where}: the id is {number!r}; ids go from 1 to {MAX_CLASSES}, and 0 leaves a class out")
    return ClassChange(
        old=text["class"],
        name=text.get("name") or None,
        color=_parse_color(values.get("color"), where),
        id=int(number) if number else None,
    )


def _parse_color(value: Any, where: str) -> Color | None:
    """``#rrggbb``, or in JSON also three numbers."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and _HEX.fullmatch(value.strip()):
        red, green, blue = bytes.fromhex(value.strip()[1:])
        return red, green, blue
    if isinstance(value, list) and len(value) == 3 and all(type(v) is int and 0 <= v <= 255 for v in value):
        return value[0], value[1], value[2]
    raise LabelError(f"{where}: the colour is {value!r:.40}; write it as #rrggbb")
