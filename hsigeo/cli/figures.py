"""Figures that commands write into a folder: their names, and the checks before any work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from hsigeo.atomic import made_folder
from hsigeo.cli.options import note_unused, say
from hsigeo.errors import OutputError

__all__ = ["FORMATS", "folder_of_figures", "plan_figures", "plot_format_option", "plots_option", "report_undrawable"]

FORMATS = ("png", "svg", "pdf")

plot_format_option = click.option(
    "--plot-format", type=click.Choice(FORMATS), default="png", show_default=True, help="File format of the figures."
)


def plots_option(what: str) -> Callable[[Any], Any]:
    """The option ``--plots DIR``; `what` says which figures the command draws."""
    return click.option("--plots", metavar="DIR", type=click.Path(file_okay=False), help=f"Folder for figures: {what}.")


def plan_figures(folder: str | None, names: Iterable[str], ending: str, *, overwrite: bool) -> dict[str, Path]:
    """Name of each figure → its file, refusing early what would be refused late. Nothing without a folder.

    Raises
    ------
    OutputExistsError, OutputError
        A figure exists and `overwrite` is false, or a file stands where the folder should be.
    """
    if folder is None:
        note_unused("plot_format", "without --plots DIR")
        return {}
    from hsigeo.plots import check_figure

    place = Path(folder)
    files = {name: place / f"{name}.{ending}" for name in names}
    if place.is_dir():
        for file in files.values():
            check_figure(file, overwrite=overwrite)
    elif blocked := next((part for part in (place, *place.parents) if part.exists() and not part.is_dir()), None):
        raise OutputError(f"the folder {folder} cannot be made: {blocked} is a file")
    elif not os.access(above := next(part for part in place.absolute().parents if part.exists()), os.W_OK):
        raise OutputError(f"the folder {folder} cannot be made: {above} is not writable")
    return files


@contextmanager
def folder_of_figures(files: Mapping[str, Path]) -> Iterator[None]:
    """Make the folder the figures go to, while they are drawn; none stays behind if none could be.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    with ExitStack() as stack:
        for folder in {file.parent for file in files.values()}:
            stack.enter_context(made_folder(folder))
        yield


def report_undrawable(texts: Iterable[str]) -> None:
    """Say which names the figures spell as numbers, and what would help."""
    from hsigeo.plots import undrawable

    if names := undrawable(texts):
        say(f"no installed font has all characters of {', '.join(names[:5])}; a font such as Noto Sans CJK would help")
