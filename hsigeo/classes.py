"""Class tables: the id, name and colour of every class, and colours for those that have none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["UNCLASSIFIED", "ClassEntry", "ClassTable", "make_palette"]

UNCLASSIFIED = 0
"""The id that means "no class" in labels and maps; it is the declared nodata value of every map."""

MAX_CLASSES = 65_535
"""Maps are written as uint8 or uint16."""

Color = tuple[int, int, int]

# Okabe & Ito (2008), "Color Universal Design", without black, which QGIS users read as background.
_OKABE_ITO: tuple[Color, ...] = (
    (0, 158, 115),
    (230, 159, 0),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
    (0, 114, 178),
    (204, 121, 167),
)
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True, kw_only=True)
class ClassEntry:
    """One class.

    Parameters
    ----------
    id
        1 or more; 0 is unclassified and has no entry.
    name
        Any text, in any language.
    color
        Red, green and blue, 0-255.
    """

    id: int
    name: str
    color: Color

    @property
    def hex_color(self) -> str:
        """``#rrggbb``, as style sheets and QGIS write it."""
        return "#{:02x}{:02x}{:02x}".format(*self.color)


@dataclass(frozen=True)
class ClassTable:
    """The classes of a label set, a model or a map, in ascending order of id.

    Parameters
    ----------
    entries
        At least none, ids unique and between 1 and 65535, names unique and not empty.

    Raises
    ------
    ValueError
        Two entries share an id or a name, or a value is out of range.
    """

    entries: tuple[ClassEntry, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(sorted(self.entries, key=lambda entry: entry.id)))
        for entry in self.entries:
            if not 1 <= entry.id <= MAX_CLASSES:
                raise ValueError(f"class {entry.name!r} has id {entry.id}; ids go from 1 to {MAX_CLASSES}")
            if not entry.name.strip():
                raise ValueError(f"class {entry.id} has an empty name")
            if not all(isinstance(c, int) and 0 <= c <= 255 for c in entry.color) or len(entry.color) != 3:
                raise ValueError(f"class {entry.name!r} has colour {entry.color}; three numbers 0-255 are needed")
        if len(set(self.ids)) < len(self.entries):
            raise ValueError(f"class ids are not unique: {list(self.ids)}")
        if len(set(self.names)) < len(self.entries):
            raise ValueError(f"class names are not unique: {list(self.names)}")

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[ClassEntry]:
        return iter(self.entries)

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids, ascending."""
        return tuple(entry.id for entry in self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Names, in order of id."""
        return tuple(entry.name for entry in self.entries)

    @property
    def dtype(self) -> str:
        """The smallest map type that holds every id: ``uint8`` or ``uint16``."""
        return "uint8" if not self.entries or self.entries[-1].id <= 255 else "uint16"

    def id_of(self, name: str) -> int:
        """Id of the class with this name.

        Raises
        ------
        KeyError
            There is none.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry.id
        raise KeyError(name)

    @classmethod
    def from_names(cls, names: Iterable[str], colors: Sequence[Color] | None = None) -> ClassTable:
        """Ids 1, 2, … in the order given; colours from the palette where none are given."""
        names = list(names)
        colors = make_palette(len(names)) if colors is None else colors
        return cls(
            tuple(
                ClassEntry(id=number, name=name, color=color)
                for number, (name, color) in enumerate(zip(names, colors, strict=True), start=1)
            )
        )

    def to_json(self) -> list[dict[str, Any]]:
        """As plain JSON values, the form that models and maps store."""
        return [{"id": e.id, "name": e.name, "color": list(e.color)} for e in self.entries]

    @classmethod
    def from_json(cls, document: object) -> ClassTable:
        """Inverse of `to_json`.

        Raises
        ------
        ValueError
            The document is not a class table. It may come from a hostile file, so every type is checked.
        """
        if not isinstance(document, list) or len(document) > MAX_CLASSES:
            raise ValueError("a class table is a list of at most 65535 entries")
        entries = []
        for item in document:
            match item:
                case {"id": int(number), "name": str(name), "color": [int(r), int(g), int(b)]}:
                    entries.append(ClassEntry(id=number, name=name, color=(r, g, b)))
                case _:
                    raise ValueError(f"not a class entry: {item!r:.80}")
        return cls(tuple(entries))


def make_palette(count: int) -> list[Color]:
    """`count` distinct colours that stay apart under the common colour vision deficiencies.

    The first seven are Okabe and Ito's. Beyond those, hues advance by the golden angle in OKLCH while lightness
    cycles over four levels: with many classes lightness, which every eye sees, carries the difference.
    """
    colors = list(_OKABE_ITO[:count])
    seen = set(colors)
    step = 0
    while len(colors) < count:
        lightness = (0.55, 0.80, 0.42, 0.68)[step % 4] + 0.02 * ((step // 32) % 4)
        chroma = (0.13, 0.09)[(step // 4) % 2]
        color = _oklch_to_srgb(lightness, chroma, step * _GOLDEN_ANGLE + 0.3)
        step += 1
        if color in seen and step < 16 * count:
            continue
        seen.add(color)
        colors.append(color)
    return colors


def _oklch_to_srgb(lightness: float, chroma: float, hue: float) -> Color:
    """Ottosson (2020), "A perceptual color space for image processing"; clipped to the sRGB gamut."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return (_encode_srgb(linear[0]), _encode_srgb(linear[1]), _encode_srgb(linear[2]))


def _encode_srgb(linear: float) -> int:
    clipped = min(max(linear, 0.0), 1.0)
    encoded = 12.92 * clipped if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055
    return round(255 * encoded)
