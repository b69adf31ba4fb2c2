"""What a model remembers of training, in its file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from labelled_spectra import make_labelled_spectra, make_model

from hsigeo.errors import ModelError
from hsigeo.model import load_model, with_digest, write_model
from hsigeo.model.plain import PlainNetwork
from hsigeo.model.record import MAX_EXEMPLARS, decode_record, encode_record
from hsigeo.training.record import record_training


@pytest.fixture
def record():
    return record_training(make_labelled_spectra(), make_model().network)


def test_a_record_comes_back_from_the_file_as_it_was(tmp_path, record):
    model = with_digest(replace(make_model(), record=record))
    write_model(model, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.digest == model.digest
    stored, found = encode_record(record), encode_record(loaded.record)
    assert stored.keys() == found.keys()
    for name, expected in stored.items():
        np.testing.assert_array_equal(found[name], expected)


def test_a_model_without_a_record_is_still_read(tmp_path):
    write_model(make_model(), tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").record is None


def test_the_sample_model_is_read(sample_scenes):
    assert load_model(sample_scenes / "line_1.safetensors").card.bands.count > 0


def test_class_statistics_are_those_of_the_training_pixels(record):
    samples = make_labelled_spectra()
    members = samples.spectra[samples.class_index == 1]
    np.testing.assert_allclose(record.class_mean[1], members.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(record.class_spread[1], members.std(axis=0), rtol=1e-4, atol=1e-6)


def test_every_exemplar_is_the_training_pixel_it_says_it_is(record):
    samples, kept = make_labelled_spectra(), record.exemplars
    np.testing.assert_allclose(kept.spectra, samples.spectra[kept.row], atol=1e-3)
    np.testing.assert_array_equal(kept.class_index, samples.class_index[kept.row])
    np.testing.assert_array_equal(kept.group, samples.group[kept.row])


def test_prototypes_know_the_pixels_that_read_them_most(record):
    assert record.nearest.shape == (5, 3)
    assert record.nearest.max() < len(record.exemplars)
    np.testing.assert_allclose(record.prototype_class.sum(axis=1), 1, atol=1e-5)


def test_many_classes_stay_within_the_bound():
    samples = make_labelled_spectra(pixels=2600, classes=130)
    assert len(record_training(samples, make_model(classes=130).network).exemplars) <= MAX_EXEMPLARS


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("record.class_mean", lambda values: values[:, :-1]),
        ("record.class_mean", lambda values: np.where(values > 0, np.nan, values).astype(np.float32)),
        ("record.nearest", lambda values: values + 100_000),
        ("record.exemplar.class_index", lambda values: values + 3),
        ("record.exemplar.row", lambda values: values.astype(np.int64)),
        ("record.exemplar.spectra", lambda values: values[:-1]),
        ("record.prior.shapes", lambda values: values.ravel()),
    ],
)
def test_a_record_that_does_not_fit_is_refused_by_name(record, name, change):
    arrays = encode_record(record)
    arrays[name] = change(arrays[name])
    with pytest.raises(ModelError, match="training record is broken: "):
        decode_record(arrays, bands=12, classes=3)


def test_a_record_that_lacks_an_array_is_refused(record):
    arrays = encode_record(record)
    del arrays["record.class_spread"]
    with pytest.raises(ModelError, match="lacks class_spread"):
        decode_record(arrays, bands=12, classes=3)


def test_a_small_class_keeps_exemplars_however_many_prototypes_there_are():
    samples = make_labelled_spectra(pixels=3000, classes=3)
    rare = samples.class_index == 2
    few = samples.take(np.concatenate([np.flatnonzero(~rare), np.flatnonzero(rare)[:4]]))
    network = PlainNetwork(bands=12, classes=3, width=8, heads=2, prototypes=1500)
    record = record_training(few, network.requires_grad_(False))
    assert len(record.exemplars) <= MAX_EXEMPLARS
    assert (record.exemplars.class_index == 2).sum() == 4
    assert (record.nearest[:, 0] >= 0).any()
