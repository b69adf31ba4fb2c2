from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.io.wavelengths import make_band_table, parse_unit


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("nm", 550.0),
        ("Nanometer", 550.0),
        ("NANOMETERS", 550.0),
        ("nanometres", 550.0),
        ("um", 0.55),
        ("µm", 0.55),
        ("μm", 0.55),  # the Greek letter, not the micro sign
        ("Micrometers", 0.55),
        ("micrometre", 0.55),
        ("micron", 0.55),
        ("Microns", 0.55),
        ("mm", 0.00055),
        ("Angstroms", 5500.0),
        ("m", 5.5e-7),
        ("Meters", 5.5e-7),
        ("Wavenumber", 1e7 / 550),
        ("cm-1", 1e7 / 550),
        ("GHz", 299_792_458 / 550),
        ("MHz", 299_792_458_000 / 550),
    ],
)
def test_every_unit_becomes_nm(spelling: str, value: float) -> None:
    table, _ = make_band_table(1, wavelength=[value], unit=spelling)
    assert table.wavelength is not None
    np.testing.assert_allclose(table.wavelength, [550.0], rtol=1e-12)


@pytest.mark.parametrize("spelling", ["", "Unknown", "parsec", "nanometerish"])
def test_other_units_are_not_known(spelling: str) -> None:
    assert parse_unit(spelling) is None


@pytest.mark.parametrize(("values", "unit"), [([0.45, 2.4], "um"), ([450.0, 2400.0], "nm"), ([8.0, 13.5], "um")])
def test_missing_unit_is_guessed_from_the_range_and_said(values: list[float], unit: str) -> None:
    table, notes = make_band_table(2, wavelength=values, unit="Unknown")
    assert table.wavelength is not None
    np.testing.assert_allclose(table.wavelength, np.array(values) * {"um": 1000, "nm": 1}[unit])
    assert any(f"taken as {unit}" in note for note in notes)


def test_stated_unit_that_cannot_be_is_corrected_and_said() -> None:
    table, notes = make_band_table(2, wavelength=[0.46, 2.4], unit="Nanometers")
    assert table.wavelength is not None
    np.testing.assert_allclose(table.wavelength, [460.0, 2400.0])
    assert "cannot be in nm" in notes[0]


def test_fwhm_follows_the_unit_of_the_wavelengths() -> None:
    table, notes = make_band_table(2, wavelength=[0.5, 2.0], unit="um", fwhm=[0.006, 0.012])
    assert table.fwhm is not None
    np.testing.assert_allclose(table.fwhm, [6.0, 12.0])
    assert notes == []


def test_fwhm_in_nm_beside_wavelengths_in_micrometres_is_seen() -> None:
    table, notes = make_band_table(2, wavelength=[0.5, 2.0], unit="um", fwhm=[6.0, 12.0])
    assert table.fwhm is not None
    np.testing.assert_allclose(table.fwhm, [6.0, 12.0])
    assert "taken as nm" in notes[0]


def test_fwhm_in_wavenumbers_is_converted_at_its_band() -> None:
    # A band from 9 950 to 10 050 cm-1 reaches from 995.02 to 1005.03 nm.
    table, _ = make_band_table(1, wavelength=[10_000.0], unit="cm-1", fwhm=[100.0])
    assert table.fwhm is not None
    np.testing.assert_allclose(table.fwhm, [1e7 / 9_950 - 1e7 / 10_050], rtol=1e-4)


@pytest.mark.parametrize("good", [[1, 0, 1], [1.0, 0.0, 1.0]])
def test_bad_band_list_may_be_whole_or_decimal(good: list[float]) -> None:
    assert make_band_table(3, good=good)[0].good.tolist() == [True, False, True]


@pytest.mark.parametrize("good", [[1, 0], [0, 0, 0]])
def test_useless_bad_band_list_is_ignored_and_said(good: list[float]) -> None:
    table, notes = make_band_table(3, good=good)
    assert table.good.all()
    assert "bbl" in notes[0]


@pytest.mark.parametrize(
    "values", [[400.0, 500.0], [400.0, 500.0, float("nan")], [0.0, 500.0, 600.0], [1e-5, 2e-5, 3e-5]]
)
def test_useless_wavelengths_are_ignored_and_said(values: list[float]) -> None:
    table, notes = make_band_table(3, wavelength=values, unit="nm")
    assert table.wavelength is None
    assert notes


def test_index_is_not_a_wavelength() -> None:
    assert make_band_table(3, wavelength=[1, 2, 3], unit="Index")[0].wavelength is None


@pytest.mark.parametrize(
    "names",
    [
        ["376.44 Nanometers", "381.45 Nanometers"],
        ["band 1 (376.44 Nanometers)", "band 2 (381.45 Nanometers)"],
        ["Resize (Band 1:x_2013) (376.44)", "Resize (Band 2:x_2013) (381.45)"],
        ["B1 0.37644 um", "B2 0.38145 um"],
        ["B1 0.37644µm", "B2 0.38145µm"],
        ["(0.37644)", "(0.38145)"],
        ["376.44", "381.45"],
        ["X376.44", "X381.45"],
    ],
)
def test_wavelengths_are_found_in_band_names(names: list[str]) -> None:
    table, notes = make_band_table(2, names=names)
    assert table.wavelength is not None
    np.testing.assert_allclose(table.wavelength, [376.44, 381.45])
    assert notes[0] == "the wavelengths were taken from the band names"


@pytest.mark.parametrize(
    "names",
    [
        ["Band 1", "Band 2"],
        ["NDVI (2019)", "NDVI (2020)"],
        ["Longitude (WGS-84)", "Latitude (WGS-84)"],
        ["376.44 Nanometers", "mask"],
        ["x (1.5)", "y (1.5)"],
        ["376.44 Nanometers"],
        ["0 nm", "1 nm"],
        ["1.0", "2.0"],
        ["2019", "2020"],
        ["381.45", "376.44"],
        ["X0.37644", "X0.38145"],
        ["To-sensor zenith (0 to 90 degrees from zenith)", "Earth-sun distance (AU)"],
    ],
)
def test_other_band_names_are_not_taken_for_wavelengths(names: list[str]) -> None:
    assert make_band_table(2, names=names)[0].wavelength is None


@given(
    st.lists(st.floats(), max_size=4),
    st.sampled_from(["", "nm", "um", "cm-1", "Index", "GHz"]),
    st.lists(st.floats(), max_size=4),
    st.lists(st.floats(), max_size=4),
)
def test_no_numbers_break_the_band_table(
    wavelength: list[float], unit: str, fwhm: list[float], good: list[float]
) -> None:
    table, _ = make_band_table(3, wavelength=wavelength, unit=unit, fwhm=fwhm, good=good)
    assert table.count == 3
    assert table.wavelength is None or (np.isfinite(table.wavelength).all() and (table.wavelength > 0).all())


def test_numbers_beyond_reflected_light_without_a_unit_may_be_wavenumbers_and_this_is_said():
    _, notes = make_band_table(3, wavelength=[24000.0, 12000.0, 4200.0])
    assert notes[0].endswith("were taken as nm; if they are wavenumbers, state cm-1")
    _, notes = make_band_table(3, wavelength=[400.0, 900.0, 2400.0])
    assert notes[0].endswith("were taken as nm")
