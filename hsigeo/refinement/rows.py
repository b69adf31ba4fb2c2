"""Rows of class ids to refine: those of the map, or those that its stored probabilities give."""

from __future__ import annotations

from collections.abc import Callable
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

__all__ = ["Certainty", "find_certainty", "most_probable_groups", "open_rows"]

BLOCK_BYTES = 64 << 20
"""What the probabilities of a block may take, twice: as stored, and summed."""

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
    raster: ClassRaster, *, probabilities: Path | None, confidence: Path | None, needed: bool
) -> Certainty | None:
    """The layer to go by: the one given; else, where one is needed, the one beside the map.

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
    for kind in ("confidence", "probabilities"):
        companion, found = find_companion(raster, kind)
        notes += found
        if companion is not None:
            return Certainty(path=companion.path, kind=kind)
    why = f" ({'; '.join(notes)})" if notes else ""
    raise LabelError(
        f"no confidences or probabilities beside {raster.path}{why}; give the file that `hsigeo classify` wrote with "
        "--confidence or --probabilities"
    )


def open_rows(
    raster: ClassRaster, recoding: Recoding, certainty: Certainty | None, least: float, handles: Handles
) -> ReadRows:
    """A reader of new class ids, (first row, row after the last) → (y, x) of the new table's type.

    Parameters
    ----------
    certainty
        With probabilities, those of merged classes are added and the highest sum decides; without, the map does.
    least
        Pixels of less confidence get no class.
    """
    samples = raster.grid.samples
    dtype = recoding.classes.dtype

    def from_map(first: int, stop: int) -> NDArray[Any]:
        ids = _recoded(raster, recoding, first, stop).astype(dtype)
        if certainty is not None:
            sure = handles.read(certainty.path, 1, slice(first, stop), slice(0, samples), "GTiff")
            ids[~(sure >= least)] = UNCLASSIFIED
        return ids

    bands = list(range(1, len(raster.classes) + 1))
    groups = recoding.to_new[list(raster.classes.ids)]  # (class,) → new id
    height = max(1, BLOCK_BYTES // (4 * len(bands) * samples or 1))

    def from_probabilities(first: int, stop: int) -> NDArray[Any]:
        assert certainty is not None
        parts = []
        for top in range(first, stop, height):
            rows = slice(top, min(top + height, stop))
            values = handles.read(certainty.path, bands, rows, slice(0, samples), "GTiff")
            parts.append(most_probable_groups(values, groups, least).astype(dtype))
        return np.concatenate(parts)

    return from_probabilities if certainty is not None and certainty.kind == "probabilities" else from_map


def most_probable_groups(probability: NDArray[np.float32], groups: NDArray[Any], least: float) -> NDArray[Any]:
    """The group of classes whose probabilities have the highest sum.

    Parameters
    ----------
    probability : (class, y, x)
        NaN where nothing is known.
    groups : (class,)
        What each class counts for; 0 is a group too, that of what is left out.
    least
        Where no sum reaches it, the pixel gets 0.

    Returns
    -------
    (y, x) of the type of `groups`
        On a tie the group of the first class.
    """
    unique, first = np.unique(groups, return_index=True)
    unique = unique[np.argsort(first)]
    best = np.full(probability.shape[1:], -np.inf, dtype=np.float32)
    chosen = np.zeros(probability.shape[1:], dtype=groups.dtype)
    for group in unique:
        total = probability[groups == group].sum(axis=0)
        better = total > best  # NaN is never
        best[better], chosen[better] = total[better], group
    chosen[~(best >= least)] = UNCLASSIFIED
    return chosen


def _recoded(raster: ClassRaster, recoding: Recoding, first: int, stop: int) -> NDArray[Any]:
    ids = raster.read(slice(first, stop), slice(0, raster.grid.samples))
    known = np.zeros(len(recoding.to_new), dtype=bool)
    known[[UNCLASSIFIED, *raster.classes.ids]] = True
    if ids.max(initial=0) >= len(known) or not known[ids].all():
        stray = np.setdiff1d(ids, np.flatnonzero(known))[0]
        raise LabelError(f"{raster.path} holds class {stray}, which its class table does not; the file is damaged")
    return np.asarray(recoding.to_new[ids])
