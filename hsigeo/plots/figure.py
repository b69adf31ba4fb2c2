"""What all figures share: one style, class colours, fonts for any language, and files that never half-exist.

A figure is drawn inside `drawing`, which gives an empty `matplotlib.figure.Figure` and writes it when the block ends::

    with drawing("spectra.png", size=(7, 4), texts=classes.names) as figure:
        axes = figure.add_subplot()
        ...

`matplotlib.pyplot` is never imported: it would choose a backend for the whole process. Inside the block matplotlib's
settings are those of the house, whatever the user's own are; afterwards they are as they were.
"""

from __future__ import annotations

import io
import itertools
import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsigeo.atomic import check_output, replaced_on_success
from hsigeo.classes import ClassEntry
from hsigeo.errors import OutputError
from hsigeo.plots.fonts import families_for, isolate, spell_out

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "ACCENT",
    "ENDINGS",
    "INK",
    "SECOND",
    "SEQUENTIAL",
    "check_figure",
    "class_color",
    "drawing",
    "shorten",
    "undrawable",
]

ENDINGS = (".png", ".svg", ".pdf")

INK, FAINT = "#222222", "#d9d9d9"
"""Colours of text and axes, and of grid lines."""

ACCENT, SECOND = "#0072b2", "#d55e00"
"""Okabe and Ito's blue and vermilion: apart under every common deficiency of colour vision, and in grey."""

SEQUENTIAL = "cividis"
"""Colour map for amounts (Nuñez et al. 2018, PLoS ONE 13, e0199239): nearly the same to every eye, grey in print."""

_DATELESS: dict[str, dict[str, str | None]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""The same figure gives the same bytes, so none carries the time it was made."""

_DPI = 150

_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": _DPI,
    "figure.facecolor": "white",
    "font.size": 9,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "image.cmap": SEQUENTIAL,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "savefig.dpi": _DPI,
    # Names of SVG elements: without it the same figure would give other bytes each time.
    "svg.hashsalt": "hsigeo",
    "text.color": INK,
    # A class may be called "$5 crops"; dollar signs are no mathematics here.
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}


def check_figure(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse early what `drawing` would refuse.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written, or its name has an ending that is no kind of figure.
    """
    if Path(path).suffix.casefold() not in ENDINGS:
        raise OutputError(
            f"{path}: figures are written as PNG, SVG or PDF; give a name that ends in .png, .svg or .pdf"
        )
    check_output(path, overwrite=overwrite)


@contextmanager
def drawing(
    path: str | os.PathLike[str],
    *,
    size: tuple[float, float] = (7.0, 4.5),
    texts: Iterable[str] = (),
    overwrite: bool = False,
) -> Iterator[Figure]:
    """Give an empty figure in the house style, and write it to `path` if the block succeeds.

    Parameters
    ----------
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``.
    size
        Width and height, inches.
    texts
        What comes from outside and will be written on the figure, such as class names: fonts are chosen so that
        they can be read, whatever their language. Characters that no installed font has are spelt as numbers.
    overwrite
        Replace a file that is there.

    Yields
    ------
    matplotlib.figure.Figure
        With constrained layout; add axes to it.

    Raises
    ------
    OutputExistsError, OutputError
        As `check_figure`.
    """
    check_figure(path, overwrite=overwrite)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    families = families_for(texts)
    # Defaults first, so that a user's own style sheet does not change the figures; the backend stays what it is.
    settings: dict[Any, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"}
    settings |= {**_STYLE, "font.family": families}
    with mpl.rc_context(settings):
        figure = Figure(figsize=size)
        yield figure
        _spell_out_all(figure, families)
        ending = Path(path).suffix.casefold()
        # Through memory: where the disk is full, matplotlib's PDF writer fails in clearing up, not in a way to be told.
        drawn = io.BytesIO()
        figure.savefig(drawn, format=ending[1:], metadata=_DATELESS[ending])
        with replaced_on_success(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(drawn.getvalue())


def class_color(entry: ClassEntry) -> tuple[float, float, float]:
    """A class's colour as matplotlib takes it."""
    red, green, blue = entry.color
    return red / 255, green / 255, blue / 255


def shorten(name: str, most: int = 24) -> str:
    """A class name on one line, cut to so many columns: a longer one would leave no room for what is shown.

    Chinese, Japanese and Korean characters take two columns. Names that run from right to left are kept apart.
    """
    name = " ".join(name.split())
    widths = [2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in name]
    if sum(widths) > most:
        room = itertools.takewhile(lambda end: end < most, itertools.accumulate(widths))
        name = name[: sum(1 for _ in room)].rstrip() + "…"
    return isolate(name)


def undrawable(texts: Iterable[str]) -> list[str]:
    """The texts that hold characters no installed font has; a figure spells those as numbers."""
    texts = list(texts)
    families = families_for(texts)
    return [text for text in texts if "[U+" in spell_out(text, families)]


def _spell_out_all(figure: Figure, families: list[str]) -> None:
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(spell_out(text.get_text(), families))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _spell_out_ticks(axis, families)


def _spell_out_ticks(axis: Axis, families: list[str]) -> None:
    """Tick labels are made anew from their formatter when the figure is drawn, so names are spelt there."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    formatter = axis.get_major_formatter()
    if isinstance(formatter, FixedFormatter | FuncFormatter):
        axis.set_major_formatter(FuncFormatter(lambda value, place: spell_out(formatter(value, place), families)))
