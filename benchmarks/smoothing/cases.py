"""Ground that a model has not seen, with what is known of it: tiles to classify, smooth and judge.

Nothing that a model was trained on may pull its neighbours: where training pixels lie on a tile, they are hidden from
the filters as if they were nodata.
"""

from __future__ import annotations

import csv
import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.default import as_labelled_spectra
from benchmarks.accuracy.pixels import locate_berlin
from benchmarks.accuracy.splits import Split, assign_folds
from benchmarks.options import REPOSITORY
from hsigeo.io.labels import open_labels
from hsigeo.io.labels.patches import connected_patches
from hsigeo.io.scene_reader import open_scene
from hsigeo.scene import grid_of, spectral_axis
from hsigeo.training import LabelledSpectra, read_labelled_spectra

__all__ = ["DEVELOPMENT", "REPORTING", "Case", "Source", "Tile", "few_of_each"]

POTSDAM_CLASSES = ("roof", "pavement", "low vegetation", "tree", "soil", "water")
MARGIN = 3
"""Pixels around training polygons of an invented landscape that are not judged: smoothing reaches so far."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """Connected ground.

    Parameters
    ----------
    spectra
        (band, y, x) float32, the bands the model is trained on; NaN where there is no data.
    truth
        (y, x) int64, position of the class in the model's table, from 1; 0 where it is not known or not judged.
    hidden
        (y, x) pixels that the model was trained on.
    kind
        (y, x) int64, for accuracies apart from the whole, from 1; 0 is none.
    """

    spectra: NDArray[np.float32]
    truth: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    kind: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A training set, and tiles apart from it.

    Parameters
    ----------
    classes
        Names, in the order of the training set's table.
    kinds
        Names of what `Tile.kind` tells apart.
    """

    train: LabelledSpectra
    tiles: tuple[Tile, ...]
    classes: tuple[str, ...]
    kinds: tuple[str, ...] = field(default=())


Source = Callable[[Path, int], Iterator[Case]]
"""(folder of the data, seed) → cases whose tiles are judged together."""


def few_of_each(samples: LabelledSpectra, count: int | None, seed: int) -> LabelledSpectra:
    """At most so many pixels of each class, drawn at random; all for `None`."""
    if count is None:
        return samples
    random = np.random.default_rng(seed)
    kept = [
        random.permutation(np.flatnonzero(samples.class_index == number))[:count]
        for number in range(len(samples.classes))
    ]
    return samples.take(np.sort(np.concatenate(kept)))


def _read_listing(folder: Path, listing: str) -> list[tuple[Path, Path]]:
    with (folder / listing).open(newline="") as lines:
        return sorted((folder / row["image"], folder / row["mask"]) for row in csv.DictReader(lines))


def _potsdam_case(train: list[tuple[Path, Path]], test: list[tuple[Path, Path]], count: int | None, seed: int) -> Case:
    samples = read_labelled_spectra([open_scene(image) for image, _ in train], [open_labels(mask) for _, mask in train])
    place = np.zeros(1 + max(samples.classes.ids), dtype=np.int64)
    place[list(samples.classes.ids)] = np.arange(1, 1 + len(samples.classes))
    tiles = []
    for image, mask in test:
        scene = open_scene(image)
        pixels = open_labels(mask).on(grid_of(scene))
        truth = np.zeros(grid_of(scene).shape, dtype=np.int64)
        truth[pixels.row, pixels.col] = place[pixels.class_id]
        spectra = scene.to_numpy()[samples.scene_band_index]
        nothing = np.zeros(truth.shape, dtype=bool)
        tiles.append(Tile(spectra=spectra, truth=truth, hidden=nothing, kind=np.zeros_like(truth)))
    classes = tuple(POTSDAM_CLASSES[number - 1] for number in samples.classes.ids)
    return Case(train=few_of_each(samples, count, seed), tiles=tuple(tiles), classes=classes)


def _potsdam_validation(count: int | None, data: Path, seed: int) -> Iterator[Case]:
    """Training tiles train, validation tiles are judged; only the draw and the training depend on the seed."""
    folder = data / "enmap_potsdam"
    train, test = _read_listing(folder, "train_files.csv"), _read_listing(folder, "validation_files.csv")
    yield _potsdam_case(train, test, count, seed)


def _potsdam_training(count: int | None, data: Path, seed: int) -> Iterator[Case]:
    """The training tiles among themselves: each fifth of them judged by a model of the others."""
    tiles = _read_listing(data / "enmap_potsdam", "train_files.csv")
    order = np.random.default_rng(seed).permutation(len(tiles))
    for fold in range(5):
        test = set(order[fold::5].tolist())
        yield _potsdam_case(
            [tile for number, tile in enumerate(tiles) if number not in test],
            [tile for number, tile in enumerate(tiles) if number in test],
            count,
            seed,
        )


def _berlin(count: int | None, data: Path, seed: int) -> Iterator[Case]:
    """Blocks of one fold are judged, as in the accuracy benchmark; the training pixels are hidden from the filters."""
    place = locate_berlin(data)
    cube = place.scene.to_numpy()
    groups = place.row // 10 * 1000 + place.col // 10
    tested = assign_folds(place.labels, groups, folds=4) == seed % 2
    spectra = np.ascontiguousarray(cube[:, place.row, place.col].T)
    wavelengths = spectral_axis(place.scene).wavelength
    assert wavelengths is not None
    split = Split(
        task="berlin",
        seed=seed,
        train_spectra=spectra[~tested],
        train_labels=place.labels[~tested],
        train_groups=groups[~tested],
        test_spectra=spectra[tested],
        test_labels=place.labels[tested],
        wavelengths=wavelengths,
    )
    truth = np.zeros(cube.shape[1:], dtype=np.int64)
    truth[place.row[tested], place.col[tested]] = 1 + place.labels[tested]
    hidden = np.zeros(truth.shape, dtype=bool)
    hidden[place.row[~tested], place.col[~tested]] = True
    tile = Tile(spectra=cube, truth=truth, hidden=hidden, kind=np.zeros_like(truth))
    train = few_of_each(as_labelled_spectra(split), count, seed)
    yield Case(train=train, tiles=(tile,), classes=place.classes)


KINDS = ("patch < 5 px", "patch 5-24 px", "patch ≥ 25 px", "mixed pixel")


def _invented(number: int | None, count: int | None, data: Path, seed: int) -> Iterator[Case]:
    """A landscape of which everything is known: that of the sample scenes, or another (a number)."""
    del data
    if str(REPOSITORY / "sample_scenes") not in sys.path:
        sys.path.append(str(REPOSITORY / "sample_scenes"))
    make, names = importlib.import_module("make"), tuple(importlib.import_module("landscape").CLASSES)
    with TemporaryDirectory() as folder:
        at = REPOSITORY / "sample_scenes" if number is None else Path(folder)
        share = _landscape(make, number, at)
        scenes = [open_scene(at / f"{line.name}.hdr") for line in make.FLIGHT_LINES]
        labels = open_labels(at / "training.gpkg", field="class")
        samples = read_labelled_spectra(scenes, [labels, labels])
        place = np.array(
            [1 + samples.classes.names.index(name) if name in samples.classes.names else 0 for name in names]
        )
        tiles = []
        for scene, line in zip(scenes, make.FLIGHT_LINES, strict=True):
            here = share[(slice(None), *line.window)]
            truth = place[here.argmax(axis=0)]
            pixels = labels.on(grid_of(scene))
            hidden = np.zeros(truth.shape, dtype=bool)
            hidden[pixels.row, pixels.col] = True
            spectra = scene.to_numpy()[samples.scene_band_index]
            judged = np.isfinite(spectra).all(axis=0) & ~_grown(hidden, MARGIN)
            tiles.append(
                Tile(
                    spectra=spectra,
                    truth=np.where(judged, truth, 0),
                    hidden=np.zeros_like(hidden),  # they lie far enough from what is judged
                    kind=_kinds(truth, here.max(axis=0)),
                )
            )
    train = few_of_each(samples, count, seed)
    yield Case(train=train, tiles=tuple(tiles), classes=samples.classes.names, kinds=KINDS)


def _landscape(make: Any, number: int | None, folder: Path) -> NDArray[np.float64]:
    """(class, y, x) share of each class in the pixels of a landscape; one with a number is flown and labelled first."""
    sensor, side = importlib.import_module("sensor"), importlib.import_module("sensor").METRES_PER_PIXEL
    random = np.random.default_rng(make.SEED if number is None else number)
    landscape = make.make_landscape(random, tuple(side * size for size in make.LANDSCAPE))
    if number is not None:
        seen = np.zeros(make.LANDSCAPE, dtype=bool)
        fractions = make.make_fractions(random, landscape)
        for line in make.FLIGHT_LINES:
            cube = make.fly(random, line, landscape, fractions)
            make.write_envi(folder, line, cube, make.map_info(line))
            seen[line.window] |= cube[:, 0, :] != sensor.NODATA
        polygons = make.make_training_polygons(random, landscape, seen)
        make.write_features(folder / "training.gpkg", polygons, make.landscape_transform())
    return np.asarray(sensor.pure_share(landscape))


def _kinds(truth: NDArray[np.int64], purity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pixels by the size of the patch of one class they lie in; those of no class to more than 60 % apart."""
    row, col = (axis.ravel().astype(np.int64) for axis in np.indices(truth.shape))
    patch = connected_patches(row, col, truth.ravel().astype(np.int32))
    size = np.bincount(patch)[patch].reshape(truth.shape)
    kind = 1 + np.digitize(size, [5, 25])
    return np.where(purity > 0.6, kind, len(KINDS))


def _grown(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    for _ in range(steps):
        padded = np.pad(mask, 1)
        mask = np.any(
            [padded[1 + down : 1 + down + mask.shape[0], 1 + right : 1 + right + mask.shape[1]]
             for down in (-1, 0, 1) for right in (-1, 0, 1)], axis=0,
        )  # fmt: skip
    return mask


REPORTING: dict[str, Source] = {
    "potsdam_validation/all": functools.partial(_potsdam_validation, None),
    "potsdam_validation/20": functools.partial(_potsdam_validation, 20),
    "berlin/all": functools.partial(_berlin, None),
    "berlin/20": functools.partial(_berlin, 20),
    "invented/all": functools.partial(_invented, None, None),
    "invented/20": functools.partial(_invented, None, 20),
}

DEVELOPMENT: dict[str, Source] = {
    "potsdam_training/all": functools.partial(_potsdam_training, None),
    "potsdam_training/20": functools.partial(_potsdam_training, 20),
    "invented_1/all": functools.partial(_invented, 1, None),
    "invented_2/all": functools.partial(_invented, 2, None),
}
"""What strength, rounds and edges were chosen on; no report is judged on it."""
