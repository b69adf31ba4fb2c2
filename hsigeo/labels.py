"""Ground truth on a scene's grid: which pixels are labelled, as what, by which polygon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassTable
from hsigeo.grid import Grid
from hsigeo.messages import in_words

__all__ = ["GroupKind", "LabelReport", "LabelSource", "LabelledPixels"]


GroupKind = Literal["feature", "patch"]


@dataclass(frozen=True, kw_only=True)
class LabelReport:
    """What happened to the labels on their way onto the grid. Nothing is dropped without being counted here.

    Parameters
    ----------
    features
        Features in the file (vector labels), or 0.
    features_without_class
        Features whose class is null or empty; not used.
    features_without_geometry
        Features whose geometry is null or empty; not used.
    features_outside
        Features that do not touch the scene; not used.
    features_without_pixel
        Features that touch the scene but contain no pixel centre, mostly because they are smaller than a pixel; not
        used.
    pixels_contradicting
        Pixels claimed by two classes; not used.
    pixels_repeated
        Pixels claimed more than once by the same class; used once.
    pixels_not_seen
        Labelled map pixels that a scene in sensor geometry has no pixel for; not used.
    features_invalid
        Features with a polygon that is not valid, mostly because its outline crosses itself. They are used, and label
        what GDAL fills.
    """

    features: int = 0
    features_without_class: int = 0
    features_without_geometry: int = 0
    features_outside: int = 0
    features_without_pixel: int = 0
    pixels_contradicting: int = 0
    pixels_repeated: int = 0
    pixels_not_seen: int = 0
    features_invalid: int = 0

    def unused(self, where: str) -> list[str]:
        """What was not used and why, as ``1 feature without a class``; `where` is ``the scene`` or ``the map``."""
        return in_words(
            {
                "features without a class": self.features_without_class,
                "features without a geometry": self.features_without_geometry,
                f"features outside {where}": self.features_outside,
                "features without a pixel centre": self.features_without_pixel,
                "pixels in two classes": self.pixels_contradicting,
            }
        )

    def about_invalid(self) -> str:
        """What to know about features that are not valid, as a sentence; empty where all are."""
        count = self.features_invalid
        if not count:
            return ""
        return (
            f"{count} {'feature has a polygon' if count == 1 else 'features have polygons'} whose outline crosses "
            "itself, or which is not valid otherwise; what GDAL fills of it is labelled, which may not be what was "
            "meant (QGIS mends it: Fix geometries)"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledPixels:
    """The labelled pixels of one scene, each at most once, in row-major order.

    Sparse on purpose: a flight line of 10^8 pixels has some thousand labels.

    Parameters
    ----------
    row, col
        (pixel,) int64, position in the scene's grid, from 0.
    class_id
        (pixel,) int32, ids of `classes`; never 0.
    group
        (pixel,) int64, which polygon, line or point of the label file labelled it, from 0: pixels of one polygon are
        not independent, and validation keeps them together. The parts of a multi-part feature are groups of their
        own. For label rasters: the connected patch of equal class (8-neighbourhood) the pixel belongs to.
    classes
        The class table the ids refer to.
    group_kind
        ``feature`` or ``patch``: what a group is.
    report
        What could not be used, and why.
    """

    row: NDArray[np.int64]
    col: NDArray[np.int64]
    class_id: NDArray[np.int32]
    group: NDArray[np.int64]
    classes: ClassTable
    group_kind: GroupKind = "feature"
    report: LabelReport = field(default_factory=LabelReport)

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"<{len(self)} labelled pixels in {len(np.unique(self.class_id))} classes>"


class LabelSource(Protocol):
    """A label file, opened: its classes are known, its pixels are not yet read.

    One vector file serves many scenes: ask it for the labels on each grid.
    """

    @property
    def path(self) -> str:
        """The file, as given."""

    @property
    def classes(self) -> ClassTable:
        """Every class the file names."""

    def on(self, grid: Grid) -> LabelledPixels:
        """The labels that fall on a grid; empty where none does.

        Raises
        ------
        LabelError
            The labels cannot be placed on this grid (unknown CRS, different raster size).
        """
