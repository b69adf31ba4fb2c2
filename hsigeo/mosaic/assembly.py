"""Writes a mosaic and the layer that says which line each pixel comes from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.atomic import check_not_an_input
from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError
from hsigeo.grid import Grid
from hsigeo.io.block_writer import (
    BLOCK,
    RasterOutput,
    check_outputs,
    class_output,
    confidence_output,
    total_work,
    write_block_rasters,
)
from hsigeo.lines.block_plan import Block, plan_blocks
from hsigeo.lines.class_union import ClassUnion, unite_classes
from hsigeo.lines.handles import Handles
from hsigeo.lines.mapped_line import MappedLine
from hsigeo.lines.placed_line import PlacedLine, place_line
from hsigeo.lines.target import choose_grid
from hsigeo.mosaic.composition import block_bytes, compose
from hsigeo.mosaic.rules import Rule, choose_rule, lacks
from hsigeo.progress import Progress
from hsigeo.software import SOFTWARE
from hsigeo.tiling import iter_slices

__all__ = ["Mosaic", "lines_path", "write_mosaic"]

BLOCK_BYTES = 128 << 20
"""What one block may take while it is composed."""


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """What was written.

    Parameters
    ----------
    path, lines_path
        The mosaic, and the raster that says which line each pixel comes from.
    grid
        Of both.
    rule
        How overlaps were decided.
    pixels
        (class name → pixels), of the mosaic.
    pixels_of_lines
        (line name → pixels it gave).
    notes
        What differed among the maps, as sentences.
    """

    path: Path
    lines_path: Path
    grid: Grid
    rule: Rule
    pixels: dict[str, int]
    pixels_of_lines: dict[str, int]
    notes: tuple[str, ...]


def lines_path(path: Path) -> Path:
    """Where the raster goes that says which line was believed: ``campaign.tif`` → ``campaign_lines.tif``."""
    return path.with_name(f"{path.stem}_lines{path.suffix}")


def write_mosaic(
    lines: Sequence[MappedLine],
    path: str | os.PathLike[str],
    *,
    rule: Rule | None = None,
    grid: Grid | None = None,
    confidence: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Mosaic:
    """Lay maps over each other on one grid.

    A pixel is taken from the map's pixel in which its centre lies; nothing is interpolated. Maps are read through
    windows of bounded size and few are open at a time, so memory follows neither their number nor their size.

    Parameters
    ----------
    lines
        As `hsigeo.lines.mapped_line.open_lines` gives them. Where nothing else decides, the first wins.
    path
        The mosaic, a Cloud Optimized GeoTIFF with names and colours; ``…_lines.tif`` goes beside it.
    rule
        How overlaps are decided; default: the one that knows most of those that all lines have the layers for.
    grid
        Default: that of `hsigeo.lines.target.choose_grid`.
    confidence
        Where to write how probable the class of each pixel is: its mean over the lines under the rule `probability`,
        else what the line says that was believed. NaN where that line has no such layer.
    overwrite
        Replace files that exist.
    progress
        Called with (done, total) after each block and each file; in pixels, with a share for finishing the files.

    Raises
    ------
    OutputExistsError, OutputError
        An output exists, cannot be written or is an input, or lines lack what the rule needs.
    LabelError
        A map cannot be read to its end.
    """
    union = unite_classes(lines)
    chosen, notes = choose_rule(lines, rule)
    target = choose_grid([line.grid for line in lines]) if grid is None else grid
    every_note = (*notes, *union.notes, *([] if confidence is None else _without_confidence(lines)))
    maps = _outputs(Path(path), lines, union, chosen, every_note)
    outputs = [*maps]
    if confidence is not None:
        outputs.append(confidence_output(Path(confidence), of=maps[0]))
    check_outputs(outputs, overwrite=overwrite)
    for output in outputs:
        for file in output.files:
            check_not_an_input(file, files_of(lines))
    plan = plan_blocks([line.grid for line in lines], target, BLOCK)
    total = total_work(target, len(outputs))
    writing = write_block_rasters(outputs, target, overwrite=overwrite, progress=progress)
    with writing as (mosaic, winners, *sureness), Handles() as handles:
        placed = [
            place_line(number, line, target, handles, zenith=chosen is Rule.ZENITH, centre=chosen is Rule.CENTRE)
            for number, line in enumerate(lines)
        ]
        for block in plan:
            here = [placed[number] for number in block.lines]
            ids, sources, sure = _compose(block, here, chosen, union, confidence=confidence is not None)
            mosaic.write(block.rows, block.cols, ids)
            winners.write(block.rows, block.cols, sources)
            for raster in sureness:
                raster.write(block.rows, block.cols, sure)
            if progress is not None:
                progress(block.rows.start * target.samples + block.cols.stop * block.shape[0], total)
    return Mosaic(
        path=maps[0].path,
        lines_path=maps[1].path,
        grid=target,
        rule=chosen,
        pixels={entry.name: int(mosaic.counts[entry.id]) for entry in union.classes},
        pixels_of_lines={line.name: int(winners.counts[number]) for number, line in enumerate(lines, start=1)},
        notes=every_note,
    )


def files_of(lines: Iterable[MappedLine]) -> list[Path]:
    """Every file the lines are read from."""
    files = []
    for line in lines:
        files.append(line.path)
        files += [layer.path for layer in (line.probabilities, line.confidence, line.observation) if layer is not None]
    return files


def _outputs(
    path: Path, lines: Sequence[MappedLine], union: ClassUnion, rule: Rule, notes: Sequence[str]
) -> tuple[RasterOutput, RasterOutput]:
    metadata = {
        "software": SOFTWARE,
        "rule": rule.value,
        "lines": [describe_line(line) for line in lines],
        "notes": list(notes),
        **_common_origin(lines),
    }
    names = ClassTable.from_names([line.name for line in lines])
    return (
        class_output(path, union.classes, {"kind": "mosaic", **metadata}),
        class_output(lines_path(path), names, {"kind": "lines", **metadata}, description="flight line"),
    )


def describe_line(line: MappedLine) -> dict[str, Any]:
    """Where a line's part of a mosaic comes from, as JSON values."""
    kept = ("scene", "model_sha256", "software")
    return {"name": line.name, "map": line.path.name} | {
        key: value for key, value in line.raster.metadata.items() if key in kept
    }


def _common_origin(lines: Sequence[MappedLine]) -> dict[str, Any]:
    """What all maps say alike about their model: a mosaic of one model has its training labels for its own."""
    first = lines[0].raster.metadata
    keys = ("model", "model_sha256", "variant", "provenance", "validation")
    return {
        key: first[key]
        for key in keys
        if key in first and all(line.raster.metadata.get(key) == first[key] for line in lines)
    }


def _compose(
    block: Block, lines: list[PlacedLine], rule: Rule, union: ClassUnion, *, confidence: bool
) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.float32]]:
    """`compose`, in parts where there are so many classes that the whole block would take too much."""
    pixel_bytes = block_bytes(rule, len(union.classes), confidence=confidence)
    height = max(1, min(BLOCK, BLOCK_BYTES // (pixel_bytes * block.shape[1])))
    parts = []
    for rows in iter_slices(block.rows.start, block.rows.stop, height):
        part = Block(rows=rows, cols=block.cols, lines=block.lines)
        parts.append(compose(part, lines, rule, union, confidence=confidence))
    return (
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.winners for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    )


def _without_confidence(lines: Sequence[MappedLine]) -> list[str]:
    """What to say of lines that do not say how sure they are.

    Raises
    ------
    OutputError
        None does.
    """
    missing = lacks(lines, Rule.CONFIDENCE)
    if len(missing) == len(lines):
        raise OutputError(
            "no map has NAME_confidence.tif or NAME_probabilities.tif beside it, so the mosaic has no confidences; "
            "write them with `hsigeo classify --confidence`"
        )
    if not missing:
        return []
    return [
        f"{len(missing)} of {len(lines)} lines have no confidences and leave gaps in the layer: "
        f"{', '.join(missing[:5])}"
    ]
