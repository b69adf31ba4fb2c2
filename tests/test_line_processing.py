from __future__ import annotations

import pytest

from hsigeo.io.cube_reader import open_cube
from hsigeo.io.processing import processing_of
from hsigeo.line_processing import LineProcessing, correction_of, find_processing_differences

NM = tuple(400.0 + 10 * band for band in range(20))


def lines(*changes: dict) -> list[LineProcessing]:
    usual = {"bands": 20, "wavelengths": NM, "scale": 1e-4, "model": "a" * 64}
    return [LineProcessing(**({"name": f"line_{n}"} | usual | change)) for n, change in enumerate(changes)]


def test_lines_that_are_alike_give_nothing_to_say():
    assert find_processing_differences(lines({}, {}, {})) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bands": 19, "wavelengths": NM[:19]}, "number of bands: 20 in 3 of 4, but 19 in line_3"),
        ({"scale": 1.0}, "scale of reflectance: 0.0001 in 3 of 4, but 1.0 in line_3"),
        ({"model": "b" * 64}, "model: aaaaaaaaaaaa in 3 of 4, but bbbbbbbbbbbb in line_3"),
        ({"wavelengths": tuple(value + 2.5 for value in NM)}, "wavelengths, by up to 2.5 nm: line_3"),
    ],
)
def test_the_line_that_differs_is_named_with_the_values(change, words):
    (sentence,) = find_processing_differences(lines({}, {}, {}, change))

    assert words in sentence


def test_a_shift_below_what_calibration_moves_is_no_difference():
    assert find_processing_differences(lines({}, {}, {"wavelengths": tuple(value + 0.2 for value in NM)})) == ()


@pytest.mark.parametrize(
    ("path", "correction"),
    [
        ("/data/DP1.30006.001/2019/NIS01_20190407_160559_reflectance.h5", "directional (not BRDF-corrected)"),
        ("/data/DP1.30006.002/2023/L3/x.h5", "BRDF-corrected"),
        ("NEON_D17_SJER_DP1_20210331_directional_reflectance.h5", "directional (not BRDF-corrected)"),
        ("NEON_D17_SJER_DP1_20210331_bidirectional_reflectance.h5", "BRDF-corrected"),
        ("ang20200712t201415_rfl_topo_brdf.hdr", "BRDF-corrected"),
        ("ang20200712t201415_rfl.hdr", None),
    ],
)
def test_the_correction_is_read_from_the_path(path, correction):
    assert correction_of(path) == correction


def test_directional_and_corrected_lines_together_are_named():
    both = lines(
        {"correction": correction_of("DP1.30006.001/a")},
        {"correction": correction_of("DP1.30006.001/b")},
        {"correction": correction_of("DP1.30006.002/c")},
    )

    (sentence,) = find_processing_differences(both)

    assert "directional (not BRDF-corrected) in 2 of 3, but BRDF-corrected in line_2" in sentence


def test_a_name_that_says_corrected_among_names_that_say_nothing_is_a_difference():
    (sentence,) = find_processing_differences(lines({}, {"correction": correction_of("x_brdf")}))

    assert "line_1 say that they are BRDF-corrected, line_0 do not" in sentence


def test_many_names_are_counted():
    (sentence,) = find_processing_differences(lines(*[{}] * 20, *[{"bands": 7, "wavelengths": None}] * 9))

    assert "and 4 more" in sentence


def test_a_header_says_bands_wavelengths_and_scale(sample_scenes):
    found = processing_of(open_cube(sample_scenes / "line_1.hdr").header, "line_1")

    assert found.bands == len(found.wavelengths) == 112
    assert found.scale == pytest.approx(1e-4)
