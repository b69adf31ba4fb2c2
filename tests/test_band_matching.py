"""Bands are matched by wavelength."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsigeo.band_matching import match_bands
from hsigeo.bands import BandTable
from hsigeo.errors import BandMismatchError
from hsigeo.spectral_prior import SpectralPrior

FORWARD = np.linspace(400.0, 2400.0, 101)


def table(wavelength, fwhm=None, good=None):
    wavelength = np.asarray(wavelength, dtype=float)
    return BandTable(
        count=len(wavelength),
        wavelength=wavelength,
        fwhm=None if fwhm is None else np.asarray(fwhm, dtype=float),
        good=np.ones(len(wavelength), dtype=bool) if good is None else np.asarray(good),
    )


def match(model, scene):
    return match_bands(model, scene, trained_on_count=model.count, trained_on_index=np.arange(model.count))


def resample(found, wavelength, spectrum=lambda nm: nm):
    return found.apply(spectrum(np.asarray(wavelength)[found.used])[None, :].astype(np.float32))[0]


def test_the_same_bands_are_a_plain_selection():
    found = match(table(FORWARD), table(FORWARD))
    assert found.weights is None
    assert found.note == ""
    np.testing.assert_array_equal(found.used, np.arange(101))


@given(st.permutations(range(12)))
def test_the_order_of_the_scenes_bands_does_not_matter(order):
    wavelength = np.linspace(400, 510, 12)[list(order)]
    found = match(table(np.linspace(400, 510, 12)), table(wavelength))
    np.testing.assert_array_equal(wavelength[found.used], np.linspace(400, 510, 12))


@settings(max_examples=50)
@given(st.floats(-0.45, 0.45), st.integers(60, 200))
def test_other_centres_reproduce_a_spectrum_that_is_linear_in_wavelength(shift, count):
    model = table(np.linspace(500, 2300, 91))
    scene_centres = np.linspace(420, 2400, count) + shift * 10
    found = match(model, table(scene_centres))
    np.testing.assert_allclose(resample(found, scene_centres), model.wavelength, atol=2.1)


def test_a_finer_sensor_is_averaged_under_the_models_band_shape():
    fine = np.arange(400.0, 1000.0, 1.0)
    model = table([500.0, 700.0], fwhm=[20.0, 20.0])
    scene = table(fine + 0.5)
    # A narrow line at 500 nm: a 20 nm wide band sees only a part of it; its weight is the Gaussian's share.
    line = lambda nm: (np.abs(nm - 500.0) < 1.0).astype(float)  # noqa: E731
    seen = resample(match(model, scene), fine + 0.5, line)
    gaussian = np.exp(-0.5 * ((fine + 0.5 - 500.0) / (20 / 2.3548)) ** 2)
    assert seen[0] == pytest.approx((gaussian * line(fine + 0.5)).sum() / gaussian.sum(), rel=0.05)
    assert seen[1] == 0


def test_a_bad_band_is_bridged_by_its_neighbours():
    good = np.ones(101, dtype=bool)
    good[50] = False
    found = match(table(FORWARD), table(FORWARD, good=good))
    assert 50 not in found.used
    np.testing.assert_allclose(resample(found, FORWARD), FORWARD, rtol=1e-6)
    assert "1 of 101 bands" in found.note


def test_a_wide_gap_is_refused_and_named():
    good = (FORWARD < 1340) | (FORWARD > 1460)
    with pytest.raises(BandMismatchError, match=r"lacks 6 of the 101 wavelengths.*1360-1440|1340-1460"):
        match(table(FORWARD), table(FORWARD, good=good))


def test_a_scene_that_ends_too_early_is_refused_with_what_it_covers():
    with pytest.raises(BandMismatchError, match=r"1020-2400 nm; its good bands cover 400-1000 nm"):
        match(table(FORWARD), table(FORWARD[FORWARD <= 1000]))


def test_a_centre_just_outside_the_scenes_range_takes_the_last_band():
    found = match(table([400, 410, 420]), table([404, 410, 420]))
    assert found.used[0] == 0


def test_without_wavelengths_bands_go_by_position_if_the_count_is_the_same():
    model = table([500, 600])
    scene = BandTable(count=5)
    found = match_bands(model, scene, trained_on_count=5, trained_on_index=np.array([1, 3]))
    np.testing.assert_array_equal(found.used, [1, 3])
    assert "no wavelengths" in found.note


def test_without_wavelengths_another_count_is_refused():
    with pytest.raises(BandMismatchError, match="the scene has 6, the model was trained on 5"):
        match_bands(table([500, 600]), BandTable(count=6), trained_on_count=5, trained_on_index=np.array([1, 3]))


def test_a_scene_whose_bands_are_all_bad_is_refused():
    with pytest.raises(BandMismatchError, match="every band as bad"):
        match(table(FORWARD), table(FORWARD, good=np.zeros(101, dtype=bool)))


def test_overlapping_detectors_with_equal_wavelengths_do_not_divide_by_zero():
    wavelength = np.array([900.0, 910.0, 910.0, 920.0, 905.0])
    found = match(table(wavelength), table(wavelength))
    np.testing.assert_allclose(resample(found, wavelength), wavelength)


@pytest.mark.parametrize(("width", "message"), [(None, "lacks 47 of the 101 wavelengths"), (20.0, "weighed against")])
def test_a_header_that_claims_ten_thousands_of_bands_is_refused_before_memory_is_taken(width, message):
    """Square matrices of them would take 27 GB each."""
    zeros = np.zeros(101, dtype=np.float32)
    prior = SpectralPrior(mean=zeros, shapes=zeros[:, None], left_over=zeros + 1)
    wavelength = np.linspace(400, 1500, 60_000)
    scene = table(wavelength, fwhm=None if width is None else np.full(60_000, width))

    with pytest.raises(BandMismatchError, match=message):
        match_bands(table(FORWARD), scene, trained_on_count=101, trained_on_index=np.arange(101), prior=prior)
