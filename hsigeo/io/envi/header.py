"""The text of an ENVI header as keys and values, each with its line number.

GDAL reads headers too, but drops every value with ``=`` in it (``map info`` among them) and where a value stood. The
grammar, such as it is: the first line is ``ENVI``; then ``key = value``, or ``key = {value, value, …}`` over any number
of lines; lines that begin with ``;`` are comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.numerals import parse_number
from hsigeo.io.text_encoding import decode_text

__all__ = ["EnviHeader", "HeaderValue", "is_envi_header", "parse_header", "parse_key", "read_header", "split_lines"]

MAX_HEADER_BYTES = 16 << 20
"""A header of 65 535 bands with long names has about 5 MB; what is larger is not a header."""

_INTEGER = re.compile(r"[+-]?\d{1,18}(\.0*)?")


@dataclass(frozen=True)
class HeaderValue:
    """The text of one value, the lines it stood on (from 1, the last one included), and whether it had braces."""

    text: str
    line: int
    braced: bool = False
    last_line: int = 0


@dataclass(frozen=True, kw_only=True)
class EnviHeader:
    """The fields of one header, in the order of the file.

    Parameters
    ----------
    source
        The header's path, for messages.
    fields
        Key in lower case with single blanks → value.
    repairs
        What was odd about the text and how it was read.
    raw
        The text as it stands in the file.
    guessed_text
        Whether characters beyond ASCII are a guess: the file is not UTF-8, and nobody said what it is.
    """

    source: str
    fields: Mapping[str, HeaderValue] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    raw: str = field(default="", repr=False)
    guessed_text: bool = False

    def __contains__(self, key: str) -> bool:
        return key in self.fields

    def text(self, key: str, default: str = "") -> str:
        """The value as it stands, blanks at its ends removed; `default` where the key is missing."""
        value = self.fields.get(key)
        return default if value is None else value.text

    def integer(self, key: str, default: int | None = None, *, minimum: int = 0) -> int:
        """A whole number.

        Raises
        ------
        SceneError
            Not a whole number, below `minimum`, or missing where there is no `default`.
        """
        text = self.text(key)
        if not text:
            if default is None:
                raise SceneError(f"{self.source}: the header has no '{key}', which is needed to read the data")
            return default
        if not _INTEGER.fullmatch(text) or (number := int(text.split(".")[0])) < minimum:
            raise SceneError(f"{self.where(key)}: {key} = {text:.60} is not a whole number of at least {minimum}")
        return number

    def items(self, key: str) -> list[str]:
        """The comma-separated parts of a list, blanks removed; empty where the key is missing."""
        text = self.text(key)
        parts = [" ".join(part.split()) for part in text.split(",")] if text else []
        # A comma before the closing brace is common, and is not one more value.
        return parts[:-1] if parts and not parts[-1] else parts

    def numbers(self, key: str) -> list[float]:
        """The parts of a list as numbers.

        Raises
        ------
        SceneError
            A part is not a number.
        """
        numbers = []
        for position, part in enumerate(self.items(key), start=1):
            number = parse_number(part)
            if number is None:
                raise SceneError(f"{self.where(key)}: value {position} of '{key}' is {part!r:.60}, not a number")
            numbers.append(number)
        return numbers

    def where(self, key: str) -> str:
        """``file, line n`` of a key, for messages."""
        value = self.fields.get(key)
        return self.source if value is None else f"{self.source}, line {value.line}"


def read_header(path: Path, *, encoding: str | None = None) -> EnviHeader:
    """Read and parse a header file.

    Parameters
    ----------
    encoding
        Of its text. `None` takes UTF-8, else Latin-1, which never fails and is what ENVI on Windows wrote.

    Raises
    ------
    SceneNotFoundError
        There is no such file.
    SceneError
        It is not an ENVI header.
    LabelError
        It is not in that encoding, or there is none of that name.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_HEADER_BYTES + 1)
    except FileNotFoundError as error:
        raise SceneNotFoundError(f"{path}: there is no such file") from error
    except OSError as error:
        raise SceneError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_HEADER_BYTES:
        raise SceneError(f"{path} is larger than {MAX_HEADER_BYTES >> 20} MiB; an ENVI header is a short text file")
    if encoding is not None:
        return parse_header(decode_text(content, encoding, where=str(path)), str(path))
    try:
        return parse_header(content.decode("utf-8"), str(path))
    except UnicodeDecodeError:
        return replace(parse_header(content.decode("latin-1"), str(path)), guessed_text=True)


def is_envi_header(path: Path) -> bool:
    """Whether a file begins as an ENVI header does; ESRI's ``.hdr`` files, for one, do not."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:4].upper() == b"ENVI"


def parse_header(text: str, source: str) -> EnviHeader:
    """Parse the text of a header.

    A byte order mark at its beginning is passed over; ENVI's own reader stumbles on it, and so does GDAL.

    Raises
    ------
    SceneError
        The first line is not ``ENVI``, or a brace is never closed. Nothing else is raised, whatever the text.
    """
    lines = split_lines(text)
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.upper() != "ENVI":
        raise SceneError(f"{source} is not an ENVI header: its first line is {first!r:.40}, not 'ENVI'")
    fields: dict[str, HeaderValue] = {}
    repairs: list[str] = []
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        stripped = line.strip()
        if not stripped or stripped.startswith(";") or stripped.upper() == "ENVI":
            continue
        key, rest = parse_key(stripped), stripped.partition("=")[2]
        if key is None:
            repairs.append(f"line {number} of the header is neither 'key = value' nor a comment and was ignored")
            continue
        value = _read_value(rest.strip(), number, numbered, f"{source}, line {number}")
        if key in fields and fields[key].text != value.text:
            repairs.append(f"the header has '{key:.40}' twice; the one in line {number} was used")
        fields[key] = value
    return EnviHeader(source=source, fields=fields, repairs=tuple(repairs), raw=text)


def split_lines(text: str) -> list[str]:
    """The lines of a header. Not splitlines(): that also splits at form feeds and Unicode separators in a text."""
    return re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff"))


def parse_key(line: str) -> str | None:
    """The key of a line ``key = value``, in lower case with single blanks; `None` where the line is none."""
    key, equals, _ = line.partition("=")
    return " ".join(key.replace("_", " ").lower().split()) if equals else None


def _read_value(first: str, number: int, lines: Iterator[tuple[int, str]], where: str) -> HeaderValue:
    """One value; a braced one takes lines until its brace closes."""
    if not first.startswith("{"):
        return HeaderValue(first, number, last_line=number)
    parts = [first[1:]]
    last = number
    while "}" not in parts[-1]:
        last, line = next(lines, (0, None))
        if line is None:
            raise SceneError(f"{where}: the brace opened here is never closed; add '}}' at the end of the value")
        if not line.lstrip().startswith(";"):
            parts.append(line)
    parts[-1] = parts[-1].partition("}")[0]
    return HeaderValue("\n".join(parts).strip(), number, braced=True, last_line=last)
