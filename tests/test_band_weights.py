"""Bands of one sensor out of those of another: the rules, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.band_weights import Kind, band_widths, weigh_bands
from hsigeo.bands import BandTable
from hsigeo.io import open_scene
from hsigeo.scene import spectral_axis


def table(wavelength, fwhm=None, good=None):
    wavelength = np.asarray(wavelength, dtype=float)
    return BandTable(
        count=len(wavelength),
        wavelength=wavelength,
        fwhm=None if fwhm is None else np.full(len(wavelength), fwhm, dtype=float),
        good=np.ones(len(wavelength), dtype=bool) if good is None else np.asarray(good),
    )


@pytest.mark.parametrize(
    ("centre", "kind"),
    [
        (520.0, Kind.SAME),
        (520.5, Kind.SAME),
        (523.0, Kind.INTERPOLATED),
        (604.0, Kind.INTERPOLATED),  # past the end, but by less than half a band
        (606.0, Kind.MISSING),
        (660.0, Kind.MISSING),
    ],
)
def test_the_rule_for_each_place(centre, kind):
    found = weigh_bands(table([centre], fwhm=10), table(np.arange(400, 601, 10), fwhm=10))
    assert found.kind[0] == kind
    assert found.weights.sum() == pytest.approx(0.0 if kind == Kind.MISSING else 1.0)


def test_a_gap_is_interpolated_over_up_to_thirty_nanometres():
    source = table([600, 630, 635, 675], fwhm=10)
    assert weigh_bands(table([615.0], fwhm=10), source).kind[0] == Kind.INTERPOLATED
    assert weigh_bands(table([655.0], fwhm=10), source).kind[0] == Kind.MISSING


def test_narrow_bands_are_averaged_under_the_targets_shape():
    found = weigh_bands(table([500.0], fwhm=30), table(np.arange(400, 601, 3), fwhm=3))
    assert found.kind[0] == Kind.AVERAGED
    centres = np.arange(400, 601, 3)
    mean = (found.weights[0] * centres).sum()
    spread = np.sqrt((found.weights[0] * (centres - mean) ** 2).sum())
    assert mean == pytest.approx(500, abs=0.2)
    # Cut at one width to each side, a Gaussian keeps nearly all of its spread.
    assert spread * 2.3548 == pytest.approx(np.sqrt(30**2 - 3**2), rel=0.1)


def test_bad_bands_carry_no_weight():
    good = np.arange(21) != 10
    found = weigh_bands(table([500.0], fwhm=10), table(np.arange(400, 601, 10), fwhm=10, good=good))
    assert found.kind[0] == Kind.INTERPOLATED
    np.testing.assert_array_equal(np.flatnonzero(found.weights[0]), [9, 11])


def test_two_detectors_with_a_wavelength_in_common_each_serve_their_own_band():
    both = table([880, 890, 900, 910, 900, 910, 920, 930])
    found = weigh_bands(both, both)
    np.testing.assert_array_equal(found.weights, np.eye(8))
    assert (found.kind == Kind.SAME).all()


def test_the_width_of_overlapping_detectors_is_not_the_distance_between_them():
    two = table([880, 890, 900, 910, 900.4, 910.4, 920.4, 930.4])
    np.testing.assert_allclose(band_widths(two.wavelength, None), 10.0, atol=0.6)


def test_a_file_in_descending_order_is_the_same_sensor():
    up = table(np.arange(400, 601, 10))
    found = weigh_bands(up, table(np.arange(600, 399, -10)))
    np.testing.assert_array_equal(found.weights, np.eye(21)[::-1])


def test_real_sensors_with_overlapping_detectors_are_their_own_match(real_data):
    tile = sorted((real_data / "enmap_potsdam" / "images").glob("*.tif"))[0]
    bands = spectral_axis(open_scene(tile))
    assert (np.diff(bands.wavelength) < 0).any()
    good = bands.take(np.flatnonzero(bands.good))
    found = weigh_bands(good, bands)
    np.testing.assert_array_equal(found.weights, np.eye(bands.count)[bands.good])


def test_a_real_library_whose_spectrometers_interleave_is_its_own_match(real_data):
    from hsigeo.io import open_spectral_library

    library = open_spectral_library(real_data / "santa_barbara" / "santa_barbara.sli", field="Level_2")
    found = weigh_bands(library.bands, library.bands)
    np.testing.assert_array_equal(found.weights, np.eye(library.bands.count))
