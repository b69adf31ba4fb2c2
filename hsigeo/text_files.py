"""Text and JSON files, written whole or not at all."""

from __future__ import annotations

import json
import os

from hsigeo.atomic import replaced_on_success

__all__ = ["write_json", "write_text"]


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> None:
    """Write a file of UTF-8 text, its line ends as they are.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.atomic.replaced_on_success`.
    """
    with replaced_on_success(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_json(path: str | os.PathLike[str], document: object, *, overwrite: bool = False) -> None:
    """Write a document of plain values, none of them NaN, for programs and people.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.atomic.replaced_on_success`.
    """
    write_text(path, json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n", overwrite=overwrite)
