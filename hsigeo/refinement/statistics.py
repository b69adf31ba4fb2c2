"""How much of a map each class is: pixels, share, and ground in true units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hsigeo.classes import ClassEntry
from hsigeo.io.class_areas import measure_pixel_areas
from hsigeo.io.class_raster import ClassRaster

__all__ = ["ClassShare", "ClassStatistics", "measure_classes"]

Progress = Callable[[int, int], None]


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
    areas = measure_pixel_areas(raster.grid)
    size = max(raster.classes.ids, default=0) + 1
    pixels, ground = np.zeros(size, dtype=np.int64), np.zeros(size)
    for row, ids in raster.strips():
        flat = np.where(ids < size, ids, 0).ravel()
        pixels += np.bincount(flat, minlength=size)
        if not areas.is_constant:
            weights = areas.of_rows(row, row + len(ids), raster.grid.samples).ravel()
            ground += np.bincount(flat, weights, minlength=size)
        if progress is not None:
            progress(row + len(ids), raster.grid.lines)
    if areas.is_constant:
        ground += pixels * areas.area.item()
    classified = float(ground[1:].sum()) or 1.0
    rows = tuple(
        ClassShare(
            entry=entry,
            pixels=int(pixels[entry.id]),
            area=float(ground[entry.id]) if areas.unit == "ha" else None,
            share=float(ground[entry.id]) / classified,
        )
        for entry in raster.classes
    )
    return ClassStatistics(classes=rows, unclassified_pixels=int(pixels[0]), note=areas.note)
