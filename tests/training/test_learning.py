"""Every variant learns, reproducibly, and survives odd training sets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra

from hsigeo.bands import BandTable
from hsigeo.errors import HsigeoError, TrainingError
from hsigeo.grid import Grid
from hsigeo.model import VARIANTS, encode_model, load_model, predict_probabilities, write_model
from hsigeo.scene import make_scene
from hsigeo.training import train, train_on_spectra
from hsigeo.training.fit import FitPlan
from hsigeo.training.recipes import RECIPES


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Some hundred steps are enough for classes that a ruler could tell apart."""
    monkeypatch.setattr("hsigeo.training.plain.FitPlan", partial(FitPlan, steps=250, rate=3e-3))
    monkeypatch.setattr("hsigeo.training.gated.STEPS", 80)


def share_right(model, samples):
    return (predict_probabilities(model, samples.spectra).argmax(axis=1) == samples.class_index).mean()


def test_every_architecture_can_be_trained():
    assert RECIPES.keys() == VARIANTS.keys()


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_variant_learns_and_its_file_says_the_same(variant, tmp_path):
    samples = make_labelled_spectra(150)
    model = train_on_spectra(samples, variant=variant, check=False)
    assert share_right(model, make_labelled_spectra(90, seed=1)) > 0.9
    write_model(model, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        predict_probabilities(loaded, samples.spectra), predict_probabilities(model, samples.spectra)
    )


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_seed_decides_everything_whatever_happened_before(variant):
    samples = make_labelled_spectra(60)
    first = encode_model(train_on_spectra(samples, variant=variant, seed=3, check=False))
    torch.manual_seed(99)
    torch.rand(7)
    assert encode_model(train_on_spectra(samples, variant=variant, seed=3, check=False)) == first
    assert encode_model(train_on_spectra(samples, variant=variant, seed=4, check=False)) != first


def test_the_card_tells_what_was_learnt_and_what_to_expect():
    model = train_on_spectra(make_labelled_spectra(120), check=True, provenance={"scenes": [{"name": "line.hdr"}]})
    assert model.card.provenance["pixels_per_class"] == {"class 0": 40, "class 1": 40, "class 2": 40}
    assert model.card.provenance["scenes"] == [{"name": "line.hdr"}]
    assert model.card.validation["split"] == "5 folds, disjoint by polygons"
    assert model.card.validation["disjoint"]["overall_accuracy"] > 0.9
    assert model.card.temperature > 0


def test_an_unknown_variant_is_refused_with_those_there_are():
    with pytest.raises(TrainingError, match=r"no variant 'best'; there are consensus, gated, plain"):
        train_on_spectra(make_labelled_spectra(30), variant="best")


def constant_bands(samples):
    spectra = samples.spectra.copy()
    spectra[:, 3:6] = 0.25
    return replace(samples, spectra=spectra)


def equal_spectra(samples):
    return replace(samples, spectra=np.full_like(samples.spectra, 0.3))


def contradicting_labels(samples):
    doubled = samples.take(np.repeat(np.arange(len(samples)), 2))
    flipped = np.where(np.arange(len(doubled)) % 2, doubled.class_id % 3 + 1, doubled.class_id)
    return replace(doubled, class_id=flipped.astype(np.int32))


def three_pixels_a_class(samples):
    return samples.take(np.arange(9))


def imbalanced(samples):
    keep = np.flatnonzero((samples.class_index != 2) | (np.arange(len(samples)) < 9))
    return samples.take(keep)


def two_bands(samples):
    bands = BandTable(count=2, wavelength=np.array([600.0, 900.0]))
    return replace(
        samples,
        spectra=np.ascontiguousarray(samples.spectra[:, :2]),
        bands=bands,
        scene_band_count=2,
        scene_band_index=np.arange(2),
    )


def no_wavelengths(samples):
    return replace(samples, bands=BandTable(count=samples.bands.count))


@pytest.mark.parametrize(
    "odd",
    [
        constant_bands,
        equal_spectra,
        contradicting_labels,
        three_pixels_a_class,
        imbalanced,
        two_bands,
        no_wavelengths,
    ],
)
def test_odd_training_sets_give_a_model_with_finite_answers(odd):
    samples = odd(make_labelled_spectra(90))
    model = train_on_spectra(samples, check=False)
    assert np.isfinite(predict_probabilities(model, samples.spectra)).all()


@pytest.mark.parametrize("odd", [three_pixels_a_class, imbalanced, equal_spectra])
def test_odd_training_sets_can_be_validated(odd):
    model = train_on_spectra(odd(make_labelled_spectra(90)), check=True)
    assert 0 <= model.card.validation["disjoint"]["overall_accuracy"] <= 1


@pytest.mark.parametrize(
    ("scenes", "labels", "said"),
    [([], "labels.gpkg", "no scene"), (np.zeros((2, 2, 2)), None, "this is a ndarray"), ("scene.hdr", None, "a str")],
)
def test_what_is_no_scene_is_refused_before_any_work(scenes, labels, said):
    with pytest.raises(HsigeoError, match=said):
        train(scenes, labels)


def test_a_file_name_is_no_labels():
    scene = make_scene(np.zeros((2, 2, 2)), grid=Grid(lines=2, samples=2), bands=BandTable(count=2), attrs={})
    with pytest.raises(TrainingError, match="what open_labels gives; this is a str"):
        train(scene, "labels.gpkg")
