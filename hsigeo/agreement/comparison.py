"""Compares lines where they overlap, block by block over a common grid."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsigeo.agreement.counts import PairCounts, PositionCounts
from hsigeo.atomic import check_not_an_input
from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.errors import LabelError
from hsigeo.grid import Grid
from hsigeo.io.block_writer import (
    BLOCK,
    BlockRaster,
    RasterOutput,
    class_output,
    total_work,
    write_block_rasters,
)
from hsigeo.lines.block_plan import Block, plan_blocks
from hsigeo.lines.class_union import ClassUnion, unite_classes
from hsigeo.lines.handles import Handles
from hsigeo.lines.mapped_line import MappedLine
from hsigeo.lines.placed_line import PlacedLine, place_line
from hsigeo.lines.target import choose_grid
from hsigeo.progress import Progress
from hsigeo.software import SOFTWARE
from hsigeo.tiling import iter_slices

__all__ = ["DISAGREEMENT", "Comparison", "compare_lines"]

MOST_CLASSES = 1000
"""The table of which classes are taken for which grows with their square."""

DISAGREEMENT = ClassTable(
    (
        ClassEntry(id=1, name="all lines agree", color=(205, 222, 235)),
        ClassEntry(id=2, name="most lines agree", color=(240, 178, 80)),
        ClassEntry(id=3, name="no majority", color=(178, 34, 34)),
    )
)
"""Values of the map of disagreement; 0 is where fewer than two lines say anything."""

_BLOCK_BYTES = 64 << 20
_BYTES_PER_PIXEL = 40
_DENSE = 1 << 18
"""Entries of a table that is counted anew for each pair and block; in larger ones only what occurs is touched."""
_ZENITH_EDGES = np.arange(0.0, 62.0, 2.0)
_RELATIVE_EDGES = np.linspace(-1.0, 1.0, 21)


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What was counted.

    Parameters
    ----------
    lines
        As given.
    classes
        Common to all.
    pairs
        (first line, second line), as numbers, first < second; only pairs with common pixels.
    positions
        By where the pixels lie in the swath.
    axis
        What `positions` counts by: ``zenith`` (degrees) or ``centre`` (share of the half width, west negative).
    grid
        On which the lines were compared.
    notes
        What differed among the class tables.
    """

    lines: tuple[MappedLine, ...]
    classes: ClassTable
    pairs: dict[tuple[int, int], PairCounts]
    positions: PositionCounts
    axis: str
    grid: Grid
    notes: tuple[str, ...]


def compare_lines(
    lines: Sequence[MappedLine],
    *,
    grid: Grid | None = None,
    disagreement: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Count on which pixels lines that overlap say the same.

    Both are taken at the centres of a common grid's pixels, the nearest pixel of each. Half a pixel of that is
    geometry, not classification: at the edges of fields even perfect maps disagree a little.

    Parameters
    ----------
    lines
        As `hsigeo.lines.mapped_line.open_lines` gives them.
    grid
        Default: that of `hsigeo.lines.target.choose_grid`.
    disagreement
        Also write the map of `DISAGREEMENT` there, with names and colours.
    overwrite
        Replace it.
    progress
        Called with (done, total) after each block and file; in pixels, with a share for finishing the file.

    Raises
    ------
    LabelError
        There are fewer than two lines, more than 1000 classes, or a map cannot be read.
    OutputExistsError, OutputError
        The map of disagreement cannot be written.
    """
    if len(lines) < 2:
        raise LabelError(f"{len(lines)} map was given; comparing needs two that overlap")
    union = unite_classes(lines)
    if len(union.classes) > MOST_CLASSES:
        raise LabelError(f"the maps have {len(union.classes)} classes; {MOST_CLASSES} is the most that is compared")
    target = choose_grid([line.grid for line in lines]) if grid is None else grid
    axis = "zenith" if all(line.observation is not None for line in lines) else "centre"
    counter = _Counter(len(lines), union, axis)
    plan = plan_blocks([line.grid for line in lines], target, BLOCK)
    total = total_work(target, 0 if disagreement is None else 1)
    with ExitStack() as stack:
        raster = None
        if disagreement is not None:
            output = _output(Path(disagreement), lines)
            for file in output.files:
                check_not_an_input(file, [line.path for line in lines])
            writing = write_block_rasters([output], target, overwrite=overwrite, progress=progress)
            (raster,) = stack.enter_context(writing)
        handles = stack.enter_context(Handles())
        placed = [
            place_line(number, line, target, handles, zenith=axis == "zenith", centre=axis == "centre")
            for number, line in enumerate(lines)
        ]
        for block in plan:
            if len(block.lines) > 1:
                _compare_block(block, [placed[number] for number in block.lines], counter, raster)
            if progress is not None:
                progress(block.rows.start * target.samples + block.cols.stop * block.shape[0], total)
    return Comparison(
        lines=tuple(lines),
        classes=union.classes,
        pairs=counter.pairs,
        positions=counter.positions,
        axis=axis,
        grid=target,
        notes=union.notes,
    )


def _output(path: Path, lines: Sequence[MappedLine]) -> RasterOutput:
    metadata = {
        "software": SOFTWARE,
        "kind": "disagreement",
        "lines": [{"name": line.name, "map": line.path.name} for line in lines],
    }
    return class_output(path, DISAGREEMENT, metadata, description="agreement of flight lines")


def _compare_block(block: Block, lines: list[PlacedLine], counter: _Counter, raster: BlockRaster | None) -> None:
    """Count a block, in parts where so many lines meet that all of it would take too much."""
    height = max(1, min(BLOCK, _BLOCK_BYTES // (_BYTES_PER_PIXEL * len(lines) * block.shape[1])))
    parts = [
        counter.count(Block(rows=rows, cols=block.cols, lines=block.lines), lines)
        for rows in iter_slices(block.rows.start, block.rows.stop, height)
    ]
    if raster is not None:
        raster.write(block.rows, block.cols, np.concatenate(parts))


class _Counter:
    """Counts pairs of lines, and gives the map of disagreement."""

    def __init__(self, lines: int, union: ClassUnion, axis: str) -> None:
        self._union = union
        self._axis = axis
        classes = len(union.classes)
        edges = _ZENITH_EDGES if axis == "zenith" else _RELATIVE_EDGES
        outer = edges[edges >= -1e-9]
        self.pairs: dict[tuple[int, int], PairCounts] = {}
        self.positions = PositionCounts(
            edges=edges,
            lines=np.zeros((lines, len(edges) - 1, 2), dtype=np.int64),
            outer_edges=outer,
            confusion=np.zeros((len(outer) - 1, classes, classes), dtype=np.int64),
        )
        # From ids to places in the table.
        self._place = np.full(max(union.classes.ids, default=0) + 1, -1, dtype=np.int64)
        self._place[list(union.classes.ids)] = np.arange(classes)

    def count(self, block: Block, lines: list[PlacedLine]) -> NDArray[np.uint16]:
        """(y, x) ids of `DISAGREEMENT`."""
        said, where, numbers = [], [], []
        for placed in lines:
            at = placed.placement.locate(block.rows, block.cols)
            ids = placed.ids(at, self._union)
            if not ids.any():
                continue
            numbers.append(placed.number)
            said.append(self._place[ids])
            if self._axis == "zenith":
                where.append(placed.zenith(block).astype(np.float64))
            else:
                assert placed.swath is not None
                where.append(placed.swath.relative(at.rows, at.cols))
        votes = np.zeros((len(said), *block.shape), dtype=np.uint16)
        for one, other in combinations(range(len(said)), 2):
            common = (said[one] >= 0) & (said[other] >= 0)
            if common.any():
                same = common & (said[one] == said[other])
                votes[one] += same
                votes[other] += same
                self._add((numbers[one], numbers[other]), common, (said[one], said[other]), (where[one], where[other]))
        return _judge(said, votes, block.shape)

    def _add(
        self,
        pair: tuple[int, int],
        common: NDArray[np.bool_],
        said: tuple[NDArray[np.int64], NDArray[np.int64]],
        where: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        classes = len(self._union.classes)
        first, second = said[0][common], said[1][common]
        if pair not in self.pairs:
            self.pairs[pair] = PairCounts.empty(classes)
        self.pairs[pair].add(first, second)
        same = first == second
        positions = [at[common] for at in where]
        for line, at in zip(pair, positions, strict=True):
            known = np.isfinite(at)
            bins = self.positions.bin_of(at[known])
            count = len(self.positions.edges) - 1
            self.positions.lines[line, :, 0] += np.bincount(bins, minlength=count)
            self.positions.lines[line, :, 1] += np.bincount(bins[same[known]], minlength=count)
        outer = np.maximum(np.abs(positions[0]), np.abs(positions[1]))
        known = np.isfinite(outer)
        bins = self.positions.outer_bin_of(outer[known])
        shape = self.positions.confusion.shape
        for one, other in ((first, second), (second, first)):
            flat = (bins * classes + one[known]) * classes + other[known]
            if self.positions.confusion.size <= _DENSE:
                self.positions.confusion[:] += np.bincount(flat, minlength=self.positions.confusion.size).reshape(shape)
            else:
                np.add.at(self.positions.confusion.reshape(-1), flat, 1)


def _judge(said: list[NDArray[np.int64]], votes: NDArray[np.uint16], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """What the lines make of each pixel together.

    Parameters
    ----------
    said : for each line (y, x)
        Place of its class, -1 for none.
    votes : (line, y, x)
        How many other lines say the same.
    """
    if len(said) < 2:
        return np.zeros(shape, dtype=np.uint16)
    speaking = np.sum([ids >= 0 for ids in said], axis=0)
    strongest = votes.max(axis=0) + 1
    verdict = np.where(strongest == speaking, 1, np.where(2 * strongest > speaking, 2, 3))
    return np.where(speaking > 1, verdict, 0).astype(np.uint16)
