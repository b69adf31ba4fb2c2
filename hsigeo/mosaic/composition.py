"""One block of a mosaic: what each line says there, and which line is taken.

Lines are taken one after the other, so the memory a block needs does not grow with the number of lines that meet in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.lines.block_plan import Block
from hsigeo.lines.class_union import ClassUnion
from hsigeo.lines.placed_line import PlacedLine
from hsigeo.lines.placement import PixelIndex
from hsigeo.mosaic.rules import Rule, is_better, most_probable, score_by_centre, score_by_zenith

__all__ = ["Composed", "block_bytes", "compose"]

Ids = NDArray[np.uint16]

_ABSURD = 1e9
"""No layer's probability; a damaged file may hold anything."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Composed:
    """A block of a mosaic.

    Parameters
    ----------
    ids
        (y, x) common class ids, 0 where no line says anything.
    winners
        (y, x) number of the line plus one: the one that was believed, or under mean probability the one that gives the
        class of the mosaic the highest probability.
    confidence
        (y, x) how probable the class is: under mean probability the mean over the lines, else what the line that was
        believed says; NaN where nothing says so, and where there is no class.
    """

    ids: Ids
    winners: Ids
    confidence: NDArray[np.float32]


def compose(
    block: Block, lines: list[PlacedLine], rule: Rule, union: ClassUnion, *, confidence: bool = False
) -> Composed:
    """The block of the mosaic.

    Parameters
    ----------
    confidence
        Whether it is asked for; else nothing is read for it, and it is NaN but where the rule knows it anyway.
    """
    if rule is Rule.PROBABILITY:
        return _by_probability(block, lines, union)
    ids, winners = np.zeros(block.shape, dtype=np.uint16), np.zeros(block.shape, dtype=np.uint16)
    best = np.full(block.shape, np.nan, dtype=np.float32)
    sure = np.full(block.shape, np.nan, dtype=np.float32)
    for placed in lines:
        at = placed.placement.locate(block.rows, block.cols)
        said = placed.ids(at, union)
        if not said.any():
            continue
        score = _score(placed, block, at, rule)
        better = is_better(score, best, said > 0, winners > 0)
        ids[better], best[better], winners[better] = said[better], score[better], placed.number + 1
        if confidence and better.any():
            sure[better] = _confidence(placed, block, at)[better]
    return Composed(ids=ids, winners=winners, confidence=sure)


def _score(placed: PlacedLine, block: Block, at: PixelIndex, rule: Rule) -> NDArray[np.float32]:
    if rule is Rule.ZENITH:
        return score_by_zenith(placed.zenith(block))
    if rule is Rule.CENTRE and placed.swath is not None:
        return score_by_centre(placed.swath.distance(at.rows, at.cols))
    if rule is Rule.CONFIDENCE:
        return _confidence(placed, block, at)
    return np.full(block.shape, -placed.number, dtype=np.float32)


def _confidence(placed: PlacedLine, block: Block, at: PixelIndex) -> NDArray[np.float32]:
    """(y, x) how sure a line is of its own class; NaN where it does not say."""
    line = placed.line
    if line.confidence is not None:
        return placed.layer(line.confidence, at)
    if line.probabilities is not None:
        values = placed.layer(line.probabilities, at)
        # NaN is the same in all bands.
        return np.asarray(values if values.ndim == 2 else values.max(axis=0))
    return np.full(block.shape, np.nan, dtype=np.float32)


def _by_probability(block: Block, lines: list[PlacedLine], union: ClassUnion) -> Composed:
    count = len(union.classes)
    position = {number: index for index, number in enumerate(union.classes.ids)}
    sums = np.zeros((count, *block.shape), dtype=np.float32)
    highest = np.full((count, *block.shape), -1, dtype=np.float32)
    surest = np.zeros((count, *block.shape), dtype=np.uint16)
    voters = np.zeros(block.shape, dtype=np.uint16)
    for placed in lines:
        at = placed.placement.locate(block.rows, block.cols)
        # Where the map says nothing its probabilities do not count either, whatever a program left there.
        said = placed.ids(at, union) > 0
        companion = placed.line.probabilities
        if companion is None or not said.any():
            continue
        values = placed.layer(companion, at).reshape(companion.bands, *block.shape)
        # Not NaN, not infinite, nor so large that sums of it would be.
        said &= np.abs(values).max(axis=0) < _ABSURD
        voters += said
        for own, value in zip(placed.line.raster.classes.ids, values, strict=True):
            index = position[int(union.lookups[placed.number][own])]
            sums[index] += np.where(said, value, 0)
            better = said & (value > highest[index])
            highest[index][better], surest[index][better] = value[better], placed.number + 1
    covered = voters > 0
    at_class = most_probable(sums, covered)
    ids = np.concatenate([[0], union.classes.ids]).astype(np.uint16)[at_class]
    chosen = np.maximum(at_class - 1, 0)[None]
    winners = np.take_along_axis(surest, chosen, axis=0)[0]
    mean = np.take_along_axis(sums, chosen, axis=0)[0] / np.maximum(voters, 1)
    return Composed(
        ids=ids,
        winners=np.where(covered, winners, 0).astype(np.uint16),
        confidence=np.where(covered, mean, np.nan).astype(np.float32),
    )


def block_bytes(rule: Rule, classes: int, *, confidence: bool = False) -> int:
    """Bytes that a pixel of a block takes while it is composed, as far as they depend on the number of classes."""
    fixed = 90  # indices, scores, ids, and copies of them
    if rule is Rule.PROBABILITY:
        return fixed + 14 * classes
    return fixed + (4 * classes if rule is Rule.CONFIDENCE or confidence else 0)
