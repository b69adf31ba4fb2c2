"""Text of files that do not say which characters their bytes mean: never guessed, for class names hang on it."""

from __future__ import annotations

import codecs

from hsigeo.errors import LabelError

__all__ = ["NAME_IT", "check_encoding", "decode_text"]

NAME_IT = "name its encoding with --encoding, e.g. cp1252, cp1251, GBK or Shift-JIS"

# UTF-32's mark begins as UTF-16's does, so it is looked for first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def check_encoding(name: str) -> str:
    """The name, if Python knows a character encoding of that name.

    Raises
    ------
    LabelError
        It does not.
    """
    try:
        b"\0\0\0\0".decode(name)
    except UnicodeError:
        pass  # there is one, in which this is no text
    except (LookupError, ValueError) as error:
        raise LabelError(f"--encoding {name}: no encoding of that name is known; use one such as GBK") from error
    return name


def decode_text(content: bytes, encoding: str | None = None, *, where: str) -> str:
    """The text of a file.

    A byte order mark says what it is in; else the user does; else it is UTF-8 or refused.

    Parameters
    ----------
    content
        All of the file.
    encoding
        What the user says of files without a byte order mark.
    where
        The file, for messages.

    Raises
    ------
    LabelError
        It is no text in that encoding, or there is no such encoding.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    stated = check_encoding(encoding) if encoding is not None else None
    chosen = marked or stated or "utf-8"
    try:
        text = content.decode(chosen)
    except UnicodeError as error:
        line = content.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else 1
        raise LabelError(f"{where}, line {line} is not {chosen.upper()} text; {NAME_IT}") from error
    if "\0" in text:
        raise LabelError(f"{where} is not {chosen.upper()} text: it has NUL characters; {NAME_IT}, or UTF-16-LE")
    return text
