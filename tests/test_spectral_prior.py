"""Bands a sensor lacks are expected from those it has."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.band_matching import match_bands
from hsigeo.bands import BandTable
from hsigeo.errors import BandMismatchError
from hsigeo.training.record import learn_prior

NM = np.linspace(420.0, 2400.0, 100)


def mixtures(count=300, seed=0, noise=0.002):
    """Spectra of three smooth materials, mixed."""
    random = np.random.default_rng(seed)
    materials = np.stack([0.3 + 0.2 * np.sin(NM / scale) for scale in (150.0, 400.0, 900.0)])
    share = random.dirichlet([1, 1, 1], size=count)
    return (share @ materials + noise * random.normal(size=(count, len(NM)))).astype(np.float32)


def table(keep=slice(None), shift=0.0, fwhm=20.0):
    wavelength = NM[keep] + shift
    return BandTable(count=len(wavelength), wavelength=wavelength, fwhm=np.full(len(wavelength), fwhm))


def match(scene, **options):
    return match_bands(table(), scene, trained_on_count=100, trained_on_index=np.arange(100), **options)


def test_the_expectation_is_that_of_the_gaussian_it_stands_for():
    # Oracle: the textbook formula with the full covariance, for observations that are bands themselves.
    prior, observed = learn_prior(mixtures()), np.eye(100)[[3, 40, 77]]
    found = prior.expect(NM, observed)
    covariance = prior.covariance(NM)
    at = [3, 40, 77]
    noise = 3e-4 * np.median(covariance.diagonal()) * np.eye(3)
    gain = covariance[:, at] @ np.linalg.inv(covariance[np.ix_(at, at)] + noise)
    np.testing.assert_allclose(found.weights, gain, rtol=1e-6, atol=1e-9)
    left = (covariance - gain @ covariance[at]).diagonal() / covariance.diagonal()
    np.testing.assert_allclose(found.unexplained, left.clip(0, 1), atol=1e-9)


def test_a_wide_gap_is_filled_with_what_training_says_where_interpolation_would_be_far_off():
    train, test = mixtures(seed=0), mixtures(seed=1)
    gap = (NM > 1300) & (NM < 1700)
    scene = table(~gap)
    found = match(scene, prior=learn_prior(train)).apply(test[:, ~gap])
    np.testing.assert_array_equal(found[:, ~gap], test[:, ~gap])
    linear = np.stack([np.interp(NM[gap], NM[~gap], row[~gap]) for row in test])
    error, of_linear = np.abs(found[:, gap] - test[:, gap]).mean(), np.abs(linear - test[:, gap]).mean()
    assert error < 0.004
    assert error < of_linear / 5


def test_other_centres_are_met_better_than_by_interpolation_of_coarse_bands():
    train, test = mixtures(seed=0, noise=0.0), mixtures(seed=1, noise=0.0)
    every_fifth = np.arange(0, 100, 5)
    found = match(table(every_fifth), prior=learn_prior(train)).apply(test[:, every_fifth])
    linear = np.stack([np.interp(NM, NM[every_fifth], row[every_fifth]) for row in test])
    assert np.abs(found - test).mean() < np.abs(linear - test).mean() / 5


def test_a_scene_that_says_too_little_is_refused_with_the_wavelengths_it_lacks():
    rng = np.random.default_rng(2)
    independent = rng.random((300, 100)).astype(np.float32)  # nothing follows from anything
    with pytest.raises(BandMismatchError, match=r"lacks \d+ of the 100 wavelengths.*2400 nm.*--fill-missing"):
        match(table(NM < 1400), prior=learn_prior(independent))


def test_what_is_missing_is_filled_when_that_is_accepted_and_it_is_said():
    rng = np.random.default_rng(2)
    independent = rng.random((300, 100)).astype(np.float32)
    scene = table(NM < 1400)
    found = match(scene, prior=learn_prior(independent), accept_missing=True)
    assert "the scene says little" in found.note
    filled = found.apply(independent[:, NM < 1400])
    np.testing.assert_allclose(filled[:, -20:].mean(axis=0), independent[:, -20:].mean(axis=0), atol=0.15)


def test_few_broad_bands_are_said_to_stand_for_many():
    broad = BandTable(count=6, wavelength=np.linspace(450, 2350, 6), fwhm=np.full(6, 100.0))
    found = match(broad, prior=learn_prior(mixtures()))
    assert "6 bands stand for 100" in found.note


def test_a_band_of_a_finer_sensor_needs_no_prior():
    fine = np.arange(400.0, 2420.0, 4.0)
    scene = BandTable(count=len(fine), wavelength=fine, fwhm=np.full(len(fine), 5.0))
    assert match(scene, prior=learn_prior(mixtures())).offset is None


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_prior_of_a_few_or_equal_spectra_stays_finite(count):
    spectra = np.repeat(mixtures(count=1), count, axis=0)
    found = match(table(~((NM > 1300) & (NM < 1700))), prior=learn_prior(spectra), accept_missing=True)
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.offset).all()
