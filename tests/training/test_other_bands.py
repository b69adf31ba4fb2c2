"""Training for the bands of another sensor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from labelled_spectra import make_labelled_spectra

from hsigeo.bands import BandTable
from hsigeo.errors import BandMismatchError
from hsigeo.training import on_bands_of

NM = np.linspace(450.0, 2350.0, 200)


def samples_linear_in_wavelength():
    samples = make_labelled_spectra(bands=200)
    level = np.linspace(0.5, 1.5, len(samples))[:, None]
    return replace(samples, spectra=(level * NM / 2500).astype(np.float32))


def test_spectra_linear_in_wavelength_stay_so_on_the_other_bands():
    wavelength = np.array([400.0, 512.3, 901.0, 1500.2, 2500.0])
    good = np.array([True, True, False, True, True])
    found = on_bands_of(
        samples_linear_in_wavelength(),
        BandTable(count=5, wavelength=wavelength, fwhm=np.array([10.0, 12, 12, 60, 10]), good=good),
    )
    np.testing.assert_array_equal(found.bands.wavelength, [512.3, 1500.2])
    np.testing.assert_array_equal(found.scene_band_index, [1, 3])
    assert found.scene_band_count == 5
    level = np.linspace(0.5, 1.5, len(found))[:, None]
    np.testing.assert_allclose(found.spectra, level * found.bands.wavelength / 2500, rtol=2e-3)
    assert "2 left out" in found.notes[-1]


def test_sensors_that_share_nothing_are_refused_with_what_training_covers():
    with pytest.raises(BandMismatchError, match="450-2350 nm"):
        on_bands_of(samples_linear_in_wavelength(), BandTable(count=2, wavelength=np.array([8000.0, 9000.0])))


def test_without_wavelengths_there_is_nothing_to_go_by():
    with pytest.raises(BandMismatchError, match="needs wavelengths"):
        on_bands_of(samples_linear_in_wavelength(), BandTable(count=2))
