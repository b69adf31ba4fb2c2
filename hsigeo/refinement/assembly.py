"""A map refined and written like every map: strips of rows, and in one piece only where a filter needs it.

What is asked for is done in one order: classes are changed, probabilities smoothed, and unsure pixels left out first;
then come the majority filter and the closing, and last small patches are removed. So patches are counted as they will
be on the map, and nothing smooths over a border between classes that are one in the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.atomic import check_not_an_input, disk_failure
from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError, OutputError
from hsigeo.grid import Grid
from hsigeo.io.block_writer import (
    BLOCK,
    BlockRaster,
    check_outputs,
    class_output,
    confidence_output,
    total_work,
    write_block_rasters,
)
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.cube_reader import open_cube
from hsigeo.lines.handles import Handles
from hsigeo.progress import Progress
from hsigeo.refinement.changes import Recoding, number_classes, recode
from hsigeo.refinement.edges import edges_of_scene
from hsigeo.refinement.filters import clump, majority, remove_patches
from hsigeo.refinement.probabilities import open_groups, smoothed
from hsigeo.refinement.request import Refinement
from hsigeo.refinement.rows import (
    Certainty,
    Decision,
    ReadRows,
    decide_by_map,
    decide_by_probabilities,
    find_certainty,
)
from hsigeo.refinement.scene_of_map import open_scene_of_map
from hsigeo.refinement.sieving import check_room, remove_patches_on_disk
from hsigeo.software import SOFTWARE
from hsigeo.tiling import iter_slices

__all__ = ["Refined", "refine_map"]

SMALL_PIXELS = 1 << 21
"""Maps of so many are sieved in memory, at about six bytes a pixel; larger ones go to disk."""


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
    confidence: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Refined:
    """Write a refined copy of a map: same grid, 0 still nodata, names and colours beside it, its origin kept.

    Memory follows one strip of 512 rows; with `Refinement.smallest_patch` the whole map's ids are held at once, a byte
    or two a pixel, and some room beside the new map is taken meanwhile.

    Parameters
    ----------
    raster
        As `hsigeo.io.open_map` gives it.
    path
        The new map; never the old one.
    confidence
        Where to write how probable the class of each pixel of the new map is; needs probabilities.
    progress
        Called with (done, total).

    Raises
    ------
    OutputExistsError, OutputError
        An output exists, cannot be written, or is an input.
    LabelError
        The map or its layers cannot be read, or do not fit each other or the changes.
    SceneError
        The scene to see edges in cannot be read, or is not that of the map.
    MemoryLimitError
        There is a smallest patch, and the ids of the whole map do not fit into memory.
    """
    recoding = recode(raster.classes, refinement.changes)
    certainty = find_certainty(
        raster,
        probabilities=refinement.probabilities,
        confidence=refinement.confidence,
        needed=_needed_layers(refinement, confidence is not None),
    )
    steps = refinement.steps(raster.classes, recoding, certainty)
    if not steps:
        raise OutputError(f"{path} would be a copy of {raster.path}; say what to refine")
    metadata = _metadata(raster, steps)
    outputs = [class_output(Path(path), recoding.classes, metadata)]
    if confidence is not None:
        outputs.append(confidence_output(Path(confidence), of=outputs[0]))
    check_outputs(outputs, overwrite=overwrite)
    layer = [] if certainty is None else [certainty.path]
    inputs: list[str | Path] = [raster.path, *layer, *_scene_files(refinement)]
    for file in (file for output in outputs for file in output.files):
        check_not_an_input(file, inputs)
    with Handles() as handles:
        decision = _decide(raster, recoding, certainty, refinement, handles)
        rows = _filtered(decision.rows, refinement, raster.grid.shape, recoding.classes)
        if refinement.smallest_patch > 1:
            check_room(raster.grid.shape, recoding.classes.dtype)
            read, progress = _shown(rows, raster.grid, total_work(raster.grid, len(outputs)), progress)
            rows = _sieved(read, refinement, raster.grid.shape, recoding.classes.dtype, Path(path).parent)
        with write_block_rasters(outputs, raster.grid, overwrite=overwrite, progress=progress) as written:
            _write(written, raster.grid, rows, decision, progress)
    pixels = {number: int(written[0].counts[number]) for number in (0, *recoding.classes.ids)}
    return Refined(path=Path(path), classes=recoding.classes, pixels=pixels)


def _write(
    written: Sequence[BlockRaster], grid: Grid, rows: ReadRows, decision: Decision, progress: Progress | None
) -> None:
    """Strip by strip: the map, and the confidences where they are asked for too."""
    total = total_work(grid, len(written))
    for strip in iter_slices(0, grid.lines, BLOCK):
        here = (strip, slice(0, grid.samples))
        ids = rows(strip.start, strip.stop)
        written[0].write(*here, ids)
        if len(written) > 1 and decision.confidences is not None:
            written[1].write(*here, decision.confidences(strip.start, ids))
        if progress is not None:
            progress(strip.stop * grid.samples, total)


def _needed_layers(refinement: Refinement, confidence: bool) -> tuple[str, ...]:
    """Which layers of the map would do, the best first.

    Raises
    ------
    LabelError
        Only confidences were given, and they do not do.
    """
    if refinement.smoothing is None and not confidence:
        return ("confidence", "probabilities") if refinement.thresholds else ()
    if refinement.confidence is not None and refinement.probabilities is None:
        raise LabelError(
            f"{refinement.confidence} holds the probability of one class per pixel; smoothing and new confidences need "
            "those of all classes; give the probabilities of the map"
        )
    return ("probabilities",)


def _scene_files(refinement: Refinement) -> list[Path]:
    if refinement.smoothing is None or refinement.smoothing.scene is None:
        return []
    scene = refinement.smoothing.scene
    return [scene, Path(open_cube(scene).header.data_path)]


def _metadata(raster: ClassRaster, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The map's own origin, and what was done to it, after what had been done before."""
    before = raster.metadata.get("refined")
    done = {"map": Path(raster.path).name, "software": SOFTWARE, "steps": steps}
    return {**raster.metadata, "refined": [*(before if isinstance(before, list) else []), done]}


def _decide(
    raster: ClassRaster, recoding: Recoding, certainty: Certainty | None, refinement: Refinement, handles: Handles
) -> Decision:
    least = refinement.thresholds.by_id(recoding.classes)
    if certainty is None or certainty.kind == "confidence":
        return decide_by_map(raster, recoding, certainty, least, handles)
    groups = recoding.to_new[list(raster.classes.ids)].astype(recoding.classes.dtype)  # (class,) → new id
    read = open_groups(certainty.path, len(groups), groups, handles)
    smoothing, margin = refinement.smoothing, 0
    if smoothing is not None:
        margin = smoothing.rounds
        scene = None if smoothing.scene is None else open_scene_of_map(smoothing.scene, raster.grid)
        links = None if scene is None else edges_of_scene(scene)
        read = smoothed(read, raster.grid.shape, strength=smoothing.strength, rounds=smoothing.rounds, links=links)
    return decide_by_probabilities(read, groups, least, samples=raster.grid.samples, margin=margin)


def _filtered(rows: ReadRows, refinement: Refinement, shape: tuple[int, int], classes: ClassTable) -> ReadRows:
    if radius := refinement.radius:
        rows = _by_strips(rows, lambda ids: majority(ids, radius), radius, shape[0])
    if clump_radius := refinement.clump_radius:
        chosen = _clumped_ids(refinement.clumped, classes)
        rows = _by_strips(rows, lambda ids: clump(ids, clump_radius, chosen), 2 * clump_radius, shape[0])
    return rows


def _clumped_ids(names: tuple[str, ...], classes: ClassTable) -> frozenset[int] | None:
    numbers = number_classes(classes)
    if strange := [name for name in names if name not in numbers]:
        raise LabelError(f"no class {strange[0]!r} to clump; the new map has {', '.join(classes.names)!s:.200}")
    return frozenset(numbers[name] for name in names) or None


def _by_strips(rows: ReadRows, change: Callable[[NDArray[Any]], NDArray[Any]], reach: int, lines: int) -> ReadRows:
    """A filter, a strip at a time, with as many rows around it as the filter reaches."""

    def read(first: int, stop: int) -> NDArray[Any]:
        top, bottom = max(first - reach, 0), min(stop + reach, lines)
        return change(rows(top, bottom))[first - top : stop - top]

    return read


def _shown(rows: ReadRows, grid: Grid, total: int, progress: Progress | None) -> tuple[ReadRows, Progress | None]:
    """Rows that are all read before any is written, as work of its own, and what to tell of the work that follows."""
    if progress is None:
        return rows, None
    pixels, show = grid.lines * grid.samples, progress

    def read(first: int, stop: int) -> NDArray[Any]:
        found = rows(first, stop)
        show(stop * grid.samples, pixels + total)
        return found

    return read, lambda done, whole: show(pixels + done, pixels + whole)


def _sieved(rows: ReadRows, refinement: Refinement, shape: tuple[int, int], dtype: str, folder: Path) -> ReadRows:
    smallest, diagonal = refinement.smallest_patch, refinement.diagonal
    if shape[0] * shape[1] <= SMALL_PIXELS:
        whole = np.empty(shape, dtype=dtype)
        for strip in iter_slices(0, shape[0], BLOCK):
            whole[strip] = rows(strip.start, strip.stop)
        kept = remove_patches(whole, smallest, diagonal=diagonal)
    else:
        with disk_failure(folder):
            kept = remove_patches_on_disk(rows, shape, dtype, smallest, diagonal=diagonal, folder=folder)
    return lambda first, stop: kept[first:stop]
