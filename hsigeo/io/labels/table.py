"""CSV tables of classes, and which row belongs to which spectrum."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hsigeo.errors import LabelError
from hsigeo.io.text_encoding import decode_text

__all__ = ["kind_of", "match_rows", "read_table"]

MAX_TABLE_BYTES = 256 << 20
MAX_COLUMNS = 10_000
_DELIMITERS = ",;\t"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_table(path: Path, *, encoding: str | None = None) -> dict[str, list[str]]:
    """Columns of a CSV file by title; cells without surrounding blanks.

    Comma, semicolon or tab, whichever the title line has most of; quoted or not; in UTF-8, in what a byte order mark
    says, or in the `encoding` that the user names.

    Raises
    ------
    LabelError
        The file is not there, too large, no CSV, or in another encoding.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TABLE_BYTES + 1)
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_TABLE_BYTES:
        raise LabelError(f"{path} is larger than {MAX_TABLE_BYTES >> 20} MiB; a table of classes is a small file")
    text = decode_text(content, encoding, where=str(path))
    title_line = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=title_line.count)
    if title_line.count(delimiter) >= MAX_COLUMNS:
        raise LabelError(f"{path} has more than {MAX_COLUMNS} columns; keep the coordinates and the class")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise LabelError(f"{path} is no CSV table: {error}") from error
    if not rows:
        raise LabelError(f"{path} is empty; it needs a header line and a row for each spectrum")
    titles = [title.strip() for title in rows[0]]
    repeated = [title for title, times in Counter(titles).items() if times > 1 and title]
    if repeated:
        raise LabelError(f"{path} has more than one column {repeated[0]!r}")
    return {
        title: [row[position].strip() if position < len(row) else "" for row in rows[1:]]
        for position, title in enumerate(titles)
        if title
    }


def match_rows(
    columns: dict[str, list[str]], names: Sequence[str], *, where: str, notes: list[str]
) -> tuple[dict[str, list[str]], str | None]:
    """The table with one row for each name, in the order of the names; and the column that holds the names.

    Raises
    ------
    LabelError
        No column holds all names, and there are not as many rows as names.
    """
    for title, values in columns.items():
        position = {value: row for row, value in enumerate(values)}
        if len(set(names)) == len(names) and len(position) == len(values) and all(name in position for name in names):
            order = [position[name] for name in names]
            return {other: [cells[row] for row in order] for other, cells in columns.items()}, title
    first = next(iter(columns))
    rows = len(columns[first])
    if rows != len(names):
        unknown = next((name for name in names if name not in columns[first]), "none")
        raise LabelError(
            f"{where} has {rows} rows for {len(names)} spectra, and no column holds all their names (column {first!r} "
            f"lacks {unknown!r:.60}); give one row for each spectrum"
        )
    notes.append(f"{where}: no column holds the names of all spectra; its rows were taken in the order of the spectra")
    return columns, None


def kind_of(values: Sequence[str]) -> str:
    """``integer``, ``real`` or ``text``: what all cells that are not empty can be read as."""
    filled = [value for value in values if value]
    if not filled or not all(_NUMBER.fullmatch(value) for value in filled):
        return "text"
    return "integer" if all(value.lstrip("+-").isdecimal() for value in filled) else "real"
