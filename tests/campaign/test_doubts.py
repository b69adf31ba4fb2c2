"""Scenes whose numbers are not of the kind that the model has learnt from are doubted aloud, and the map records it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hsigeo.bands import BandTable
from hsigeo.campaign.doubts import find_odd_values
from hsigeo.io.scaling import Scaling

BANDS, PIXELS = 6, 200


def header_with(gain=1.0):
    return SimpleNamespace(bands=BandTable(count=BANDS), scaling=Scaling.constant(BANDS, gain))


def model_of(values):
    record = SimpleNamespace(class_mean=values.mean(axis=1)[None], class_spread=values.std(axis=1)[None])
    return SimpleNamespace(record=record)


@pytest.fixture
def reflectance():
    return np.random.default_rng(0).uniform(0.02, 0.6, (BANDS, PIXELS)).astype("float32")


@pytest.mark.parametrize("factor", [100, 10_000, 60, 1e-2, 1e-4, -1])
def test_another_unit_than_the_models_is_doubted(reflectance, factor):
    (doubt,) = find_odd_values(reflectance * np.float32(factor), header_with(), model_of(reflectance))
    assert "another unit or scale" in doubt


@pytest.mark.parametrize("factor", [1, 1.6, 0.05, 5])
def test_a_bright_or_dark_scene_is_none_of_another_unit(reflectance, factor):
    assert find_odd_values(reflectance * np.float32(factor), header_with(), model_of(reflectance)) == []


@pytest.mark.parametrize(("stored", "gain"), [(-9999, 1e-4), (0, 1.0), (-1, 1.0)])
def test_a_margin_filled_with_an_undeclared_number_is_doubted(reflectance, stored, gain):
    seen = reflectance.copy()
    seen[:, :20] = stored * gain
    (doubt,) = find_odd_values(seen, header_with(gain), model_of(reflectance))
    assert f"20 of 200 pixels looked at hold {stored} in every band" in doubt


def test_a_declared_fill_value_is_not_doubted(reflectance):
    seen = reflectance.copy()
    seen[:, :20] = np.nan
    assert find_odd_values(seen, header_with(), model_of(reflectance)) == []


def test_without_a_record_or_data_nothing_is_said_of_units(reflectance):
    unknown = SimpleNamespace(record=None)
    assert find_odd_values(reflectance * 100, header_with(), unknown) == []
    assert find_odd_values(np.full_like(reflectance, np.nan), header_with(), model_of(reflectance)) == []


def test_a_margin_filled_with_a_number_that_was_scaled_is_doubted(reflectance):
    reflectance[:, :20] = -np.linspace(0.9, 1.1, BANDS, dtype="float32")[:, None]
    (doubt,) = find_odd_values(reflectance, header_with(), model_of(reflectance[:, 20:]))
    assert "20 of 200 pixels looked at hold one spectrum below 0, which is not declared" in doubt


def test_bad_bands_do_not_hide_a_filled_margin(reflectance):
    reflectance[:, :20] = 0
    reflectance[2] = np.arange(PIXELS) / PIXELS
    header = header_with()
    header.bands = BandTable(count=BANDS, good=np.arange(BANDS) != 2)
    (doubt,) = find_odd_values(reflectance, header, model_of(reflectance[:, 20:]))
    assert "20 of 200 pixels looked at hold 0 in every band" in doubt
