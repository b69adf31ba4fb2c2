"""Rows of class ids to refine: those of the map, or those decided from its stored probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import UNCLASSIFIED
from hsigeo.errors import LabelError
from hsigeo.io.class_raster import ClassRaster
from hsigeo.lines.companions import find_companion, misfit_of
from hsigeo.lines.handles import Handles
from hsigeo.refinement.changes import Recoding
from hsigeo.refinement.edges import ReadWindow
from hsigeo.refinement.probabilities import decide, decided_groups, plan_windows, probability_of

__all__ = [
    "Certainty",
    "Decision",
    "ReadRows",
    "check_ids",
    "decide_by_map",
    "decide_by_probabilities",
    "find_certainty",
    "read_ids",
]

ReadRows = Callable[[int, int], NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """How sure the model was of each pixel, in a file on the map's grid.

    Parameters
    ----------
    path
        A GeoTIFF that `hsigeo classify` wrote.
    kind
        ``confidence`` or ``probabilities``.
    """

    path: Path
    kind: str


def find_certainty(
    raster: ClassRaster, *, probabilities: Path | None, confidence: Path | None, needed: Sequence[str]
) -> Certainty | None:
    """The layer to go by: the one given; else, where one is needed, the one beside the map.

    Parameters
    ----------
    needed
        Kinds of layer that would do, the best first; empty if none is needed.

    Raises
    ------
    LabelError
        The layer given is not this map's, or one is needed and there is none.
    """
    for kind, path in (("probabilities", probabilities), ("confidence", confidence)):
        if path is not None:
            misfit = misfit_of(path, raster, kind)
            if misfit is not None:
                raise LabelError(f"{path} is no layer of {raster.path}: {misfit}")
            return Certainty(path=path, kind=kind)
    if not needed:
        return None
    notes: list[str] = []
    for kind in needed:
        companion, found = find_companion(raster, kind)
        notes += found
        if companion is not None:
            return Certainty(path=companion.path, kind=kind)
    why = f" ({'; '.join(notes)})" if notes else ""
    raise LabelError(
        f"no {' or '.join(needed)} beside {raster.path}{why}; give the file that `hsigeo classify` wrote with "
        f"{' or '.join(f'--{kind}' for kind in needed)}"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Decision:
    """New classes of a map, read strip by strip.

    Parameters
    ----------
    rows
        (first row, row after the last) → (y, x) ids of the new table's type.
    confidences
        (first row, ids of the rows from there) → (y, x) float32, how probable these are; NaN without a class. `None`
        where the map has no probabilities.
    """

    rows: ReadRows
    confidences: Callable[[int, NDArray[Any]], NDArray[np.float32]] | None


def decide_by_map(
    raster: ClassRaster, recoding: Recoding, certainty: Certainty | None, least: NDArray[np.float32], handles: Handles
) -> Decision:
    """The map's own classes, changed; with confidences, those of less than `least` of their new id get none.

    Parameters
    ----------
    least : (1 + largest new id,)
        As `Thresholds.by_id` gives it.
    """
    samples = raster.grid.samples

    def rows(first: int, stop: int) -> NDArray[Any]:
        ids = np.asarray(recoding.to_new[read_ids(raster, first, stop)], dtype=recoding.classes.dtype)
        if certainty is not None:
            sure = handles.read(certainty.path, 1, slice(first, stop), slice(0, samples), "GTiff")
            ids[~(sure >= least[ids])] = UNCLASSIFIED
        return ids

    return Decision(rows=rows, confidences=None)


def decide_by_probabilities(
    read: ReadWindow, groups: NDArray[Any], least: NDArray[np.float32], *, samples: int, margin: int
) -> Decision:
    """The class that is most probable.

    Parameters
    ----------
    read
        Reader of (group, y, x), in the order of `decided_groups`.
    groups : (class,)
        New id of each class of the map, of the new table's type.
    least : (1 + largest new id,)
        As `Thresholds.by_id` gives it.
    margin
        What `read` reads around a window.
    """
    wanted = decided_groups(groups)

    def windows(first: int, stop: int) -> Iterator[tuple[slice, slice]]:
        return plan_windows(first, stop, samples, layers=max(len(groups), 1), margin=margin)

    def rows(first: int, stop: int) -> NDArray[Any]:
        ids = np.empty((stop - first, samples), dtype=groups.dtype)
        for part, cols in windows(first, stop):
            ids[part.start - first : part.stop - first, cols] = decide(read(part, cols), wanted, least)
        return ids

    def confidences(first: int, ids: NDArray[Any]) -> NDArray[np.float32]:
        found = np.empty(ids.shape, dtype=np.float32)
        for part, cols in windows(first, first + len(ids)):
            here = (slice(part.start - first, part.stop - first), cols)
            found[here] = probability_of(ids[here], read(part, cols), wanted)
        return found

    return Decision(rows=rows, confidences=confidences)


def check_ids(raster: ClassRaster, ids: NDArray[Any]) -> None:
    """See that a part of a map holds no class that its table does not.

    Raises
    ------
    LabelError
        It does.
    """
    known = np.zeros(max(raster.classes.ids, default=0) + 1, dtype=bool)
    known[[UNCLASSIFIED, *raster.classes.ids]] = True
    if ids.max(initial=0) >= len(known) or not known[ids].all():
        stray = np.setdiff1d(ids, np.flatnonzero(known))[0]
        raise LabelError(f"{raster.path} holds class {stray}, which its class table does not; the file is damaged")


def read_ids(raster: ClassRaster, first: int, stop: int) -> NDArray[Any]:
    """(y, x) ids of some rows of a map, all of them in its table; else as `check_ids`."""
    ids = raster.read(slice(first, stop), slice(0, raster.grid.samples))
    check_ids(raster, ids)
    return ids
