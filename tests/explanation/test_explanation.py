"""Explanations of models and of pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from classifications import make_grid
from labelled_spectra import make_labelled_spectra, make_model

import hsigeo
from hsigeo.bands import BandTable
from hsigeo.errors import ModelError, SceneError
from hsigeo.explanation import deciding_stretches, explain_area, explain_model, explain_spectra, pixel_at
from hsigeo.explanation.sources import find_sources
from hsigeo.io import write_map
from hsigeo.scene import make_scene
from hsigeo.training.record import record_training


@pytest.fixture
def model():
    plain = make_model()
    return replace(plain, record=record_training(make_labelled_spectra(), plain.network))


def scene_of(spectra, lines=8, samples=15, **georeference):
    cube = spectra.T.reshape(-1, lines, samples)
    bands = BandTable(count=len(cube), wavelength=np.linspace(450, 2350, len(cube)))
    return make_scene(cube, grid=make_grid(lines, samples, **georeference), bands=bands, attrs={"source": "scene.hdr"})


def test_every_class_is_explained_with_its_spectra(model):
    found = explain_model(model)
    assert [entry.entry.name for entry in found.classes] == ["class 0", "class 1", "class 2"]
    samples = make_labelled_spectra()
    for index, entry in enumerate(found.classes):
        np.testing.assert_allclose(entry.mean, samples.spectra[samples.class_index == index].mean(axis=0), rtol=1e-5)
        assert entry.evidence.shape == entry.spread.shape == entry.attention.shape == (12,)
    assert found.to_json()["classes"][0]["training_pixels"] == found.classes[0].pixels


def test_a_model_without_a_record_says_what_would_do():
    with pytest.raises(ModelError, match="train it again"):
        explain_model(make_model())


def test_pixels_are_explained_even_by_a_model_without_a_record():
    found = explain_spectra(make_model(), make_labelled_spectra().spectra[:3])
    assert len(found) == 3
    assert found[0].prototypes[0].nearest == ()


def test_a_pixel_has_the_class_and_runner_up_of_its_probabilities(model):
    spectra = make_labelled_spectra().spectra[:4]
    for found, row in zip(
        explain_spectra(model, spectra), hsigeo.model.predict_probabilities(model, spectra), strict=True
    ):
        order = np.argsort(-row)
        assert (found.entry.id, found.runner_up.id) == (order[0] + 1, order[1] + 1)
        assert found.margin == pytest.approx(row[order[0]] - row[order[1]])


def test_training_pixels_near_a_prototype_are_named_with_scene_and_place(model):
    found = explain_spectra(model, make_labelled_spectra().spectra[:1])[0]
    near = found.prototypes[0].nearest[0]
    assert near.scene == "scene.hdr"
    assert near.class_name == f"class {near.row % 3}"
    assert near.group == near.row // 6


def test_an_area_is_explained_by_the_class_most_of_it_gets(model):
    spectra = make_labelled_spectra().spectra
    found, counts = explain_area(model, spectra)
    assert sum(counts.values()) == len(spectra)
    assert next(iter(counts)) == found.entry.name
    assert found.runner_up != found.entry


def test_the_python_call_explains_models_and_pixels(model):
    scene = scene_of(make_labelled_spectra().spectra)
    assert len(hsigeo.explain(model).classes) == 3
    found = hsigeo.explain(model, scene, row=[0, 7], col=[3, 14])
    np.testing.assert_array_equal(found[0].spectrum, scene.values[:, 0, 3])
    np.testing.assert_array_equal(found[1].spectrum, scene.values[:, 7, 14])


def test_pixels_outside_and_without_data_are_refused_by_place(model):
    spectra = make_labelled_spectra().spectra.copy()
    spectra[17, 3] = np.nan
    scene = scene_of(spectra)
    with pytest.raises(SceneError, match="row 8, column 0 lies outside"):
        hsigeo.explain(model, scene, row=[8], col=[0])
    with pytest.raises(SceneError, match="row 1, column 2 has no data"):
        hsigeo.explain(model, scene, row=[1], col=[2])


def test_map_coordinates_find_the_pixel_of_a_rotated_scene():
    scene = scene_of(make_labelled_spectra().spectra)
    transform = make_grid(8, 15).transform
    for row, col in [(0, 0), (3, 9), (7, 14)]:
        assert pixel_at(scene, *(transform @ (col + 0.9, row + 0.1))) == (row, col)
    with pytest.raises(SceneError, match="lies outside"):
        pixel_at(scene, 0, 0)
    for x, y in ((math.nan, 0), (1e300, -1e300), (0, math.inf)):
        with pytest.raises(SceneError, match="outside the scene"):
            pixel_at(scene, x, y)


def test_a_scene_without_a_place_asks_for_row_and_column():
    scene = scene_of(make_labelled_spectra().spectra, transform=Affine.identity(), crs=None)
    with pytest.raises(SceneError, match="--pixel"):
        pixel_at(scene, 1, 1)


def test_deciding_bands_are_joined_into_stretches_but_not_across_a_gap():
    bands = BandTable(count=8, wavelength=np.array([500.0, 510, 520, 530, 540, 900, 910, 920]))
    evidence = np.array([0, 0, -9, 0, 1, 1, 0, 0], dtype=np.float32)
    found = deciding_stretches(evidence, bands)
    assert [(stretch.first, stretch.last) for stretch in found] == [(540.0, 540.0)]
    both = deciding_stretches(np.array([0, 0, 0, 0, 4, 4.1, 0, 0.1], dtype=np.float32), bands)
    assert len(both) == 2
    assert sum(stretch.share for stretch in both) > 0.9


def test_nothing_is_named_where_nothing_speaks_for_the_class():
    assert deciding_stretches(-np.ones(5, dtype=np.float32), BandTable(count=5)) == ()


def test_a_map_names_its_scene_and_model_and_its_neighbours_go_before_what_is_gone(tmp_path, model):
    scene = scene_of(make_labelled_spectra().spectra)
    result = hsigeo.classify(scene, replace(model, path="/gone/m.safetensors"))
    write_map(result, tmp_path / "map.tif")
    found = find_sources(str(tmp_path / "map.tif"))
    assert (found.scene, found.model) == ("scene.hdr", "/gone/m.safetensors")
    (tmp_path / "m.safetensors").touch()
    assert find_sources(str(tmp_path / "map.tif")).model == str(tmp_path / "m.safetensors")
    assert find_sources(str(tmp_path / "map.tif"), model="mine").model == "mine"


def test_explanations_show_themselves_in_a_line_for_each_class(model):
    shown = repr(explain_model(model)).splitlines()

    assert len(shown) == 4
    assert all(len(line) < 200 for line in shown)
    assert "'class 1'" in shown[2]


def test_one_pixel_may_be_given_by_numbers(model):
    scene = scene_of(make_labelled_spectra().spectra)

    (found,) = hsigeo.explain(model, scene, row=2, col=3)

    assert found.entry == hsigeo.explain(model, scene, row=[2], col=[3])[0].entry
    assert found.entry.name in repr(found)


def test_rows_without_columns_and_what_is_no_model_are_refused(model):
    scene = scene_of(make_labelled_spectra().spectra)
    with pytest.raises(SceneError, match="1 rows and 0 columns"):
        hsigeo.explain(model, scene, row=[2])
    with pytest.raises(ModelError, match="a model is what load_model gives; this is a str"):
        hsigeo.explain("model.safetensors")
