"""Damaged spectra are damaged as announced, pixel by pixel, and as seeded."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.bands import BandTable
from hsigeo.training.damage import DAMAGES, damage_spectra

BANDS = BandTable(count=50, wavelength=np.linspace(400.0, 890.0, 50))


def ramps(pixels=200, bands=50):
    """Each pixel rises linearly with wavelength; no value is 0."""
    return (0.2 + 0.01 * np.arange(bands) + 0.0001 * np.arange(pixels)[:, None]).astype(np.float32)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_depends_on_its_seed_alone_and_leaves_the_input_as_it_is(name):
    sound = ramps()
    before = sound.copy()
    first, again, other = (damage_spectra(name, sound, BANDS, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(sound, before)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert len({tuple(np.flatnonzero(row)) or 0 for row in first != sound}) > 1 or name in ("drift", "shift")


@pytest.mark.parametrize("name", ["dead", "level"])
def test_one_run_of_neighbouring_bands_is_hit_in_each_pixel(name):
    sound = ramps()
    hit = damage_spectra(name, sound, BANDS, seed=0) != sound
    assert (hit.sum(axis=1) == 6).all()  # 12 % of 50
    assert ((np.diff(hit.astype(int), axis=1) == 1).sum(axis=1) + hit[:, 0] == 1).all()


def test_a_misread_run_has_one_level_and_dead_bands_read_0():
    sound = ramps()
    level, scattered = (damage_spectra(name, sound, BANDS, seed=0) for name in ("level", "scatter"))
    assert all(len(np.unique(row[hit])) == 1 for row, hit in zip(level, level != sound, strict=True))
    assert ((scattered == 0).sum(axis=1) == 2).all()  # 5 % of 50


def test_a_drift_is_smooth_and_of_5_percent():
    gain = damage_spectra("drift", ramps(), BANDS, seed=0).astype(float) / ramps()
    np.testing.assert_allclose(np.sqrt(np.mean((gain - 1) ** 2, axis=1)), 0.05, atol=1e-4)
    assert np.abs(np.diff(gain, axis=1)).max() < 0.03


def test_a_shift_reads_a_straight_spectrum_half_a_band_away_whatever_the_order_of_bands():
    order = np.random.default_rng(0).permutation(50)
    sound, mixed = ramps(), BandTable(count=50, wavelength=BANDS.wavelength[order])
    apart = (damage_spectra("shift", sound[:, order], mixed, seed=0) - sound[:, order])[:, np.argsort(order)]
    np.testing.assert_allclose(np.abs(apart[:, 1:-1]), 0.005, atol=1e-5)
    assert 0.3 < (apart[:, 5] > 0).mean() < 0.7


@pytest.mark.parametrize("name", DAMAGES)
def test_one_band_without_wavelength_survives(name):
    assert damage_spectra(name, ramps(3, 1), BandTable(count=1), seed=0).shape == (3, 1)
