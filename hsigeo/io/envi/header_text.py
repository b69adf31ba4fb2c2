"""Changing an ENVI header: the fields that must change, and nothing else; comments and unknown fields stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsigeo.io.envi.header import EnviHeader, split_lines

__all__ = ["edit_header", "format_list"]

_PER_LINE = 8


def edit_header(header: EnviHeader, changes: Mapping[str, str | None]) -> str:
    """The text of a header with some fields changed.

    What the parser passed over (lines that are no field, earlier ones of fields that stand twice) becomes comments,
    so that every reader sees the same fields.

    Parameters
    ----------
    changes
        Key in lower case → new value, braces included; `None` takes the field away. Fields that are not there yet are
        added at the end.
    """
    lines = split_lines(header.raw)
    first_lines = {value.line: key for key, value in header.fields.items()}
    result = ["ENVI"]
    skip_to = 0
    for number, line in enumerate(lines, start=1):
        if number <= skip_to:
            continue
        key = first_lines.get(number)
        if key is None:
            result.extend(_passed_over(line))
            continue
        skip_to = header.fields[key].last_line
        if key not in changes:
            result.extend(lines[number - 1 : skip_to])
        elif (value := changes[key]) is not None:
            result.append(f"{key} = {value}")
    added = [f"{key} = {value}" for key, value in changes.items() if key not in header.fields and value is not None]
    while not result[-1].strip():
        result.pop()
    return "\n".join([*result, *added]) + "\n"


def format_list(values: Sequence[str]) -> str:
    """A list in braces, some values a line: ENVI cuts lines that are very long."""
    rows = [", ".join(values[start : start + _PER_LINE]) for start in range(0, len(values), _PER_LINE)]
    return "{\n " + ",\n ".join(rows) + "}"


def _passed_over(line: str) -> list[str]:
    stripped = line.strip()
    if stripped.upper() == "ENVI":
        return []
    return [line if not stripped or stripped.startswith(";") else f"; {stripped}"]
