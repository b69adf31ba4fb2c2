"""`train`: from scenes and labels to a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hsigeo.errors import TrainingError
from hsigeo.fingerprint import fingerprint
from hsigeo.labels import LabelSource
from hsigeo.model import DEFAULT_VARIANT, Model, ModelCard, with_digest
from hsigeo.progress import Progress
from hsigeo.scene import check_scene
from hsigeo.software import SOFTWARE
from hsigeo.training.curve import CURVE_FOLDS, SHARES, measure_learning_curve
from hsigeo.training.novelty import novelty_of
from hsigeo.training.oddities import find_oddities
from hsigeo.training.recipes import RECIPES, Recipe
from hsigeo.training.record import record_training
from hsigeo.training.samples import LabelledSpectra, read_labelled_spectra
from hsigeo.training.unlabelled import MOST_PIXELS
from hsigeo.training.validation import Validation, validate

__all__ = ["provenance_of", "train", "train_on_spectra"]


def train(
    scenes: xr.DataArray | Sequence[xr.DataArray],
    labels: LabelSource | Sequence[LabelSource],
    *,
    variant: str = DEFAULT_VARIANT,
    seed: int = 0,
    check: bool = True,
    curve: bool = False,
    unlabelled: bool = True,
    progress: Progress | None = None,
) -> Model:
    """Learn a model from the labelled pixels of one or more scenes.

    Parameters
    ----------
    scenes
        One or more, each ``(band, y, x)``.
    labels
        One source for all scenes, or one per scene in the same order. See `open_labels`.
    variant
        Name of an architecture.
    seed
        The same seed on the same machine gives the same model.
    check
        Cross-validate first (spatially disjoint and random folds); the figures go into the model's card, and its
        probabilities are calibrated by them.
    curve
        With `check`: also measure accuracy against the number of labels, which trains nine more models.
    unlabelled
        Also ask pixels of the scenes, whether labelled or not, how spectra vary; it helps where labels are few.
    progress
        Called with (models trained, models in all); without `check`, with (steps done, steps in all).

    Raises
    ------
    LabelError
        No label falls on any scene.
    TrainingError
        Fewer than two classes, or an unknown variant.
    BandMismatchError
        The scenes do not share their bands.
    """
    first: Any = scenes  # labels, from callers who mistake the order
    if hasattr(first, "on"):
        raise TrainingError("the scenes come first, then the labels: train(scenes, labels)")
    scenes = [scenes] if isinstance(scenes, xr.DataArray) else list(scenes)
    if not scenes:
        raise TrainingError("there is no scene to learn from")
    for scene in scenes:
        check_scene(scene)
    given: Any = labels  # a file name, from callers who check no types
    several = isinstance(given, Sequence) and not isinstance(given, str)
    sources: list[LabelSource] = list(given) if several else [given] * len(scenes)
    if len(sources) != len(scenes):
        raise TrainingError(f"{len(scenes)} scenes and {len(sources)} label files; give one for all, or one per scene")
    for source in sources:
        if not hasattr(source, "on"):
            raise TrainingError(f"labels are what open_labels gives; this is a {type(source).__name__}")
    samples = read_labelled_spectra(scenes, sources, unlabelled=MOST_PIXELS if unlabelled else 0)
    return train_on_spectra(
        samples,
        variant=variant,
        seed=seed,
        check=check,
        curve=curve,
        provenance=provenance_of(scenes, [source.path for source in sources]),
        progress=progress,
    )


def train_on_spectra(
    samples: LabelledSpectra,
    *,
    variant: str = DEFAULT_VARIANT,
    seed: int = 0,
    check: bool = True,
    curve: bool = False,
    provenance: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Model:
    """Learn a model from labelled spectra, wherever they come from.

    Parameters
    ----------
    samples
        See `read_labelled_spectra` and `spectra_of_library`.
    variant, seed, check, curve, progress
        As in `train`.
    provenance
        JSON values that say where the spectra come from; stored in the model.

    Raises
    ------
    TrainingError
        An unknown variant, or a seed that random generators do not take.
    """
    if not 0 <= seed < 1 << 63:
        raise TrainingError(f"the seed {seed} is not between 0 and 2**63 - 1")
    if variant not in RECIPES:
        raise TrainingError(f"there is no variant {variant!r}; there are {', '.join(sorted(RECIPES))}")
    recipe = RECIPES[variant]
    validation, figures = _check(samples, recipe, seed, curve, progress) if check else (None, {})
    # After validation the bar counts models; this is the last of them.
    trained = recipe(samples, seed=seed, progress=None if check else progress)
    card = ModelCard(
        variant=variant,
        hyperparameters=trained.hyperparameters,
        bands=samples.bands,
        trained_on_count=samples.scene_band_count,
        trained_on_index=samples.scene_band_index,
        classes=samples.classes,
        temperature=1.0 if validation is None else validation.temperature,
        provenance={
            "software": SOFTWARE,
            "seed": seed,
            "pixels_per_class": samples.counts,
            "notes": [*samples.notes, *find_oddities(samples)],
            **(provenance or {}),
            **_unlabelled_used(samples, trained.hyperparameters),
        },
        validation=figures,
    )
    record = record_training(samples, trained.network, seed=seed)
    novelty = novelty_of(trained.network, samples, None if validation is None else validation.disjoint.distance)
    return with_digest(Model(card=card, network=trained.network, record=record, novelty=novelty))


def _check(
    samples: LabelledSpectra, recipe: Recipe, seed: int, curve: bool, progress: Progress | None
) -> tuple[Validation | None, dict[str, Any]]:
    """Cross-validate, and the figures as JSON; one more model than these is announced, the one to keep."""
    extra = 1
    if curve:
        extra += len(SHARES) * CURVE_FOLDS
    done = 0

    def show(models: int, total: int) -> None:
        nonlocal done
        done = models
        if progress is not None:
            progress(models, total + extra)

    validation = validate(samples, recipe, seed=seed, progress=show)
    if validation is None:
        return None, {}
    figures = validation.to_json()
    if curve:
        checked = done

        def count_one() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done, checked + extra)

        points = measure_learning_curve(samples, recipe, validation.disjoint, seed=seed, count_one=count_one)
        figures["learning_curve"] = [point.to_json() for point in points]
    return validation, figures


def _unlabelled_used(samples: LabelledSpectra, hyperparameters: dict[str, int]) -> dict[str, Any]:
    """How many pixels without labels were learnt from, of each scene; nothing where none were."""
    if samples.unlabelled is None or not hyperparameters.get("whitened"):
        return {}
    scenes = max(len(samples.reports), int(samples.unlabelled.scene.max()) + 1)
    return {"unlabelled_pixels_per_scene": np.bincount(samples.unlabelled.scene, minlength=scenes).tolist()}


def provenance_of(scenes: Sequence[xr.DataArray], labels: Sequence[str]) -> dict[str, Any]:
    """Names and fingerprints of the files a model is learnt from."""
    return {
        "scenes": [_named_file(scene.attrs.get("source", "")) for scene in scenes],
        "labels": [_named_file(path) for path in dict.fromkeys(labels)],
    }


def _named_file(path: str) -> dict[str, str]:
    """Name and fingerprint of a file, without its folder, which is private."""
    if not path or not os.path.isfile(path):  # noqa: PTH113 - Path("") would be the current folder
        return {"name": Path(path).name}
    return {"name": Path(path).name, "fingerprint": fingerprint(path)}
