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

_SIDE, _NARROWEST, _FURNITURE = 5.0, 1.6, 0.85
"""Inches: the longer side of a panel, the shorter one at least, and what title and scale bar take."""

_WIDE = 2.0
"""Panels this many times as wide as high lie over each other."""

_LEGEND_COLUMN = 2.1

_MOST_IN_COLUMN = 24
_LEGEND_LINE = 0.21
"""Inches."""

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
    ratios = [_ratio(panel, extent) for panel, extent in zip(panels, extents, strict=True)]
    columns = math.ceil(len(classes) / _MOST_IN_COLUMN)
    legend_height = _LEGEND_LINE * min(len(classes), _MOST_IN_COLUMN)
    texts = [*(panel.title for panel in panels), *(entry.name for entry in classes)]
    # A flight line flown east lies over its map, any other beside it.
    across, down = _over_each_other(ratios) if max(ratios) > _WIDE else _side_by_side(ratios)
    size = (sum(across) + _LEGEND_COLUMN * columns + 0.3, max(sum(down), legend_height) + 0.2)
    with drawing(path, size=size, texts=texts, overwrite=overwrite) as figure:
        widths = [*across, _LEGEND_COLUMN * columns] if classes else across
        cells = figure.add_gridspec(len(down), len(widths), width_ratios=widths, height_ratios=down)
        places = [cells[row, column] for row in range(len(down)) for column in range(len(across))]
        for place, panel, extent in zip(places, panels, extents, strict=True):
            _draw(figure.add_subplot(place), panel, extent)
        if classes:
            _draw_legend(figure.add_subplot(cells[:, -1]), classes, columns)


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
    width = abs(right - left) * metres_per_unit
    length = nice_length(width / 4)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    bar: dict[str, Any] = {"arrowstyle": "-", "color": INK, "linewidth": 2.5, "shrinkA": 0, "shrinkB": 0}
    below = ("axes fraction", _PointsBelow(axes))
    axes.annotate(
        "", (0, 9), (length / width, 9), xycoords=below, textcoords=below, arrowprops=bar, annotation_clip=False
    )
    axes.annotate(text, (length / width, 0), (5, -9), "axes fraction", "offset points", va="center", color=INK)


def _draw_north(axes: Axes) -> None:
    """An arrow at the lower right, beside the scale bar; it points where the grid of the map counts up."""
    arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    below = ("axes fraction", _PointsBelow(axes))
    axes.annotate("", (0.97, 1), (0.97, 20), xycoords=below, textcoords=below, arrowprops=arrow, annotation_clip=False)
    axes.annotate(
        "N", (0.97, 0), (-6, -11), "axes fraction", "offset points", ha="right", va="center", color=INK, weight="bold"
    )


class _PointsBelow:
    """Heights in points below the lower edge of axes, as matplotlib asks for a coordinate system."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes

    def __call__(self, _renderer: object) -> Any:
        from matplotlib.transforms import Affine2D

        figure = self._axes.get_figure(root=True)
        if figure is None:
            raise RuntimeError("the axes belong to no figure")
        return Affine2D().scale(-figure.dpi / 72).translate(0, self._axes.bbox.y0)


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


def _ratio(panel: Panel, extent: Extent | None) -> float:
    """Width of what is shown over its height, on the ground."""
    _, lines, samples = panel.rgba.shape
    if extent is None:
        return float(samples / lines)
    mx, my = panel.metres or (1.0, 1.0)
    return float((extent[1] - extent[0]) * mx / ((extent[3] - extent[2]) * my))


def _side_by_side(ratios: Sequence[float]) -> tuple[list[float], list[float]]:
    """Inches of the columns and rows of a figure, titles and scale bars included."""
    height = _SIDE / max(1.0, *ratios)
    return [max(ratio * height, _NARROWEST) for ratio in ratios], [height + _FURNITURE]


def _over_each_other(ratios: Sequence[float]) -> tuple[list[float], list[float]]:
    width = _SIDE * 1.6
    return [width], [width / ratio + _FURNITURE for ratio in ratios]
