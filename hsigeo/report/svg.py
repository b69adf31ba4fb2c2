"""Small charts as SVG inside the page: drawn by hand, so that they take the page's fonts and colours, dark or light.

Lengths are CSS pixels of the drawing at its natural size. Colours come from classes of the style sheet, but for those
of the map's classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.plots.panels import stretches_of
from hsigeo.plots.pictures import nice_length
from hsigeo.report.markup import Child, Html, element

__all__ = ["Frame", "area_path", "drawing", "line_path", "ticks"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle of a drawing, and the values along its sides.

    Parameters
    ----------
    left, right, top, bottom
        Of the rectangle, in the drawing.
    x, y
        Values at its left and right, and at its bottom and top.
    """

    left: float
    right: float
    top: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        """Where a value of x lies."""
        low, high = self.x
        return self.left + (value - low) / ((high - low) or 1.0) * (self.right - self.left)

    def up(self, value: float) -> float:
        """Where a value of y lies."""
        low, high = self.y
        return self.bottom - (value - low) / ((high - low) or 1.0) * (self.bottom - self.top)

    def x_axis(self, *, label: str = "", numbers: bool = True, steps: int = 4) -> Html:
        """A line below, with ticks and numbers."""
        parts: list[Child] = [_line(self.left, self.bottom, self.right, self.bottom, "axis")]
        for value in ticks(*self.x, steps):
            at = self.across(value)
            parts.append(_line(at, self.bottom, at, self.bottom + 3, "axis"))
            if numbers:
                parts.append(_text(at, self.bottom + 14, f"{value:g}", anchor="middle"))
        if label:
            parts.append(_text((self.left + self.right) / 2, self.bottom + 28, label, anchor="middle"))
        return element("g", parts)

    def y_axis(self, *, label: str = "", steps: int = 3) -> Html:
        """Faint lines across, with numbers at the left."""
        parts: list[Child] = []
        for value in ticks(*self.y, steps):
            at = self.up(value)
            parts.append(_line(self.left, at, self.right, at, "grid"))
            parts.append(_text(self.left - 5, at + 3.5, f"{value:g}", anchor="end"))
        if label:
            x, y = self.left - 34, (self.top + self.bottom) / 2
            turned = f"rotate(-90 {x:.1f} {y:.1f})"
            parts.append(_text(x, y, label, anchor="middle", transform=turned))
        return element("g", parts)


def drawing(width: float, height: float, *children: Child, says: str) -> Html:
    """An SVG that scales with its place.

    Parameters
    ----------
    says
        What it shows, for whoever does not see it.
    """
    return element("svg", children, viewBox=f"0 0 {width:g} {height:g}", class_="chart", role="img", aria_label=says)


def ticks(low: float, high: float, steps: int) -> list[float]:
    """Round numbers between two values, about so many steps."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    step = nice_length((high - low) / max(steps - 1, 1))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def line_path(frame: Frame, x: FloatArray, y: FloatArray) -> str:
    """Path of a curve, broken where bands were left out and where a value is not known."""
    return "".join(_moves(frame, x[part], y[part]) for part in _parts(x, y))


def area_path(frame: Frame, x: FloatArray, low: FloatArray, high: FloatArray) -> str:
    """Path around what lies between two curves."""
    return "".join(
        _moves(frame, np.concatenate([x[part], x[part][::-1]]), np.concatenate([low[part], high[part][::-1]])) + "Z"
        for part in _parts(x, low + high)
    )


def _parts(x: FloatArray, y: FloatArray) -> Iterable[slice]:
    known = np.isfinite(y)
    for start, stop in stretches_of(x):
        edges = np.flatnonzero(np.diff(known[start:stop])) + 1 + start
        for first, last in zip([start, *edges.tolist()], [*edges.tolist(), stop], strict=True):
            if last > first and known[first]:
                yield slice(first, last)


def _moves(frame: Frame, x: FloatArray, y: FloatArray) -> str:
    bottom, top = frame.y
    points = zip(x.tolist(), y.clip(bottom, top).tolist(), strict=True)
    return "M" + "L".join(f"{frame.across(at):.1f} {frame.up(value):.1f}" for at, value in points)


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return element("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=class_)


def _text(x: float, y: float, text: str, *, anchor: str, transform: str | None = None) -> Html:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, transform=transform)


def sorted_by(place: FloatArray, *values: NDArray[np.floating]) -> tuple[FloatArray, ...]:
    """Arrays in ascending order of the first, as float64."""
    order = np.argsort(place, kind="stable")
    return tuple(np.asarray(each, dtype=np.float64)[order] for each in (place, *values))


def span(values: Sequence[FloatArray]) -> tuple[float, float]:
    """Least and largest finite value; 0 and 1 where there is none."""
    known = [each[np.isfinite(each)] for each in values]
    known = [each for each in known if len(each)]
    if not known:
        return 0.0, 1.0
    return min(float(each.min()) for each in known), max(float(each.max()) for each in known)
