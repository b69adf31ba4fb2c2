"""A case classified, smoothed in several ways, and each way judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.smoothing.cases import Case, Tile
from hsigeo.bands import BandTable
from hsigeo.grid import Grid
from hsigeo.model import Model, predict_probabilities
from hsigeo.refinement.edges import edges_of_scene
from hsigeo.refinement.filters import clump, majority
from hsigeo.refinement.probabilities import smoothed
from hsigeo.scene import make_scene
from hsigeo.training import train_on_spectra

__all__ = ["Score", "Way", "judge", "smoothing", "usual_ways"]

Probabilities = NDArray[np.float32]
Ids = NDArray[np.int64]
Way = Callable[[Tile, Probabilities], Ids]
"""(tile, (class, y, x) probabilities) → (y, x) positions of classes, from 1; 0 where there is none."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """How well one way did with one seed.

    Parameters
    ----------
    overall, average
        Share of the judged pixels that are right; mean of `recall` over the classes.
    recall
        (class,) share of its pixels that were found.
    by_kind
        (kind,) overall accuracy within each.
    """

    overall: float
    average: float
    recall: NDArray[np.float64]
    by_kind: NDArray[np.float64]


def decided(tile: Tile, probabilities: Probabilities) -> Ids:
    """The most probable class."""
    del tile
    known = np.isfinite(probabilities).all(axis=0)
    return np.where(known, 1 + np.nan_to_num(probabilities).argmax(axis=0), 0)


def smoothing(strength: float, rounds: int, *, scene: bool) -> Way:
    """As ``hsigeo refine --smooth``, with or without ``--scene``."""

    def way(tile: Tile, probabilities: Probabilities) -> Ids:
        shape = tile.truth.shape
        cube = make_scene(
            tile.spectra,
            grid=Grid(lines=shape[0], samples=shape[1]),
            bands=BandTable(count=len(tile.spectra)),
            attrs={},
        )
        links = edges_of_scene(cube) if scene else None
        read = smoothed(
            lambda rows, cols: probabilities[:, rows, cols],
            (shape[0], shape[1]),
            strength=strength,
            rounds=rounds,
            links=links,
        )
        return decided(tile, read(slice(0, shape[0]), slice(0, shape[1])))

    return way


def usual_ways() -> dict[str, Way]:
    """The map as it is, and what `hsigeo refine` makes of it."""
    return {
        "as classified": decided,
        "--smooth 2 --scene": smoothing(2, 3, scene=True),
        "--smooth 2": smoothing(2, 3, scene=False),
        "--majority 3": lambda tile, probabilities: majority(decided(tile, probabilities), 1),
        "--clump 3": lambda tile, probabilities: clump(decided(tile, probabilities), 1),
    }


def judge(cases: Iterable[Case], ways: Mapping[str, Way], seed: int, model: Model | None = None) -> dict[str, Score]:
    """Train (or take a model), classify every tile, and judge each way on all tiles together."""
    found: dict[str, list[Ids]] = {name: [] for name in ways}
    truths, kinds, size = [], [], (0, 0)
    for case in cases:
        # Cross-validation would only write figures into the card, and change no class.
        trained = train_on_spectra(case.train, seed=seed, check=False) if model is None else model
        size = (len(case.classes), len(case.kinds))
        for tile in case.tiles:
            probabilities = classify_tile(trained, tile)
            judged = tile.truth > 0
            truths.append(tile.truth[judged])
            kinds.append(tile.kind[judged])
            for name, way in ways.items():
                found[name].append(way(tile, probabilities)[judged])
    truth, kind = np.concatenate(truths), np.concatenate(kinds)
    return {name: _score(np.concatenate(parts), truth, kind, size) for name, parts in found.items()}


def classify_tile(model: Model, tile: Tile) -> Probabilities:
    """(class, y, x) probabilities; NaN where there is no data, and where the model was trained."""
    known = np.isfinite(tile.spectra).all(axis=0) & ~tile.hidden
    result = np.full((len(model.card.classes), *known.shape), np.nan, dtype=np.float32)
    result[:, known] = predict_probabilities(model, np.ascontiguousarray(tile.spectra[:, known].T)).T
    return result


def _score(found: Ids, truth: Ids, kind: Ids, size: tuple[int, int]) -> Score:
    right = found == truth
    recall = np.array([_share(right[truth == number]) for number in range(1, size[0] + 1)])
    by_kind = np.array([_share(right[kind == number]) for number in range(1, size[1] + 1)])
    return Score(overall=_share(right), average=float(np.nanmean(recall)), recall=recall, by_kind=by_kind)


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if right.size else float("nan")
