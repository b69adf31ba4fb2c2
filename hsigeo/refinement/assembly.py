"""A map refined and written like every map: strips of rows, and in one piece only where a filter needs it.

What is asked for is done in one order: classes are changed and unsure pixels left out first, then the majority filter,
then small patches are removed. So patches are counted as they will be on the map, and nothing smooths over a border
between classes that are one in the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hsigeo
from hsigeo.atomic import check_not_an_input
from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError
from hsigeo.io.block_writer import BLOCK, ClassOutput, check_class_outputs, total_work, write_class_rasters
from hsigeo.io.class_raster import ClassRaster
from hsigeo.lines.handles import Handles
from hsigeo.refinement.changes import ClassChange, Recoding, recode
from hsigeo.refinement.filters import majority, remove_patches
from hsigeo.refinement.rows import Certainty, ReadRows, find_certainty, open_rows

__all__ = ["LARGEST_RADIUS", "Refined", "Refinement", "refine_map"]

LARGEST_RADIUS = 50

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """What to do; nothing by default.

    Parameters
    ----------
    changes
        To the classes.
    min_confidence
        Pixels of which the model was less sure get no class.
    probabilities, confidence
        Layers of the map. With probabilities, those of merged classes are added, and the highest sum decides.
    radius
        Of the majority filter, pixels; its window is ``2 * radius + 1`` wide.
    smallest_patch
        Patches of fewer pixels go to the largest patch beside them.
    diagonal
        Whether pixels that touch at a corner are of one patch.

    Raises
    ------
    ValueError
        A value is out of range.
    """

    changes: tuple[ClassChange, ...] = ()
    min_confidence: float | None = None
    probabilities: Path | None = None
    confidence: Path | None = None
    radius: int = 0
    smallest_patch: int = 0
    diagonal: bool = False

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0 < self.min_confidence <= 1:
            raise ValueError(f"a confidence is between 0 and 1; {self.min_confidence:g} is not")
        if not 0 <= self.radius <= LARGEST_RADIUS:
            raise ValueError(f"the majority filter's radius goes up to {LARGEST_RADIUS} pixels; {self.radius} is not")
        if self.smallest_patch < 0:
            raise ValueError(f"a patch has at least one pixel; {self.smallest_patch} is no size")

    def steps(self, before: ClassTable, recoding: Recoding, certainty: Certainty | None) -> list[dict[str, Any]]:
        """What is done, as JSON values, in order."""
        steps: list[dict[str, Any]] = []
        if self.changes:
            steps.append({"operation": "classes", "changes": recoding.to_json(before)})
        if certainty is not None:
            decided = {"min_confidence": self.min_confidence} if self.min_confidence is not None else {}
            steps.append({"operation": certainty.kind, "file": certainty.path.name, **decided})
        if self.radius:
            steps.append({"operation": "majority", "radius": self.radius})
        if self.smallest_patch > 1:
            neighbours = 8 if self.diagonal else 4
            steps.append({"operation": "sieve", "smallest_patch": self.smallest_patch, "neighbours": neighbours})
        return steps


@dataclass(frozen=True, kw_only=True)
class Refined:
    """What was written.

    Parameters
    ----------
    path
        The map.
    classes
        Its table.
    pixels
        (id → pixels), 0 included.
    """

    path: Path
    classes: ClassTable
    pixels: dict[int, int]


def refine_map(
    raster: ClassRaster,
    path: str | os.PathLike[str],
    refinement: Refinement,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Refined:
    """Write a refined copy of a map: same grid, 0 still nodata, names and colours beside it, its origin kept.

    Memory follows one strip of 512 rows; with `Refinement.smallest_patch` the whole map's ids are held at once, about
    6 bytes a pixel.

    Parameters
    ----------
    raster
        As `hsigeo.io.open_map` gives it.
    path
        The new map; never the old one.
    progress
        Called with (done, total).

    Raises
    ------
    OutputExistsError, OutputError
        The output exists, cannot be written, or is an input.
    LabelError
        The map or its layers cannot be read, or do not fit each other or the changes.
    """
    recoding = recode(raster.classes, refinement.changes)
    certainty = find_certainty(
        raster,
        probabilities=refinement.probabilities,
        confidence=refinement.confidence,
        needed=refinement.min_confidence is not None,
    )
    steps = refinement.steps(raster.classes, recoding, certainty)
    if not steps:
        raise OutputError(f"{path} would be {raster.path} once more; say what to refine")
    output = ClassOutput(
        path=Path(path), classes=recoding.classes, description="class", metadata=_metadata(raster, steps)
    )
    check_class_outputs([output], overwrite=overwrite)
    for file in output.files:
        check_not_an_input(file, [raster.path, *([] if certainty is None else [certainty.path])])
    grid = raster.grid
    total = total_work(grid, 1)
    with Handles() as handles:
        rows = open_rows(raster, recoding, certainty, refinement.min_confidence or -np.inf, handles)
        rows = _filtered(rows, refinement, grid.shape, recoding.classes.dtype)
        with write_class_rasters([output], grid, overwrite=overwrite, progress=progress) as (written,):
            for first in range(0, grid.lines, BLOCK):
                stop = min(first + BLOCK, grid.lines)
                written.write(slice(first, stop), slice(0, grid.samples), rows(first, stop))
                if progress is not None:
                    progress(stop * grid.samples, total)
    pixels = {number: int(written.counts[number]) for number in (0, *recoding.classes.ids)}
    return Refined(path=output.path, classes=recoding.classes, pixels=pixels)


def _metadata(raster: ClassRaster, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The map's own origin, and what was done to it, after what had been done before."""
    before = raster.metadata.get("refined")
    done = {"map": Path(raster.path).name, "software": f"hsigeo {hsigeo.__version__}", "steps": steps}
    return {**raster.metadata, "refined": [*(before if isinstance(before, list) else []), done]}


def _filtered(rows: ReadRows, refinement: Refinement, shape: tuple[int, int], dtype: str) -> ReadRows:
    if refinement.radius:
        rows = _smoothed(rows, refinement.radius, shape[0])
    if refinement.smallest_patch > 1:
        rows = _sieved(rows, refinement, shape, dtype)
    return rows


def _smoothed(rows: ReadRows, radius: int, lines: int) -> ReadRows:
    """The majority filter, a strip at a time, with as many rows around it as the window reaches."""

    def read(first: int, stop: int) -> NDArray[Any]:
        top, bottom = max(first - radius, 0), min(stop + radius, lines)
        return majority(rows(top, bottom), radius)[first - top : stop - top]

    return read


def _sieved(rows: ReadRows, refinement: Refinement, shape: tuple[int, int], dtype: str) -> ReadRows:
    whole = np.empty(shape, dtype=dtype)
    for first in range(0, shape[0], BLOCK):
        stop = min(first + BLOCK, shape[0])
        whole[first:stop] = rows(first, stop)
    kept = remove_patches(whole, refinement.smallest_patch, diagonal=refinement.diagonal)
    return lambda first, stop: kept[first:stop]
