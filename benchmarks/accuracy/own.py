"""Scenes and labels of the reader's own as one more task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.pixels import Pixels
from benchmarks.accuracy.splits import Division
from hsigeo.errors import TrainingError
from hsigeo.io.labels import open_labels
from hsigeo.io.scene_reader import open_scene
from hsigeo.training import LabelledSpectra, read_labelled_spectra
from hsigeo.training.folds import Fold, plan_disjoint_folds
from hsigeo.training.unlabelled import MOST_PIXELS

__all__ = ["divide_own"]

FOLDS = 4


def divide_own(scenes: Sequence[Path], labels: Sequence[Path], field: str | None = None) -> Division:
    """Labelled pixels of these scenes, and folds as ``hsigeo train`` makes them; each seed tests another fold.

    Parameters
    ----------
    scenes, labels
        One label file for all scenes, or one for each.
    field
        Column that holds the class.

    Raises
    ------
    TrainingError
        Neither one label file nor as many as scenes, or labels that make no two folds.
    HsigeoError
        A file that hsigeo cannot read or use.
    """
    if len(labels) not in (1, len(scenes)):
        raise TrainingError(f"{len(scenes)} scenes and {len(labels)} label files; give one for all, or one for each")
    sources = [open_labels(path, field=field) for path in labels]
    per_scene = sources * len(scenes) if len(sources) == 1 else sources
    samples = read_labelled_spectra([open_scene(path) for path in scenes], per_scene, unlabelled=MOST_PIXELS)
    folds = plan_disjoint_folds(samples, count=FOLDS).folds
    if len(folds) < 2:
        raise TrainingError(
            f"the labels of {scenes[0]} lie in one piece; two are needed, to train on one and test the other"
        )

    def divide(seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        fold: Fold = folds[seed % len(folds)]
        return _mask(fold.train, len(samples)), _mask(fold.test, len(samples))

    def unlabelled(seed: int) -> NDArray[np.float32] | None:
        fold = folds[seed % len(folds)]
        found = samples.training_part(fold.train, fold.test).unlabelled
        return None if found is None else found.spectra

    return Division(pixels=_as_pixels(samples), divide=divide, unlabelled=unlabelled)


def _as_pixels(samples: LabelledSpectra) -> Pixels:
    bands = samples.bands
    # A scene without wavelengths is told apart by place alone: even steps over the solar range, as in hsigeo.
    wavelengths = np.linspace(400.0, 2500.0, bands.count) if bands.wavelength is None else bands.wavelength
    return Pixels(spectra=samples.spectra, labels=samples.class_index, groups=samples.group, wavelengths=wavelengths)


def _mask(index: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[index] = True
    return mask
