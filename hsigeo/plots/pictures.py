"""Pictures of scenes and maps side by side, with scale bar, north arrow and the names of classes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassEntry
from hsigeo.plots.figure import INK, class_color, drawing, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Panel", "draw_pictures", "nice_length"]

_SIDE = 5.0
"""Inches of the longer side of a panel."""

_MOST_IN_COLUMN = 24
_HALO = "white"

Extent = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One picture.

    Parameters
    ----------
    title
        Above it, on one line or more.
    rgba : (4, y, x) uint8
        Red, green, blue and alpha.
    extent
        Left, right, bottom and top on the map, of a picture with north up; `None` where that is not known.
    metres
        In one unit of x and of y; `None` where that is not known.
    crs
        What tells one CRS from another; panels of the same one show the same place.
    """

    title: str
    rgba: NDArray[np.uint8]
    extent: Extent | None = None
    metres: tuple[float, float] | None = None
    crs: str | None = None


def draw_pictures(
    panels: Sequence[Panel],
    path: str | os.PathLike[str],
    *,
    classes: Sequence[ClassEntry] = (),
    overwrite: bool = False,
) -> None:
    """Write pictures side by side as a figure.

    Parameters
    ----------
    panels
        At least one. Those with an extent in the same CRS are drawn to the same scale, over the same place.
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``.
    classes
        For the legend; none, no legend.

    Raises
    ------
    OutputExistsError, OutputError
        As `hsigeo.plots.drawing`.
    """
    frame = _common_extent(panels)
    extents = [frame if frame is not None else panel.extent for panel in panels]
    widths, height = _panel_sizes(panels, extents)
    columns = math.ceil(len(classes) / _MOST_IN_COLUMN)
    legend = columns * 2.2 if classes else 0.0
    texts = [*(panel.title for panel in panels), *(entry.name for entry in classes)]
    with drawing(path, size=(sum(widths) + legend + 0.3, height + 0.8), texts=texts, overwrite=overwrite) as figure:
        ratios = [*widths, legend] if classes else widths
        axes = figure.subplots(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
        for place, panel, extent in zip(axes, panels, extents, strict=False):
            _draw(place, panel, extent)
        if classes:
            _draw_legend(axes[-1], classes, columns)


def nice_length(longest: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most `longest`.

    >>> nice_length(730), nice_length(0.2), nice_length(10)
    (500.0, 0.2, 10.0)
    """
    power = 10.0 ** math.floor(math.log10(longest) + 1e-12)
    return max(factor * power for factor in (1.0, 2.0, 5.0) if factor * power <= longest * (1 + 1e-9))


def _draw(axes: Axes, panel: Panel, extent: Extent | None) -> None:
    pixels = panel.rgba.transpose(1, 2, 0)
    mx, my = panel.metres or (1.0, 1.0)
    # What is larger on the page than in the picture keeps its pixels; to smooth them would invent some.
    axes.imshow(pixels, extent=panel.extent, interpolation="nearest", aspect=my / mx)
    if extent is not None:
        axes.set_xlim(extent[0], extent[1])
        axes.set_ylim(extent[2], extent[3])
    axes.set_title(panel.title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if panel.extent is not None and panel.metres is not None:
        _draw_scale(axes, panel.metres[0])
        _draw_north(axes)


def _draw_scale(axes: Axes, metres_per_unit: float) -> None:
    """A bar of at most a quarter of the width, below the picture."""
    left, right = axes.get_xlim()
    length = nice_length(abs(right - left) * metres_per_unit / 4)
    share = length / (abs(right - left) * metres_per_unit)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    below = -0.02
    axes.plot(
        [0, share],
        [below, below],
        transform=axes.transAxes,
        color=INK,
        linewidth=2.5,
        clip_on=False,
        solid_capstyle="butt",
    )
    axes.text(share + 0.015, below, text, transform=axes.transAxes, va="center", ha="left", color=INK)


def _draw_north(axes: Axes) -> None:
    """An arrow at the lower right, beside the scale bar; it points where the grid of the map counts up."""
    arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate(
        "",
        xy=(0.98, -0.002),
        xytext=(0.98, -0.07),
        xycoords="axes fraction",
        textcoords="axes fraction",
        arrowprops=arrow,
        annotation_clip=False,
    )
    axes.text(0.955, -0.036, "N", transform=axes.transAxes, ha="right", va="center", color=INK, weight="bold")


def _draw_legend(axes: Axes, classes: Sequence[ClassEntry], columns: int) -> None:
    from matplotlib.patches import Patch

    axes.axis("off")
    handles = [Patch(facecolor=class_color(entry), edgecolor="none", label=shorten(entry.name)) for entry in classes]
    axes.legend(handles=handles, loc="upper left", ncols=columns, borderaxespad=0, handlelength=1.2, handleheight=1.2)


def _common_extent(panels: Sequence[Panel]) -> Extent | None:
    """What all panels show, if all lie in the same CRS and overlap."""
    extents = [panel.extent for panel in panels if panel.extent is not None]
    if len(extents) < len(panels) or len({panel.crs for panel in panels}) > 1:
        return None
    lefts, rights, bottoms, tops = zip(*extents, strict=True)
    if max(lefts) >= min(rights) or max(bottoms) >= min(tops):
        return None
    return min(lefts), max(rights), min(bottoms), max(tops)


def _panel_sizes(panels: Sequence[Panel], extents: Sequence[Extent | None]) -> tuple[list[float], float]:
    """Widths of the panels at their common height, inches."""
    ratios = []
    for panel, extent in zip(panels, extents, strict=True):
        _, lines, samples = panel.rgba.shape
        mx, my = panel.metres or (1.0, 1.0)
        width, height = (
            (samples, lines) if extent is None else ((extent[1] - extent[0]) * mx, (extent[3] - extent[2]) * my)
        )
        ratios.append(min(max(width / height, 0.2), 5.0))
    widest = max(ratios)
    height = _SIDE / max(widest, 1.0)
    return [max(ratio * height, 1.6) for ratio in ratios], height
