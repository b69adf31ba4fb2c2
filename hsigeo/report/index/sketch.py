"""A sketch map of the lines: their outlines, north up, each linked to its row."""

from __future__ import annotations

import math

from hsigeo.plots.pictures import nice_length
from hsigeo.report.index.campaign import Campaign
from hsigeo.report.index.row import Row
from hsigeo.report.index.tables import anchor_of
from hsigeo.report.markup import Child, Html, element, plain, shorten

__all__ = ["render_sketch"]

WIDTH, HIGHEST = 720.0, 420.0
MARGIN = 10.0
BELOW = 28.0
FARTHEST = 40.0
"""Degrees; over more, a plane with one scale would show something else than the Earth."""

_METRES_PER_DEGREE = 111_320.0


def render_sketch(campaign: Campaign) -> Html | None:
    """The drawing; `None` with fewer than two lines whose place is known, or where they are a continent apart."""
    placed = [(number, entry) for number, entry in enumerate(campaign.entries) if len(entry.row.outline) > 2]
    if len(placed) < 2:
        return None
    corners = [corner for _, entry in placed for corner in entry.row.outline]
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    if max(east - west, north - south) > FARTHEST:
        return None
    # A degree of longitude is as long as one of latitude times the cosine: a plane that is true in the middle.
    squeeze = math.cos(math.radians((south + north) / 2))
    across, up = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)
    scale = min((WIDTH - 2 * MARGIN) / across, (HIGHEST - 2 * MARGIN) / up)
    height = up * scale + 2 * MARGIN + BELOW

    def place(corner: tuple[float, float]) -> str:
        x, y = (corner[0] - west) * squeeze * scale + MARGIN, (north - corner[1]) * scale + MARGIN
        return f"{x:.1f} {y:.1f}"

    # The lines that stand out come last, so that no other lies over them.
    order = sorted(placed, key=lambda item: bool(item[1].cautions))
    shapes = [
        element(
            "a",
            element(
                "path",
                element("title", _says(entry.row, entry.cautions)),
                d="M" + "L".join(place(corner) for corner in entry.row.outline) + "Z",
                class_="ground odd" if entry.cautions else "ground",
            ),
            href=f"#{anchor_of(number)}",
            aria_label=_says(entry.row, entry.cautions),
        )
        for number, entry in order
    ]
    bar = _scale_bar(across * _METRES_PER_DEGREE, across * scale, height - BELOW)
    width = across * scale + 2 * MARGIN
    return element(
        "svg",
        shapes,
        bar,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        class_="where",
        style=f"max-width:{width:.0f}px",
        role="group",
        aria_label=f"Outlines of {len(placed)} lines, north up",
    )


def _says(row: Row, cautions: tuple[str, ...]) -> str:
    name = shorten(plain(row.name))
    return f"{name}: {cautions[0]}" if cautions else name


def _scale_bar(metres: float, wide: float, top: float) -> Html:
    length = nice_length(metres / 4)
    drawn = wide * length / metres
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    y = top + 12
    parts: list[Child] = [
        element("path", d=f"M{MARGIN} {y - 4:.1f}V{y:.1f}H{MARGIN + drawn:.1f}V{y - 4:.1f}", class_="axis"),
        element("text", text, x=f"{MARGIN + drawn + 6:.1f}", y=f"{y:.1f}"),
    ]
    return element("g", parts, aria_hidden="true")
