"""Ids and times of flight lines, by the rules of those who name the files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hsigeo.line_names import acquisition_interval, is_companion, line_name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("f080611t01p00r07rdn_c_sc01_ort_img.hdr", "f080611t01p00r07rdn_c_sc01_ort_img"),
        ("f080611t01p00r07_rfl_img.hdr", "f080611t01p00r07"),
        ("ang20150422t163638_corr_v1e_img.hdr", "ang20150422t163638"),
        ("prm20210712t101112_rfl.hdr", "prm20210712t101112"),
        ("AV320250809t182459_000_L2A_OE_0b4f48b4_RFL_ORT.nc", "AV320250809t182459_000"),
        ("AV320250809t182459_001_L2A_OE_0b4f48b4_RFL_ORT.nc", "AV320250809t182459_001"),
        ("AV520250809t182459_0001.nc", "AV520250809t182459"),
        ("EMIT_L2A_RFL_001_20220815T042838_2222703_003.nc", "EMIT_20220815T042838_2222703_003"),
        ("emit20220815t042838_o22227_s000_l2a_rfl_b0106_v01.hdr", "emit20220815t042838_o22227_s000"),
        ("NIS01_20180812_173520_rdn_ort.hdr", "NIS01_20180812_173520"),
        ("NEON_D10_R10A_DP1_20200607_L001-1_radiance.h5", "NEON_D10_R10A_DP1_20200607_L001-1"),
        ("NEON_D17_SJER_DP3_257000_4112000_reflectance.h5", "NEON_D17_SJER_DP3_257000_4112000"),
        (
            "ENMAP01-____L2A-DT0000001047_20220613T111213Z_002_V010303_20230922T131813Z-SPECTRAL_IMAGE.TIF",
            "ENMAP01_20220613T111213Z_002",
        ),
        ("PRS_L2D_STD_20200725083506_20200725083510_0001.he5", "PRS_20200725083506"),
        ("line_1.hdr", "line_1"),
        ("forest.v2.hdr", "forest.v2"),
        ("水.tif", "水"),
    ],
)
def test_a_line_is_named_as_its_producer_names_it(file, name):
    assert line_name(f"some/folder/{file}") == name


def test_segments_and_tiles_of_one_take_are_different_lines():
    names = [f"AV320250809t182459_{k:03}_RFL.nc" for k in range(3)]
    assert len({line_name(name) for name in names}) == 3


@pytest.mark.parametrize(
    ("file", "belongs"),
    [
        ("ang20150422t163638_rdn_obs_ort.hdr", True),
        ("f080611t01p00r07_rdn_igm.hdr", True),
        ("line_1_glt.hdr", True),
        ("EMIT_L2A_RFLUNCERT_001.nc", False),
        ("line_1_rfl.hdr", False),
        ("observatory.hdr", False),
    ],
)
def test_what_belongs_to_a_scene_is_no_scene(file, belongs):
    assert is_companion(file) == belongs


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
