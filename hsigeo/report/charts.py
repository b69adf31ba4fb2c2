"""The charts of a page: spectra, evidence, reliability, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassEntry
from hsigeo.explanation import ClassExplanation
from hsigeo.intervals import wilson_interval
from hsigeo.report.assessment import Bins
from hsigeo.report.markup import Child, Html, element
from hsigeo.report.svg import Frame, area_path, drawing, line_path, sorted_by, span

__all__ = [
    "Curve",
    "Scales",
    "evidence_chart",
    "evidence_scales",
    "histogram_chart",
    "interval_bar",
    "reliability_chart",
    "spectra_chart",
    "spectra_scales",
]

FloatArray = NDArray[np.float64]

_WIDTH, _LEFT, _RIGHT = 300.0, 44.0, 292.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """A mean spectrum and its spread.

    Parameters
    ----------
    place, mean, spread : (band,)
        Wavelength in nm or number of the band; reflectance; its standard deviation.
    """

    place: FloatArray
    mean: FloatArray
    spread: FloatArray


@dataclass(frozen=True, kw_only=True)
class Scales:
    """What the panels of a figure have in common.

    Parameters
    ----------
    x, y
        From, to.
    unit
        Of x.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    unit: str


def spectra_scales(curves: Sequence[Curve], unit: str) -> Scales:
    """The ranges that all curves fit into; from 0 on, for reflectance."""
    x = span([curve.place for curve in curves])
    low, high = span([edge for curve in curves for edge in (curve.mean - curve.spread, curve.mean + curve.spread)])
    return Scales(x=x, y=(min(0.0, max(low, -0.1)), max(high, 0.01)), unit=unit)


def spectra_chart(entry: ClassEntry, learnt: Curve | None, mapped: Curve | None, scales: Scales) -> Html:
    """A class's spectra: as learnt, in its colour; and those of the mapped pixels, dashed."""
    frame = Frame(left=_LEFT, right=_RIGHT, top=8, bottom=128, x=scales.x, y=scales.y)
    parts: list[Child] = [frame.y_axis(label="reflectance")]
    if learnt is not None:
        parts += _spectrum(frame, entry, learnt)
    if mapped is not None:
        place, mean, spread = sorted_by(mapped.place, mapped.mean, mapped.spread)
        for edge in (mean - spread, mean + spread):
            parts.append(element("path", d=line_path(frame, place, edge), class_="edge"))
        parts.append(element("path", d=line_path(frame, place, mean), class_="mapped"))
    parts.append(frame.x_axis(label=scales.unit))
    shown = [name for name, curve in (("as learnt", learnt), ("of the mapped pixels", mapped)) if curve is not None]
    return drawing(_WIDTH, 160, parts, says=f"Mean spectrum of {entry.name}, {' and '.join(shown)}")


def _spectrum(frame: Frame, entry: ClassEntry, curve: Curve) -> list[Child]:
    place, mean, spread = sorted_by(curve.place, curve.mean, curve.spread)
    path = line_path(frame, place, mean)
    color = entry.hex_color
    return [
        element(
            "path", d=area_path(frame, place, mean - spread, mean + spread), style=f"fill:{color}", class_="spread"
        ),
        # Dark beneath, because some class colours are too light to be seen on white (or too dark on black).
        element("path", d=path, class_="under"),
        element("path", d=path, stroke=color, class_="over"),
    ]


def evidence_scales(found: Sequence[ClassExplanation], place: FloatArray, unit: str) -> Scales:
    """The ranges that all panels fit into."""
    curves = [learnt for entry in found if (learnt := learnt_curve(entry, place)) is not None]
    return spectra_scales(curves, unit) if curves else Scales(x=span([place]), y=(0.0, 1.0), unit=unit)


def learnt_curve(found: ClassExplanation, place: FloatArray) -> Curve | None:
    """The spectra that a class was learnt from; `None` where the model does not keep them."""
    if found.mean is None or found.deviation is None:
        return None
    return Curve(place=place, mean=found.mean.astype(np.float64), spread=found.deviation.astype(np.float64))


def evidence_chart(found: ClassExplanation, place: FloatArray, scales: Scales) -> Html:
    """The spectrum that a class was learnt from, and below it what each band says for the class, or against it."""
    upper = Frame(left=_LEFT, right=_RIGHT, top=8, bottom=88, x=scales.x, y=scales.y)
    low, high = span([np.append(found.evidence.astype(np.float64), 0.0)])
    lower = Frame(left=_LEFT, right=_RIGHT, top=98, bottom=168, x=scales.x, y=(low, max(high, low + 1e-9)))
    half = _half_step(place)
    parts: list[Child] = [
        element(
            "rect",
            x=f"{lower.across(max(stretch.first - half, scales.x[0])):.1f}",
            y=upper.top,
            width=f"{_width(lower, stretch.first - half, stretch.last + half):.1f}",
            height=lower.bottom - upper.top,
            class_="deciding",
        )
        for stretch in found.stretches
    ]
    parts.append(upper.y_axis(label="reflectance"))
    learnt = learnt_curve(found, place)
    if learnt is not None:
        parts += _spectrum(upper, found.entry, learnt)
    at, evidence = sorted_by(place, found.evidence)
    zero = np.zeros_like(evidence)
    parts += [
        lower.y_axis(label="evidence"),
        element("path", d=area_path(lower, at, zero, evidence.clip(min=0)), class_="for"),
        element("path", d=area_path(lower, at, evidence.clip(max=0), zero), class_="against"),
        lower.x_axis(label=scales.unit),
    ]
    says = f"Evidence for {found.entry.name} by wavelength, below its mean spectrum; the deciding stretches are shaded"
    return drawing(_WIDTH, 200, parts, says=says)


def _half_step(place: FloatArray) -> float:
    return 0.5 * float(np.median(np.abs(np.diff(np.sort(place))))) if len(place) > 1 else 0.5


def _width(frame: Frame, first: float, last: float) -> float:
    low, high = frame.x
    return max(frame.across(min(last, high)) - frame.across(max(first, low)), 1.0)


def reliability_chart(before: Bins, after: Bins) -> Html:
    """Share right against confidence, before and after calibration, and how far each could be off by chance."""
    frame = Frame(left=_LEFT, right=_RIGHT, top=8, bottom=236, x=(0.0, 1.0), y=(0.0, 1.0))
    parts: list[Child] = [
        frame.y_axis(label="share classified correctly", steps=5),
        element("path", d=f"M{frame.left} {frame.bottom}L{frame.right} {frame.top}", class_="ideal"),
    ]
    for bins, name in ((before, "before"), (after, "after")):
        points = [(frame.across(confidence), frame.up(right)) for confidence, right, _ in bins]
        if not points:
            continue
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(element("path", d=path, class_=f"curve {name}"))
        for (x, y), (_, right, pixels) in zip(points, bins, strict=True):
            low, high = wilson_interval(right * pixels, pixels)
            whisker = f"M{x:.1f} {frame.up(low):.1f}V{frame.up(high):.1f}"
            parts.append(element("path", d=whisker, class_=f"whisker {name}"))
            parts.append(_mark(x, y, name))
    parts.append(frame.x_axis(label="probability of the mapped class", steps=5))
    says = "Share of held-out pixels that is right against the probability given to them, before and after calibration"
    return drawing(_WIDTH, 270, parts, says=says)


def _mark(x: float, y: float, name: str) -> Html:
    """A ring before, a square after: apart without colour too."""
    if name == "before":
        return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3, class_="mark before")
    return element("rect", x=f"{x - 2.5:.1f}", y=f"{y - 2.5:.1f}", width=5, height=5, class_="mark after")


def histogram_chart(counts: NDArray[np.int64], edges: FloatArray) -> Html:
    """Share of the pixels by confidence."""
    shares = counts / max(int(counts.sum()), 1)
    top = max(float(shares.max(initial=0.0)) * 100, 1e-9)
    frame = Frame(left=_LEFT, right=_RIGHT, top=8, bottom=98, x=(0.0, 1.0), y=(0.0, top))
    bars = [
        element(
            "rect",
            x=f"{frame.across(start) + 0.5:.1f}",
            y=f"{frame.up(100 * share):.1f}",
            width=f"{max(frame.across(stop) - frame.across(start) - 1, 0.5):.1f}",
            height=f"{frame.bottom - frame.up(100 * share):.1f}",
            class_="bar",
        )
        for start, stop, share in zip(edges[:-1].tolist(), edges[1:].tolist(), shares.tolist(), strict=True)
        if share > 0
    ]
    parts: list[Child] = [
        frame.y_axis(label="% of pixels"),
        bars,
        frame.x_axis(label="probability of the mapped class", steps=5),
    ]
    return drawing(_WIDTH, 132, parts, says="How many pixels have which confidence")


def interval_bar(share: float, low: float, high: float) -> Html:
    """A share with its interval, small enough for a cell; the numbers stand beside it, so it says nothing aloud."""
    if not np.isfinite([share, low, high]).all():
        return Html("")
    return element(
        "svg",
        element("path", d="M1 7H99", class_="track"),
        element("path", d=f"M{1 + 98 * low:.1f} 7H{1 + 98 * high:.1f}", class_="range"),
        element("circle", cx=f"{1 + 98 * share:.1f}", cy=7, r=3, class_="dot"),
        viewBox="0 0 100 14",
        class_="interval",
        aria_hidden="true",
    )
