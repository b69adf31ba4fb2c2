"""Fill values that nobody declared are told from spectra by what no ground reflects, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.io.fill import describe_fill, find_fill

BANDS, PIXELS = 20, 50


@pytest.fixture
def spectra():
    return np.random.default_rng(0).uniform(0.01, 0.6, (BANDS, PIXELS)).astype("float32")


@pytest.mark.parametrize("number", [0.0, -0.9999, -9999.0, 6.5535, 1e20])
def test_one_impossible_number_in_every_band_is_a_fill_value(spectra, number):
    spectra[:, 7] = number
    assert np.flatnonzero(find_fill(spectra)).tolist() == [7]
    assert describe_fill(spectra[:, [7]]) == f"{np.float32(number):.6g} in every band"


def test_it_is_named_as_the_file_stores_it():
    assert describe_fill(np.full((BANDS, 2), -0.9999, dtype="float32"), gain=1e-4) == "-9999 in every band"


def test_a_fill_value_that_was_scaled_band_by_band_is_found_where_it_repeats(spectra):
    spectra[:, [3, 9, 30]] = -np.linspace(0.5, 1.5, BANDS, dtype="float32")[:, None]
    assert np.flatnonzero(find_fill(spectra)).tolist() == [3, 9, 30]
    assert describe_fill(spectra[:, [3, 9]]) == "one spectrum below 0"


def test_what_ground_can_look_like_is_no_fill_value(spectra):
    spectra[:, 0] = 0.3  # a grey panel
    spectra[:, 1] = 0
    spectra[4, 1] = 1e-4  # deep water
    spectra[:, 2] = -spectra[:, 2]  # a shadow, corrected too far
    spectra[:, 3:6] = spectra[:, [3]]  # copies
    spectra[:, 6] = np.nan
    assert not find_fill(spectra).any()


def test_few_bands_may_agree_by_chance(spectra):
    spectra[:, 0] = 120  # unscaled 8-bit numbers
    assert not find_fill(spectra[:8]).any()
    spectra[:, 0] = 0
    assert not find_fill(spectra[:3]).any()
    assert find_fill(spectra[:8]).sum() == 1
