"""The results of a comparison as plain values: one row per line, pair, class and position."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.agreement.comparison import Comparison
from hsigeo.agreement.counts import PairCounts, agreement_of, class_agreement, class_kappa
from hsigeo.agreement.effects import FEWEST_PIXELS, find_outliers, line_effects

__all__ = ["ClassRow", "Figures", "LineRow", "PairRow", "PositionRow", "class_curves", "line_curve", "make_figures"]


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """One line against all others it overlaps.

    Parameters
    ----------
    name
        Of the line.
    neighbours, pixels
        Lines it shares pixels with, and pairs of pixels.
    agreement, kappa
        Over these pixels; NaN without any.
    excess
        What it adds to the disagreement of its pairs, beyond what is usual (`hsigeo.agreement.effects`).
    odd
        Whether that is clearly more than the other lines add.
    """

    name: str
    neighbours: int
    pixels: int
    agreement: float
    kappa: float
    excess: float
    odd: bool


@dataclass(frozen=True, kw_only=True)
class PairRow:
    """Two lines."""

    first: str
    second: str
    pixels: int
    agreement: float
    kappa: float


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class over all pairs: how often either line says it, and how far they agree on it."""

    name: str
    pixels: int
    agreement: float
    kappa: float
    confused_with: str


@dataclass(frozen=True, kw_only=True)
class PositionRow:
    """A range of positions, by that line of each pair that lies farther out."""

    start: float
    stop: float
    pixels: int
    agreement: float
    kappa: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All rows; lines with the best first."""

    lines: tuple[LineRow, ...]
    pairs: tuple[PairRow, ...]
    classes: tuple[ClassRow, ...]
    positions: tuple[PositionRow, ...]
    overall: float
    kappa: float
    pixels: int


def make_figures(comparison: Comparison) -> Figures:
    """Turn counts into figures."""
    names = [line.name for line in comparison.lines]
    effects = line_effects(comparison.pairs, len(names))
    odd = set(find_outliers(effects))
    lines = []
    for number, name in enumerate(names):
        total, neighbours = _total_of(number, comparison)
        lines.append(
            LineRow(
                name=name,
                neighbours=neighbours,
                pixels=total.pixels,
                agreement=total.agreement,
                kappa=total.kappa,
                excess=float(effects[number]),
                odd=number in odd,
            )
        )
    pairs = [
        PairRow(
            first=names[first],
            second=names[second],
            pixels=counts.pixels,
            agreement=counts.agreement,
            kappa=counts.kappa,
        )
        for (first, second), counts in sorted(comparison.pairs.items())
    ]
    everything = _sum(comparison.pairs.values(), len(comparison.classes))
    return Figures(
        lines=tuple(sorted(lines, key=_rank)),
        pairs=tuple(pairs),
        classes=tuple(_classes(comparison, everything)),
        positions=tuple(_positions(comparison)),
        overall=everything.agreement,
        kappa=everything.kappa,
        pixels=everything.pixels,
    )


def _rank(row: LineRow) -> tuple[float, float, str]:
    """Least excess first; lines without neighbours last."""
    unknown = math.isnan(row.excess)
    return (math.inf if unknown else row.excess, 0.0 if math.isnan(row.agreement) else -row.agreement, row.name)


def _total_of(number: int, comparison: Comparison) -> tuple[PairCounts, int]:
    """All pairs of a line together, the line itself first."""
    total, neighbours = PairCounts.empty(len(comparison.classes)), 0
    for (first, second), counts in comparison.pairs.items():
        if number in (first, second):
            own, other = (counts.first, counts.second) if number == first else (counts.second, counts.first)
            total.first[:] += own
            total.second[:] += other
            total.both[:] += counts.both
            neighbours += 1
    return total, neighbours


def _sum(pairs: Iterable[PairCounts], classes: int) -> PairCounts:
    total = PairCounts.empty(classes)
    for counts in pairs:
        total.first[:] += counts.first
        total.second[:] += counts.second
        total.both[:] += counts.both
    return total


def _classes(comparison: Comparison, total: PairCounts) -> list[ClassRow]:
    agreement = class_agreement(total.first, total.second, total.both)
    kappa = class_kappa(total.first, total.second, total.both)
    confusion = comparison.positions.confusion.sum(axis=0)
    names = comparison.classes.names
    rows = []
    for place, name in enumerate(names):
        others = confusion[place].copy()
        others[place] = 0
        rows.append(
            ClassRow(
                name=name,
                pixels=int(total.first[place] + total.second[place] - total.both[place]),
                agreement=float(agreement[place]),
                kappa=float(kappa[place]),
                confused_with=names[int(np.argmax(others))] if others.any() else "",
            )
        )
    return rows


def _positions(comparison: Comparison) -> list[PositionRow]:
    positions = comparison.positions
    edges, pixels = positions.outer_edges, positions.pixels.tolist()
    rows = [
        PositionRow(start=float(start), stop=float(stop), pixels=count, agreement=agreement, kappa=kappa)
        for start, stop, count, (agreement, kappa) in zip(
            edges[:-1], edges[1:], pixels, positions.figures(), strict=True
        )
    ]
    # The bins go up to 60 degrees; those that no sensor reaches are left out.
    last = max((number for number, row in enumerate(rows) if row.pixels), default=-1)
    return rows[: last + 1]


def line_curve(comparison: Comparison, number: int) -> list[tuple[float, float]]:
    """(position, agreement) of a line by its own position; bins with fewer than 30 pixels are left out."""
    edges = comparison.positions.edges
    return [
        (float(edges[place] + edges[place + 1]) / 2, agreement_of(int(same), int(pixels)))
        for place, (pixels, same) in enumerate(comparison.positions.lines[number].tolist())
        if pixels >= FEWEST_PIXELS
    ]


def class_curves(comparison: Comparison) -> NDArray[np.float64]:
    """(outer bin, class) agreement on each class; NaN where fewer than 30 pixels of either line show it."""
    shown = comparison.positions.confusion.sum(axis=2)  # (bin, class), of both lines together
    return np.where(shown >= FEWEST_PIXELS, comparison.positions.class_figures(), np.nan)
