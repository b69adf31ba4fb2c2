"""Faults of band lists, made on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spectral_scenes import BANDS, WAVELENGTH, make_image

from hsigeo.bands import BandTable
from hsigeo.io.doctor.spectral import check_bands, check_wavelengths


def table(wavelength: Any = WAVELENGTH, good: Any = None) -> BandTable:
    marked = np.ones(len(wavelength), dtype=bool) if good is None else np.asarray(good, dtype=bool)
    return BandTable(count=len(wavelength), wavelength=np.asarray(wavelength, dtype=float), good=marked)


def spectra() -> Any:
    return (make_image().reshape(BANDS, -1) / 10_000).astype("float32")


IN_WATER = ((WAVELENGTH >= 1340) & (WAVELENGTH <= 1445)) | ((WAVELENGTH >= 1790) & (WAVELENGTH <= 1955))


def test_ascending_and_descending_lists_are_in_order() -> None:
    assert check_wavelengths(table()) == []
    assert check_wavelengths(table(WAVELENGTH[::-1])) == []


def test_duplicates_are_named_with_their_bands() -> None:
    wavelength = WAVELENGTH.copy()
    wavelength[5] = wavelength[4]
    (finding,) = check_wavelengths(table(wavelength))
    assert (finding.code, finding.severity) == ("duplicate-wavelengths", "warning")
    assert "bands 5-6" in finding.message


def test_overlapping_detectors_are_told_from_a_list_in_no_order() -> None:
    two = [*np.linspace(420, 995, 20), *np.linspace(905, 2450, 20)]
    (finding,) = check_wavelengths(table(two))
    assert (finding.code, finding.severity) == ("detector-overlap", "note")
    assert "bands 20 and 21 (905-995 nm)" in finding.message
    (finding,) = check_wavelengths(table(np.random.default_rng(0).permutation(WAVELENGTH)))
    assert finding.code == "unsorted-wavelengths"


def test_a_wavelength_that_two_detectors_measure_is_only_noted() -> None:
    two = [*np.linspace(400, 1000, 21), *np.linspace(940, 2440, 21)]
    assert [(finding.code, finding.severity) for finding in check_wavelengths(table(two))] == [
        ("duplicate-wavelengths", "note"),
        ("detector-overlap", "note"),
    ]


@pytest.mark.parametrize(
    ("values", "said"), [(0.0, "are 0 throughout"), (0.25, "the same number"), (np.nan, "without any data")]
)
def test_bands_without_a_signal_are_found_unless_marked(values: float, said: str) -> None:
    dead = spectra()
    dead[:4] = values
    (finding,) = check_bands(table(), dead)
    assert finding.code == "dead-bands"
    assert "bands 1-4" in finding.message
    assert said in finding.message
    bbl = "".join(character for character in str(finding.changes["bbl"]) if character in "01")
    assert bbl == "0000" + "1" * (BANDS - 4)
    assert check_bands(table(good=[0] * 4 + [1] * (BANDS - 4)), dead) == []


def test_a_list_the_wrong_way_round_is_found_by_the_bands_of_water_vapour() -> None:
    assert check_bands(table(good=~IN_WATER), spectra()) == []
    (finding,) = check_bands(table(good=IN_WATER), spectra())
    assert (finding.code, finding.severity) == ("bbl-inverted", "error")
    bbl = [character == "1" for character in str(finding.changes["bbl"]) if character in "01"]
    assert bbl == (~IN_WATER).tolist()


def test_a_choice_of_few_good_bands_is_not_taken_for_an_inverted_list() -> None:
    assert check_bands(table(good=np.arange(BANDS) % 4 == 0), spectra()) == []


def test_too_few_pixels_tell_nothing_about_bands() -> None:
    assert check_bands(table(), np.zeros((BANDS, 4), dtype="float32")) == []
