"""Checks of the text of an ENVI header, before any field is read."""

from __future__ import annotations

import re

from hsigeo.errors import SceneError
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.envi.header import EnviHeader, parse_key, split_lines

__all__ = ["NUMBER_LISTS", "check_numbers", "check_text", "close_braces"]

NUMBER_LISTS = (
    "wavelength",
    "fwhm",
    "bbl",
    "data gain values",
    "data offset values",
    "default bands",
    "class lookup",
    "geo points",
)

_KEYS = {
    *NUMBER_LISTS,
    "acquisition time",
    "band names",
    "bands",
    "byte order",
    "class names",
    "classes",
    "coordinate system string",
    "data ignore value",
    "data type",
    "description",
    "file compression",
    "file type",
    "header offset",
    "interleave",
    "lines",
    "map info",
    "pixel size",
    "projection info",
    "reflectance scale factor",
    "samples",
    "sensor type",
    "wavelength units",
    "z plot titles",
}


def close_braces(text: str) -> tuple[str, list[Finding]]:
    """Close the braces that are still open where the next field begins.

    Returns
    -------
    str
        The text, lines as before.
    list of Finding
        One for each brace, with nothing more to change.
    """
    lines = split_lines(text)
    found: list[Finding] = []
    opened: tuple[str, int] | None = None
    for number, line in enumerate(lines):
        key = parse_key(line)
        if opened is not None and opened[0] != "description" and key in _KEYS:
            found.append(_close(lines, opened, number))
            opened = None
        if opened is None and key is not None and "{" in (value := line.partition("=")[2]) and "}" not in value:
            opened = key, number
        elif opened is not None and "}" in line:
            opened = None
    if opened is not None:
        found.append(_close(lines, opened, len(lines)))
    return ("\n".join(lines), found) if found else (text, [])


def _close(lines: list[str], opened: tuple[str, int], stop: int) -> Finding:
    """Add a brace to the last line that is not empty before `stop`."""
    key, start = opened
    last = max(number for number in range(start, stop) if number == start or lines[number].strip())
    lines[last] = re.sub(r"[,\s]*$", "}", lines[last])
    return Finding(
        code="open-brace",
        severity="error",
        message=f"the brace that '{key}' opens in line {start + 1} is not closed before the next field",
        remedy=f"close it in line {last + 1}",
    )


def check_text(header: EnviHeader) -> list[Finding]:
    """A byte order mark, and band names with commas in them."""
    found = _check_names(header)
    if not header.raw.startswith("\ufeff"):
        return found
    return [
        *found,
        Finding(
            code="byte-order-mark",
            severity="note",
            message="the header begins with a byte order mark, and GDAL does not recognise it as one of ENVI",
            remedy="save it without (UTF-8, not UTF-8 with BOM)",
            changes={"file type": header.text("file type") or "ENVI Standard"},
        ),
    ]


def _check_names(header: EnviHeader) -> list[Finding]:
    names = [line.strip().rstrip(",") for line in header.text("band names").splitlines() if line.strip()]
    count = len(header.items("band names"))
    if count == len(names) or str(len(names)) != header.text("bands"):
        return []
    return [
        Finding(
            code="band-names",
            severity="note",
            message=f"band names hold commas, so that GDAL sees {count} names for {len(names)} bands, and wrong ones",
            remedy="write semicolons instead",
            changes={"band names": "{\n" + ",\n".join(name.replace(",", ";") for name in names) + "}"},
        )
    ]


def check_numbers(header: EnviHeader) -> list[Finding]:
    """Lists that hold something else than numbers, and a scale factor that is none."""
    found = []
    for key in NUMBER_LISTS:
        try:
            header.numbers(key)
        except SceneError as error:
            found.append(
                Finding(
                    code="not-a-number",
                    severity="error",
                    message=str(error).removeprefix(f"{header.source}, "),
                    remedy=f"correct it; without '{key}' the rest can be read",
                    changes={key: None},
                )
            )
    key = "reflectance scale factor"
    if key in header and not _is_factor(header):
        found.append(
            Finding(
                code="not-a-number",
                severity="error",
                message=f"line {header.fields[key].line}: {key} = {header.text(key)!r:.40} is no factor to divide by",
                remedy="correct it; without it the scale is guessed",
                changes={key: None},
            )
        )
    return found


def _is_factor(header: EnviHeader) -> bool:
    try:
        numbers = header.numbers("reflectance scale factor")
    except SceneError:
        return False
    return len(numbers) == 1 and 0 < numbers[0] < float("inf")
