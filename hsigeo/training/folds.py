"""Splits of labelled pixels for validation: spatially disjoint by default, random only for comparison.

Neighbouring pixels see the same ground through the same light. A split that puts one into training and the other
into the test measures memory, not skill (Roberts et al. 2017, Ecography 40, 913). So whole units go to one side:

* the label file's polygons, where labels are vectors (the same polygon in two overlapping flight lines is one unit);
* scenes, where each of several scenes has a label raster of its own;
* square blocks, with a buffer around the test blocks left out of training, where one label raster covers the scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.training.samples import LabelledSpectra

__all__ = ["Fold", "FoldPlan", "plan_disjoint_folds", "plan_random_folds"]

BLOCKS_PER_FOLD = 6
"""Blocks are sized so that each fold gets about this many: fewer would make folds that differ by luck."""

BUFFER_PIXELS = 2
"""Training pixels this close to a test block are left out: a sensor's point spread reaches about that far."""

MOST_NAMES = 6
"""More classes are not named in one sentence."""

SCENES_NEEDED = 3
"""With fewer scenes, leaving one out would leave too little to train on."""

Index = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """Positions of the pixels to train on and of those to test on; what is in neither is buffer."""

    train: Index
    test: Index


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldPlan:
    """How the labelled pixels are split.

    Parameters
    ----------
    kind
        ``polygon``, ``scene``, ``block`` or ``pixel``.
    folds
        Every pixel is tested in exactly one fold, unless its class cannot be trained without it.
    unit
        (pixel,) number, from 0, of what is never divided: polygon, scene, block, or the pixel itself.
    notes
        What weakens the split, in plain sentences.
    halved
        The classes with one unit only, of which one half is tested on the other.
    """

    kind: str
    folds: tuple[Fold, ...]
    unit: Index
    notes: tuple[str, ...] = ()
    halved: tuple[str, ...] = ()


def plan_disjoint_folds(samples: LabelledSpectra, *, count: int = 5, seed: int = 0) -> FoldPlan:
    """Split so that no unit of ground is on both sides.

    Parameters
    ----------
    count
        Folds wanted; fewer where there are not as many units.
    seed
        Decides ties.
    """
    kind, unit = _units(samples, count)
    unit, halved = _split_lonely_units(samples, unit)
    fold_of_unit = _deal(samples.class_index, unit, min(count, int(unit.max()) + 1), seed)
    fold = fold_of_unit[unit]
    buffer = BUFFER_PIXELS if kind == "block" else 0
    folds = [_fold(samples, fold == number, buffer) for number in range(int(fold.max()) + 1)]
    return FoldPlan(
        kind=kind,
        folds=tuple(f for f in folds if len(f.test) and len(f.train)),
        unit=unit,
        notes=_about_halves(halved, len(samples.classes), kind),
        halved=halved,
    )


def plan_random_folds(samples: LabelledSpectra, *, count: int = 5, seed: int = 0) -> FoldPlan:
    """Split pixel by pixel, each class evenly: the optimistic split that much of the literature reports."""
    order = np.random.default_rng(seed).permutation(len(samples))
    fold = np.empty(len(samples), dtype=np.intp)
    for index in range(len(samples.classes)):
        members = order[samples.class_index[order] == index]
        fold[members] = np.arange(len(members)) % count
    folds = (_fold(samples, fold == number, 0) for number in range(count))
    kept = tuple(f for f in folds if len(f.test) and len(f.train))
    return FoldPlan(kind="pixel", folds=kept, unit=np.arange(len(samples), dtype=np.intp))


def _units(samples: LabelledSpectra, count: int) -> tuple[str, Index]:
    """What is kept together, and (pixel,) its number from 0."""
    if samples.group_kind == "feature":
        return "polygon", _renumber(samples.group)
    if len(np.unique(samples.scene)) >= SCENES_NEEDED:
        return "scene", _renumber(samples.scene)
    return "block", _renumber(_blocks(samples, count))


def _blocks(samples: LabelledSpectra, count: int) -> Index:
    """(pixel,) number of the square block each pixel lies in.

    The side is the largest that still gives enough occupied blocks: starting from the extent of the labels, it is
    halved until there are.
    """
    side = int(max(np.ptp(samples.row), np.ptp(samples.col))) + 1
    while True:
        blocks = np.stack([samples.scene, samples.row // side, samples.col // side], axis=1)
        number = np.unique(blocks, axis=0, return_inverse=True)[1].ravel()
        if side == 1 or number.max() + 1 >= count * BLOCKS_PER_FOLD:
            return np.asarray(number, dtype=np.intp)
        side = max(1, side * 3 // 4)


def _split_lonely_units(samples: LabelledSpectra, unit: Index) -> tuple[Index, tuple[str, ...]]:
    """Halve the unit of a class that has only one: otherwise the class would be tested but never learnt.

    Returns
    -------
    unit
        (pixel,) with the later halves as units of their own.
    halved
        Names of the classes whose unit was halved.
    """
    unit, halved = unit.copy(), []
    for index, name in enumerate(samples.classes.names):
        members = np.flatnonzero(samples.class_index == index)
        if len(np.unique(unit[members])) > 1 or len(members) < 2:
            continue
        along = samples.row if np.ptp(samples.row[members]) >= np.ptp(samples.col[members]) else samples.col
        later_half = members[np.argsort(along[members], kind="stable")][(len(members) + 1) // 2 :]
        unit[later_half] = unit.max() + 1
        halved.append(name)
    return unit, tuple(halved)


def _about_halves(halved: tuple[str, ...], classes: int, kind: str) -> tuple[str, ...]:
    """What a split is worth in which classes are tested on the ground that they were learnt from."""
    if not halved:
        return ()
    if len(halved) == classes:
        return (
            f"every class has a single {kind}, so each was tested on the other half of it: "
            f"these figures do not show how accurate a map of other ground is; label several {kind}s of each class",
        )
    names = ", ".join(map(repr, halved[:MOST_NAMES])) + (" …" if len(halved) > MOST_NAMES else "")
    have, their = ("1 class has", "its") if len(halved) == 1 else (f"{len(halved)} classes have", "their")
    return (
        f"{have} a single {kind}, one half of which was tested on the other, so {their} figures are optimistic: "
        f"{names}",
    )


def _deal(class_index: NDArray[np.int64], unit: Index, count: int, seed: int) -> Index:
    """(unit,) fold of each unit: large units first, each to the fold that has least of the unit's classes."""
    tally = np.zeros((int(unit.max()) + 1, int(class_index.max()) + 1))
    np.add.at(tally, (unit, class_index), 1)
    shares = tally / tally.sum(axis=0).clip(min=1)  # (unit, class): of all pixels of the class
    shuffled = np.random.default_rng(seed).permutation(len(tally))
    order = shuffled[np.argsort(-shares.max(axis=1)[shuffled], kind="stable")]
    held = np.zeros((count, tally.shape[1]))
    fold = np.empty(len(tally), dtype=np.intp)
    for number in order:
        after = ((held + shares[number]) ** 2).sum(axis=1) - (held**2).sum(axis=1)
        fold[number] = int(np.argmin(after))
        held[fold[number]] += shares[number]
    return fold


def _fold(samples: LabelledSpectra, is_test: NDArray[np.bool_], buffer: int) -> Fold:
    """Train on everything outside the test and its buffer."""
    train = ~is_test
    if buffer:
        train &= ~_near(samples, is_test, buffer)
    # A class that the buffer or the split took out of training altogether cannot be judged in this fold.
    known = np.isin(samples.class_index, samples.class_index[train])
    return Fold(train=np.flatnonzero(train), test=np.flatnonzero(is_test & known))


def _near(samples: LabelledSpectra, is_test: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """(pixel,) whether a test pixel of the same scene lies within `distance` rows and columns."""
    width = int(samples.col.max()) + 2 * distance + 1
    height = int(samples.row.max()) + 2 * distance + 1
    key = (samples.scene.astype(np.int64) * height + samples.row) * width + samples.col
    near = np.zeros(len(samples), dtype=bool)
    for down in range(-distance, distance + 1):
        for right in range(-distance, distance + 1):
            near |= np.isin(key, key[is_test] + down * width + right)
    return near


def _renumber(values: NDArray[np.integer]) -> Index:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.intp).ravel()
