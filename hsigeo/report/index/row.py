"""What the index says about one flight line, and how the line's own page keeps it.

The page is untrusted, like everything beside a map: what is read back is checked value by value, pictures
are PNG or nothing, and a page whose row makes no sense is as good as none.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from hsigeo.report.stated import stated_number, stated_share, stated_text, stated_whole

__all__ = ["ClassPart", "Row", "Thumbnail", "format_row", "parse_row"]

MOST_CLASSES = 2000
MOST_CAUTIONS = 12
MOST_CORNERS = 400
LARGEST_PICTURE = 200_000
"""Characters of a picture; those that hsigeo makes have some thousands."""

_PNG = re.compile("iVBORw0KGgo[A-Za-z0-9+/]+={0,2}")  # base64 of what every PNG begins with
_COLOR = re.compile("#[0-9a-f]{6}")


@dataclass(frozen=True, kw_only=True)
class ClassPart:
    """A class that the map has, with its colour as style sheets write it."""

    name: str
    color: str
    pixels: int
    area: float


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A small picture.

    Parameters
    ----------
    png
        The file in base64.
    width, height
        In pixels.
    says
        What it shows, for whoever does not see it.
    """

    png: str
    width: int
    height: int
    says: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One flight line. Shares are 0-1; `None` for what is not known.

    Parameters
    ----------
    name, map_name
        Of the line, and of the map's file.
    unit
        Of areas: ``ha``, or ``pixels`` where the map has no place on the Earth.
    pixels
        In all.
    classes
        Those that the map has, the largest first.
    unknown
        Share of the pixels that were left out as unlike anything learnt.
    unsure
        Share of the classified pixels whose class is less than 60 % probable.
    agreement, excess
        With the lines that overlap it; and how much more it disagrees than is usual for its pairs.
    accuracy
        By an independent reference.
    held_out
        What training measured on ground that it held out; of the model, not of the line.
    model
        File name and beginning of the digest.
    cautions
        What must not be overlooked, in short.
    pictures
        The map, and the scene where it is there.
    outline
        (longitude, latitude) around what the map says anything about; empty where its place is unknown.
    """

    name: str
    map_name: str
    unit: str
    pixels: int
    classes: tuple[ClassPart, ...]
    unknown: float | None = None
    unsure: float | None = None
    agreement: float | None = None
    excess: float | None = None
    accuracy: float | None = None
    held_out: float | None = None
    model: str = ""
    cautions: tuple[str, ...] = ()
    pictures: tuple[Thumbnail, ...] = ()
    outline: tuple[tuple[float, float], ...] = ()

    @property
    def area(self) -> float:
        """Area of all classes together."""
        return sum(part.area for part in self.classes)

    @property
    def unclassified(self) -> float:
        """Share of the pixels without a class."""
        return 1 - sum(part.pixels for part in self.classes) / max(self.pixels, 1)


def format_row(row: Row) -> str:
    """The row as one line of ASCII."""
    return json.dumps(asdict(row), separators=(",", ":"))


def parse_row(text: str) -> Row | None:
    """The row of a page; `None` where it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match document:
        case {
            "name": str(name),
            "map_name": str(map_name),
            "unit": "ha" | "pixels" as unit,
            "pixels": int(pixels),
            "classes": list(classes),
            "pictures": list(pictures),
            "cautions": list(cautions),
        } if 0 < pixels < 1 << 53:
            parts = [_parse_part(part) for part in classes[:MOST_CLASSES]]
            shown = [_parse_picture(picture) for picture in pictures[:2]]
        case _:
            return None
    if not all(parts) or not all(shown) or sum(part.pixels for part in parts if part) > pixels:
        return None
    return Row(
        name=stated_text(name),
        map_name=stated_text(map_name),
        unit=unit,
        pixels=pixels,
        classes=tuple(part for part in parts if part),
        **{key: stated_share(document.get(key)) for key in ("unknown", "unsure", "agreement", "accuracy", "held_out")},
        excess=stated_number(document.get("excess")),
        model=stated_text(document.get("model")),
        cautions=tuple(stated_text(caution) for caution in cautions[:MOST_CAUTIONS]),
        pictures=tuple(picture for picture in shown if picture),
        outline=_parse_outline(document.get("outline")),
    )


def _parse_part(value: object) -> ClassPart | None:
    match value:
        case {"name": str(name), "color": str(color), "pixels": pixels, "area": area} if _COLOR.fullmatch(color):
            known = stated_whole(pixels), stated_number(area)
        case _:
            return None
    if known[0] is None or known[1] is None or known[1] < 0:
        return None
    return ClassPart(name=stated_text(name), color=color, pixels=known[0], area=known[1])


def _parse_picture(value: object) -> Thumbnail | None:
    match value:
        case {"png": str(png), "width": int(width), "height": int(height), "says": str(says)}:
            fits = len(png) <= LARGEST_PICTURE and 0 < width < 1000 and 0 < height < 1000
            if fits and _PNG.fullmatch(png):
                return Thumbnail(png=png, width=width, height=height, says=stated_text(says))
    return None


def _parse_outline(value: object) -> tuple[tuple[float, float], ...]:
    """All of it or nothing: an outline that lacks a corner is another one."""
    corners = []
    for corner in value[:MOST_CORNERS] if isinstance(value, list) else ():
        known = [stated_number(part) for part in corner] if isinstance(corner, list) else []
        if len(known) != 2 or known[0] is None or known[1] is None or abs(known[0]) > 540 or abs(known[1]) > 90:
            return ()
        corners.append((known[0], known[1]))
    return tuple(corners)
