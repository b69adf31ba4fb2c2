"""Pixels, share and true area of each class of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsigeo.classes import ClassEntry
from hsigeo.io.class_areas import tally_classes
from hsigeo.io.class_raster import ClassRaster
from hsigeo.progress import Progress

__all__ = ["ClassShare", "ClassStatistics", "measure_classes"]


@dataclass(frozen=True, kw_only=True)
class ClassShare:
    """One class.

    Parameters
    ----------
    entry
        Id, name, colour.
    pixels
        Of the map.
    area
        In hectares; `None` where the map has no place on the Earth.
    share
        Of the area (or else the pixels) that has a class; 0 where nothing has one.
    """

    entry: ClassEntry
    pixels: int
    area: float | None
    share: float


@dataclass(frozen=True, kw_only=True)
class ClassStatistics:
    """Every class of a map, in order of id.

    Parameters
    ----------
    classes
        One each, those without a pixel among them.
    unclassified_pixels
        Pixels without a class.
    note
        What to know about the areas.
    """

    classes: tuple[ClassShare, ...]
    unclassified_pixels: int
    note: str | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        rows = [
            {
                "id": row.entry.id,
                "name": row.entry.name,
                "color": list(row.entry.color),
                "pixels": row.pixels,
                "area_ha": row.area,
                "share": row.share,
            }
            for row in self.classes
        ]
        return {"classes": rows, "unclassified_pixels": self.unclassified_pixels, "note": self.note}


def measure_classes(raster: ClassRaster, *, progress: Progress | None = None) -> ClassStatistics:
    """Read a whole map once, a few MB at a time.

    Parameters
    ----------
    progress
        Called with (rows read, rows in all).

    Raises
    ------
    LabelError
        The map cannot be read.
    """
    tally = tally_classes(raster, progress=progress)
    ids = list(raster.classes.ids)
    classified = float(tally.area[ids].sum()) or 1.0
    rows = tuple(
        ClassShare(
            entry=entry,
            pixels=int(tally.pixels[entry.id]),
            area=float(tally.area[entry.id]) if tally.unit == "ha" else None,
            share=float(tally.area[entry.id]) / classified,
        )
        for entry in raster.classes
    )
    return ClassStatistics(
        classes=rows, unclassified_pixels=int(tally.pixels.sum() - tally.pixels[ids].sum()), note=tally.note
    )
