"""Options shared by several commands, and how they convert text to values."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from hsigeo.cli.interrupts import check_interrupted
from hsigeo.progress import Progress
from hsigeo.tiling import parse_size

__all__ = [
    "FiniteRange",
    "MemorySize",
    "combine",
    "common_grid_options",
    "device_option",
    "field_option",
    "layer_option",
    "note_unused",
    "overwrite_option",
    "progress_bar",
    "progress_lines",
    "progress_notes",
    "reader_option",
    "say",
]

_SECONDS_BETWEEN_LINES = 0.2
_SECONDS_BEFORE_NOTES = 3.0


class FiniteRange(click.FloatRange):
    """Numbers in a range, and none that is NaN, which lies outside no range, or infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn the text into a number, or fail with click's usage error."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number", param, ctx)
        return number


Command = TypeVar("Command", bound=Callable[..., Any])


def combine(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """One decorator out of several options, which ``--help`` lists in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where the network runs; auto takes a GPU if there is one.",
)
field_option = click.option("--field", metavar="NAME", help="Column of the label file that holds the class.")
layer_option = click.option(
    "--layer", metavar="NAME", help="Layer of the label file. Default: the only one with geometries."
)
reader_option = click.option(
    "--reader", metavar="NAME", help="Reader of the scene; by default chosen by the file's content."
)
_crs_option = click.option(
    "--crs", metavar="CRS", help="CRS of the output, e.g. EPSG:32633. Default: the most common of the maps."
)
_observations_option = click.option(
    "--observations",
    metavar="PATH",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File with view angles, or folder of such files, named after the lines (LINE_obs…). May be repeated.",
)
_resolution_option = click.option(
    "--resolution",
    type=FiniteRange(min=0, min_open=True),
    metavar="SIZE",
    help="Pixel size in units of the CRS. Default: the most common of the maps.",
)
_bounds_option = click.option(
    "--bounds",
    type=float,
    nargs=4,
    metavar="LEFT BOTTOM RIGHT TOP",
    help="Extent in the CRS. Default: that of all maps.",
)
common_grid_options = combine(_observations_option, _crs_option, _resolution_option, _bounds_option)
"""For commands that lay maps of flight lines over each other."""

labels_crs_option = click.option(
    "--labels-crs", metavar="CRS", help="CRS of a label file that does not state one, e.g. EPSG:4326."
)
encoding_option = click.option(
    "--encoding",
    metavar="NAME",
    help="Encoding of a label file that is not UTF-8 and does not say, e.g. cp1252, GBK, Shift-JIS.",
)


class MemorySize(click.ParamType[int]):
    """Bytes, written as ``512M`` or ``2G``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Turn the text into bytes, or fail with click's usage error."""
        if isinstance(value, int):
            return value
        try:
            return parse_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def note_unused(name: str, why: str) -> None:
    """Say that an option does nothing here, if it was typed: a default or an environment variable is no mistake."""
    context = click.get_current_context(silent=True)
    if context is not None and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
        say(f"note: --{name.replace('_', '-')} does nothing {why}")


def say(text: str) -> None:
    """One line for the person at the terminal, on stderr: stdout is for results that programs read."""
    click.echo(text, err=True)


@contextmanager
def progress_bar(what: str, unit: str) -> Iterator[Progress]:
    """A bar with rate and time left, from the second second on; a line now and then where stderr is no terminal.

    With ``HSIGEO_PROGRESS=json`` in the environment there is no bar; another program reads the lines of
    `progress_lines` instead. Whatever is shown, work that goes on after an interrupt ends at its next step.

    Yields
    ------
    Callable
        To be called with (done, total).
    """
    with _shown(what, unit) as show:

        def advance(done: int, total: int) -> None:
            check_interrupted()
            show(done, total)

        yield advance


@contextmanager
def _shown(what: str, unit: str) -> Iterator[Progress]:
    """In the form that suits whoever looks."""
    if os.environ.get("HSIGEO_PROGRESS") == "json":
        yield progress_lines(what, unit)
        return
    if not sys.stderr.isatty():
        yield progress_notes(what, unit)
        return
    from tqdm import tqdm

    with tqdm(desc=what, unit=unit, unit_scale=True, delay=1.0, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def progress_notes(what: str, unit: str, *, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Progress for logs: a line on stderr after some seconds, and another whenever half as much time again has passed.

    Quick work says nothing; a day's work some thirty lines.
    """
    began = clock()
    due = began + _SECONDS_BEFORE_NOTES

    def show(done: int, total: int) -> None:
        nonlocal due
        now = clock()
        if now < due or not 0 < done < total:
            return
        spent = now - began
        due = began + 1.5 * spent
        rate = done / spent
        left = timedelta(seconds=round((total - done) / rate))
        units = unit if unit == "px" else f"{unit}s"
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        say(f"{what}: {done:,} of {total:,} {units} ({done / total:.0%}), {speed} {units}/s, {left} left")

    return show


def progress_lines(what: str, unit: str, *, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Progress as lines of JSON on stderr, ``{"progress": {"what": …, "done": …, "total": …, "unit": …}}``.

    At most five a second, and always the last one; every line is written in one piece.
    """
    last = -math.inf

    def show(done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if done < total and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        say(json.dumps({"progress": {"what": what, "done": int(done), "total": int(total), "unit": unit}}))

    return show
