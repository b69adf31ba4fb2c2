"""JSON and CSV files that commands write on request: checked before any work, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from hsigeo.atomic import check_not_an_input, check_output, replaced_on_success

__all__ = ["check_documents", "write_json"]


def check_documents(paths: Iterable[str | Path | None], inputs: Iterable[str | Path], *, overwrite: bool) -> None:
    """Refuse now what could not be written later.

    Parameters
    ----------
    paths
        Of the files; `None` for those not asked for.
    inputs
        Files of the command that no output may replace.

    Raises
    ------
    OutputExistsError, OutputError
        A file exists and `overwrite` is false, cannot be written, or is an input.
    """
    inputs = list(inputs)
    for path in paths:
        if path is not None:
            check_output(path, overwrite=overwrite)
            check_not_an_input(path, inputs)


def write_json(path: str | Path | None, document: object, *, overwrite: bool) -> None:
    """Write a document of plain values; nothing where no file was asked for.

    Raises
    ------
    OutputExistsError, OutputError
        The file exists and `overwrite` is false, or cannot be written.
    """
    if path is not None:
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        with replaced_on_success(path, overwrite=overwrite) as temporary:
            temporary.write_text(text, encoding="utf-8")
