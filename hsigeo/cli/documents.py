"""JSON, CSV and other files that commands write on request, checked before any work."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hsigeo.atomic import check_not_an_input, check_output

__all__ = ["check_documents"]


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
