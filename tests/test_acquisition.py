from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hsigeo.acquisition import acquisition_interval


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("ang20200712t201415_rfl_v2y1_img", (2020, 7, 12, 20, 14, 15), None),
        ("AV320250809t182459_000_L2A_OE_RFL", (2025, 8, 9, 18, 24, 59), None),
        ("EMIT_L2A_RFL_001_20220815T042838_2222703_003.nc", (2022, 8, 15, 4, 28, 38), None),
        ("PRS_L2D_STD_20200430103025_20200430103029_0001.he5", (2020, 4, 30, 10, 30, 25), None),
        ("NIS01_20200607_153022_reflectance", (2020, 6, 7, 15, 30, 22), None),
        ("ENMAP01-____L2A-DT0000001049_20220612T105735Z_028_V010303_20230922T131734Z-SPECTRAL_IMAGE.TIF",
         (2022, 6, 12, 10, 57, 35), None),
        ("f130522t01p00r11_rfl_v1l1", (2013, 5, 22), (2013, 5, 22, 23, 59, 59)),
        ("f970620t01p02r03", (1997, 6, 20), (1997, 6, 20, 23, 59, 59)),
        ("NEON_D10_R10A_DP1_20200607_L001-1_radiance.h5", (2020, 6, 7), (2020, 6, 7, 23, 59, 59)),
    ],
)  # fmt: skip
def test_the_time_is_in_the_name(name, first, last):
    start, stop = acquisition_interval(f"/archive/20010101/{name}")

    assert start == datetime(*first, tzinfo=UTC)
    assert stop == datetime(*(last or first), tzinfo=UTC)


@pytest.mark.parametrize("name", ["line_1.hdr", "20209999_scene", "x12345678901234567890", "scene_19991301t250000"])
def test_digits_that_are_no_time_are_none(name):
    assert acquisition_interval(name) is None
