"""How the labelled pixels are divided into training and test, for reporting and, apart from that, for development.

Folds 0 and 1 of every folded source, the Potsdam validation tiles and the second half of Indian Pines are tested on for
reports only. What lies outside them is also what choices about the default model may be made on (`DEVELOPMENT`).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.pixels import (
    Ground,
    Pixels,
    join,
    read_berlin,
    read_berlin_ground,
    read_indian_pines,
    read_jasper_ridge,
    read_jasper_ridge_ground,
    read_potsdam,
    read_potsdam_ground,
    read_santa_barbara,
)
from hsigeo.training.unlabelled import MOST_PIXELS

__all__ = ["DEVELOPMENT", "REPORTING", "Division", "Source", "Split", "assign_folds", "make_split"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """One training set and one test set that share no group.

    Parameters
    ----------
    task
        Source and size, such as ``berlin/20``.
    seed
        Decides the fold, which few pixels are drawn, and the method's own randomness.
    train_spectra, test_spectra
        (pixel, band) float32, reflectance 0-1.
    train_labels, test_labels
        (pixel,) int64, class index from 0; every class has a training pixel.
    train_groups
        (pixel,) int64.
    wavelengths
        (band,) float64, nm.
    unlabelled
        (pixel, band) float32, pixels of the training scenes and of no ground that is tested; `None` for spectra
        without scenes. No rival here has a use for them.
    """

    task: str
    seed: int
    train_spectra: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    train_groups: NDArray[np.int64]
    test_spectra: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    wavelengths: NDArray[np.float64]
    unlabelled: NDArray[np.float32] | None = None

    @functools.cached_property
    def digest_with_scene(self) -> str:
        """The same for what also reads unlabelled pixels."""
        if self.unlabelled is None:
            return self.digest
        return hashlib.sha256(self.digest.encode() + np.ascontiguousarray(self.unlabelled).tobytes()).hexdigest()[:12]

    @functools.cached_property
    def digest(self) -> str:
        """Short name of the content: what was measured on other data must not count for these."""
        digest = hashlib.sha256()
        for values in (
            self.train_spectra,
            self.train_labels,
            self.train_groups,
            self.test_spectra,
            self.test_labels,
            self.wavelengths,
        ):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """Labelled pixels, and which of them each seed trains and tests on.

    Parameters
    ----------
    pixels
        All of them.
    divide
        From a seed to (pixel,) masks of training and test.
    unlabelled
        From a seed to pixels of the training scenes and of no ground that is tested, see `Split`.
    """

    pixels: Pixels
    divide: Callable[[int], tuple[Mask, Mask]]
    unlabelled: Callable[[int], NDArray[np.float32] | None] = lambda _: None


def _with_ground(division: Division, ground: Ground | None) -> Division:
    """The same, with pixels of its scenes."""
    if ground is None:
        return division
    return replace(
        division,
        unlabelled=lambda seed: ground.beside(division.pixels, division.divide(seed)[0], most=MOST_PIXELS),
    )


Source = Callable[[Path], Division]


def assign_folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], *, folds: int, seed: int = 0
) -> NDArray[np.int64]:
    """Fold of each pixel, whole groups together, the classes spread as evenly as the groups allow.

    Greedy: groups from large to small (ties shuffled), each to the fold where it least unbalances the class shares.
    """
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    counts = np.array([np.bincount(labels[groups == name], minlength=labels.max() + 1) for name in names])
    share = counts / counts.sum(axis=0).clip(min=1)  # (group, class)
    fill = np.zeros((folds, counts.shape[1]))
    fold_of: dict[int, int] = {}
    for number in np.argsort(-share.sum(axis=1), kind="stable"):
        costs = [((fill + (np.arange(folds) == fold)[:, None] * share[number]) ** 2).sum() for fold in range(folds)]
        fold = int(np.argmin(costs))
        fill[fold] += share[number]
        fold_of[int(names[number])] = fold
    return np.array([fold_of[int(group)] for group in groups], dtype=np.int64)


def make_split(name: str, division: Division, *, per_class: int | None, seed: int) -> Split:
    """Training and test set of one seed.

    Parameters
    ----------
    name
        Of the source.
    per_class
        Training pixels of each class, drawn at random; fewer where there are not as many. `None` takes all.
    """
    pixels = division.pixels
    train, test = division.divide(seed)
    chosen = np.flatnonzero(train)
    if per_class is not None:
        chosen = chosen[_draw_few(pixels.labels[chosen], per_class, seed)]
    present = np.unique(pixels.labels[chosen])
    tested = np.flatnonzero(test & np.isin(pixels.labels, present))  # a class never shown cannot be asked for
    return Split(
        task=f"{name}/{'all' if per_class is None else per_class}",
        seed=seed,
        train_spectra=pixels.spectra[chosen],
        train_labels=np.searchsorted(present, pixels.labels[chosen]),
        train_groups=pixels.groups[chosen],
        test_spectra=pixels.spectra[tested],
        test_labels=np.searchsorted(present, pixels.labels[tested]),
        wavelengths=pixels.wavelengths,
        unlabelled=division.unlabelled(seed),
    )


def _draw_few(labels: NDArray[np.int64], per_class: int, seed: int) -> NDArray[np.intp]:
    generator = np.random.default_rng(seed)
    chosen = [generator.permutation(np.flatnonzero(labels == name))[:per_class] for name in np.unique(labels)]
    return np.sort(np.concatenate(chosen))


@functools.cache
def _read_folded(name: str, data: Path) -> tuple[Pixels, NDArray[np.int64]]:
    """Pixels of a source and their folds, which reporting and development share."""
    match name:
        case "potsdam":
            pixels, folds = read_potsdam(data, "train_files.csv"), 5
        case "berlin":
            pixels, folds = read_berlin(data), 4
        case "santa_barbara_level_2" | "santa_barbara_level_3":
            pixels, folds = read_santa_barbara(data, f"Level_{name[-1]}"), 4
        case "indian_pines":
            pixels, folds = read_indian_pines(data), 2
        case _:
            raise ValueError(f"there is no folded source {name!r}")
    return pixels, assign_folds(pixels.labels, pixels.groups, folds=folds)


@functools.cache
def _read_ground(name: str, data: Path) -> Ground | None:
    """Pixels of the scenes of a folded source; `None` where it has but spectra."""
    match name:
        case "potsdam":
            return read_potsdam_ground(data, "train_files.csv")
        case "berlin":
            return read_berlin_ground(data)
    return None


def _by_turns(name: str, data: Path) -> Division:
    """Fold 0 or 1 is tested, by turns with the seed; the others train."""
    pixels, folds = _read_folded(name, data)
    division = Division(pixels=pixels, divide=lambda seed: (folds != seed % 2, folds == seed % 2))
    return _with_ground(division, _read_ground(name, data))


def _halves(name: str, data: Path) -> Division:
    """The first fold trains, the second is tested; only draws and methods depend on the seed."""
    pixels, folds = _read_folded(name, data)
    return Division(pixels=pixels, divide=lambda _: (folds == 0, folds == 1))


def _potsdam_validation(data: Path) -> Division:
    """Training tiles train, validation tiles are tested."""
    train, test = read_potsdam(data, "train_files.csv"), read_potsdam(data, "validation_files.csv")
    both = join(train, test)
    from_train = np.arange(len(both)) < len(train)
    division = Division(pixels=both, divide=lambda _: (from_train, ~from_train))
    return _with_ground(division, _read_ground("potsdam", data))


def _inside(name: str, data: Path, *usable: int) -> Division:
    """Thirds, drawn anew with every third seed, of the folds that no report is tested on."""
    pixels, folds = _read_folded(name, data)
    return _with_ground(_fresh_thirds(pixels, np.isin(folds, usable)), _read_ground(name, data))


def _inside_santa_barbara(level: int, data: Path) -> Division:
    """As `_inside`, without polygons that a report tests at the other level, whose folds are drawn on their own."""
    pixels, _ = _read_folded(f"santa_barbara_level_{level}", data)
    tested = []
    for other in (2, 3):
        theirs, folds = _read_folded(f"santa_barbara_level_{other}", data)
        tested.append(theirs.groups[folds < 2])
    return _fresh_thirds(pixels, ~np.isin(pixels.groups, np.concatenate(tested)))


def _fresh_thirds(pixels: Pixels, usable: Mask) -> Division:
    """Each third is tested by one of three seeds, the other two train; the next three seeds draw new thirds."""

    def divide(seed: int) -> tuple[Mask, Mask]:
        third = np.full(len(pixels), -1)
        third[usable] = assign_folds(pixels.labels[usable], pixels.groups[usable], folds=3, seed=seed // 3 + 100)
        return (third >= 0) & (third != seed % 3), third == seed % 3

    return Division(pixels=pixels, divide=divide)


def _jasper_ridge(data: Path) -> Division:
    pixels = read_jasper_ridge(data)
    return _with_ground(_fresh_thirds(pixels, np.ones(len(pixels), dtype=bool)), read_jasper_ridge_ground(data))


REPORTING: dict[str, Source] = {
    "potsdam_validation": _potsdam_validation,
    "potsdam": functools.partial(_by_turns, "potsdam"),
    "berlin": functools.partial(_by_turns, "berlin"),
    "santa_barbara_level_2": functools.partial(_by_turns, "santa_barbara_level_2"),
    "santa_barbara_level_3": functools.partial(_by_turns, "santa_barbara_level_3"),
    "indian_pines": functools.partial(_halves, "indian_pines"),
}
"""What the accuracy table is made of. Each look at it makes the next number a little less believable."""

DEVELOPMENT: dict[str, Source] = {
    "potsdam_development": lambda data: _inside("potsdam", data, 2, 3, 4),
    "berlin_development": lambda data: _inside("berlin", data, 2, 3),
    "santa_barbara_level_2_development": functools.partial(_inside_santa_barbara, 2),
    "santa_barbara_level_3_development": functools.partial(_inside_santa_barbara, 3),
    "indian_pines_development": lambda data: _inside("indian_pines", data, 0),
    "jasper_ridge_development": _jasper_ridge,
}
"""What choices are made on. No pixel of these is tested on in a report."""
