"""Which column of a table names the class, and the class table of its values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import MAX_CLASSES, ClassEntry, ClassTable, make_palette
from hsigeo.errors import LabelError

__all__ = ["choose_column", "classes_from_values", "natural_order"]

# A column of one of these names holds the class even where other columns could; the first that is there wins.
_TELLING_NAMES = ("class", "class_name", "classname", "label", "label_name", "category", "landcover", "land_cover")
_ROW_NUMBERS = frozenset({"fid", "ogc_fid", "objectid", "object_id", "gid", "id", "uuid"})


def choose_column(types: Mapping[str, str], wanted: str | None, *, where: str) -> str:
    """Name of the column that holds the class.

    Parameters
    ----------
    types
        Column name to what it holds: ``text``, ``integer``, ``real``, or any other word.
    wanted
        The column the user named. `None` takes the only text or integer column that is no row number, or the
        one called ``class``, ``label``, ``category``, ``landcover`` or similar.
    where
        The file, for messages.

    Raises
    ------
    LabelError
        There is no such column, or no telling which; the message lists the columns there are.
    """
    listing = ", ".join(f"{name} ({kind})" for name, kind in types.items()) or "none"
    if wanted is not None:
        return _find(types, wanted, listing=listing, where=where)
    usable = [
        name for name, kind in types.items() if kind in ("text", "integer") and name.casefold() not in _ROW_NUMBERS
    ]
    for telling in _TELLING_NAMES:
        for name in usable:
            if name.casefold() == telling:
                return name
    if len(usable) == 1:
        return usable[0]
    if not usable:
        raise LabelError(f"{where}: no column could hold a class (text or whole numbers); columns: {listing}")
    raise LabelError(f"{where}: more than one column could hold the class; name one with --field; columns: {listing}")


def _find(types: Mapping[str, str], wanted: str, *, listing: str, where: str) -> str:
    if wanted not in types:
        alike = [name for name in types if name.casefold() == wanted.casefold()]
        if len(alike) != 1:
            raise LabelError(f"{where}: no column {wanted!r}; columns: {listing}")
        wanted = alike[0]
    if types[wanted] not in ("text", "integer", "real"):
        raise LabelError(
            f"{where}: column {wanted!r} holds {types[wanted]}; a class is text or a whole number; columns: {listing}"
        )
    return wanted


def classes_from_values(values: NDArray[Any], *, where: str) -> tuple[NDArray[np.int32], ClassTable]:
    """Class id of every row, and the class table.

    Text gives ids 1, 2, … to the names in natural order ("soil 2" before "soil 10"), so that ids depend on which
    names there are and not on the order of the rows. Numbers keep their value as id and are their own name;
    0 and below mean "no class".

    Parameters
    ----------
    values : (row,) text, integer or float
        `None`, NaN and blank text mean "no class".
    where
        The file and column, for messages.

    Returns
    -------
    class_id : (row,) int32
        0 where there is no class.
    classes
        The table.

    Raises
    ------
    LabelError
        A number that is not whole or above 65535, or more than 65535 names.
    """
    if values.dtype.kind in "iuf":
        return _from_numbers(values, where=where)
    names = [_clean(value) for value in values]
    order = natural_order(set(names) - {""})
    if len(order) > MAX_CLASSES:
        raise LabelError(f"{where}: {len(order)} different class names; {MAX_CLASSES} is the most a map can hold")
    number = {name: position for position, name in enumerate(order, start=1)} | {"": 0}
    return np.array([number[name] for name in names], dtype=np.int32), ClassTable.from_names(order)


def _from_numbers(values: NDArray[Any], *, where: str) -> tuple[NDArray[np.int32], ClassTable]:
    numbers = np.where(np.isnan(values), 0, values) if values.dtype.kind == "f" else values
    odd = numbers[numbers != np.floor(numbers)]
    if odd.size:
        raise LabelError(f"{where}: {odd[0]} is not a whole number; classes are text or whole numbers")
    if numbers.size and numbers.max() > MAX_CLASSES:
        raise LabelError(f"{where}: class id {int(numbers.max())} is too large; ids go from 1 to {MAX_CLASSES}")
    ids = np.maximum(numbers, 0).astype(np.int32)
    return ids, table_of_ids(np.unique(ids[ids > 0]).tolist())


def table_of_ids(ids: Iterable[int], names: Mapping[int, str] | None = None) -> ClassTable:
    """A class table with these ids, ascending; where no name is known, the number is the name."""
    ids = sorted(ids)
    names = names or {}
    colors = make_palette(len(ids))
    return ClassTable(
        tuple(
            ClassEntry(id=number, name=names.get(number, str(number)), color=color)
            for number, color in zip(ids, colors, strict=True)
        )
    )


def _clean(value: object) -> str:
    """Class name without surrounding blanks, its accents in one form: files of different systems disagree there."""
    return "" if value is None or value != value else unicodedata.normalize("NFC", str(value)).strip()


def natural_order(names: Iterable[str]) -> list[str]:
    """Names sorted as people sort them: numbers inside by value, case ignored unless nothing else differs."""

    def key(name: str) -> tuple[list[tuple[int, int, str]], str]:
        parts = re.findall(r"[0-9]+|[^0-9]+", name)
        return [(0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p.casefold()) for p in parts], name

    return sorted(names, key=key)
