"""Fill values, scales and lost rows, made on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spectral_scenes import BANDS, LINES, SAMPLES, make_image, write_scene

from hsigeo.io import open_cube
from hsigeo.io.doctor.examination import examine
from hsigeo.io.doctor.finding import Finding


def findings(path: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in examine(open_cube(path)).findings}


def framed(value: Any, dtype: str = "int16") -> Any:
    image = make_image().astype(dtype)
    image[:, :, :3] = value
    return image


def test_nothing_is_said_about_a_sound_scene(tmp_path: Path) -> None:
    assert findings(write_scene(tmp_path)) == {}
    assert findings(write_scene(tmp_path, framed(-9999))) == {}


@pytest.mark.parametrize("value", [0, -1, -9999, -32768])
def test_an_undeclared_fill_value_is_found_at_the_edge(value: int, tmp_path: Path) -> None:
    found = findings(write_scene(tmp_path, framed(value), data_ignore_value=None))
    assert set(found) == {"undeclared-nodata"}
    assert found["undeclared-nodata"].changes == {"data ignore value": str(value)}
    assert f"{3 * LINES} of {LINES * SAMPLES} sampled pixels" in found["undeclared-nodata"].message
    assert "at the edge" in found["undeclared-nodata"].message


def test_a_fill_value_that_was_scaled_with_the_data_is_found(tmp_path: Path) -> None:
    image = (make_image() / 10_000).astype("float32")
    image[:, :, :3] = -0.9999
    found = findings(write_scene(tmp_path, image, reflectance_scale_factor=None))
    assert "none the declared -9999" in found["undeclared-nodata"].message
    assert found["undeclared-nodata"].changes == {"data ignore value": "-0.9999"}


def test_a_large_fill_value_is_written_as_people_do(tmp_path: Path) -> None:
    found = findings(write_scene(tmp_path, framed(3e38, "float32"), data_ignore_value=None))
    assert found["undeclared-nodata"].changes == {"data ignore value": "3.0e+38"}


def test_a_fill_value_scaled_band_by_band_is_found_and_can_be_stated(tmp_path: Path) -> None:
    image = (make_image() / 10_000).astype("float32")
    image[:, :, :3] = (-0.9999 * np.linspace(0.9, 1.1, BANDS)).astype("float32")[:, None, None]
    path = write_scene(tmp_path, image, reflectance_scale_factor=None)
    found = findings(path)
    assert set(found) == {"scaled-fill"}
    changes = {key.replace(" ", "_"): value for key, value in found["scaled-fill"].changes.items()}
    fixed = write_scene(tmp_path, image, reflectance_scale_factor=None, **changes)
    assert findings(fixed) == {}
    assert np.isnan(examine(open_cube(fixed)).values).sum() == 3 * LINES * BANDS


def test_a_second_fill_value_is_pointed_out(tmp_path: Path) -> None:
    image = framed(-9999)
    image[:, :2] = 0
    found = findings(write_scene(tmp_path, image))
    assert found["second-fill-value"].changes == {}
    assert "hold 0 in every band, and others the declared -9999" in found["second-fill-value"].message


def test_colours_of_a_picture_are_no_fill_values(tmp_path: Path) -> None:
    image = np.zeros((3, 10, 10), dtype="uint8")
    assert "undeclared-nodata" not in findings(
        write_scene(tmp_path, image, wavelength=None, data_ignore_value=None, reflectance_scale_factor=None)
    )


def test_a_missing_scale_factor_is_found(tmp_path: Path) -> None:
    image = make_image().astype("float32")
    found = findings(write_scene(tmp_path, image, reflectance_scale_factor=None))
    assert found["scale"].changes == {"reflectance scale factor": "10000"}
    assert found["scale"].severity == "warning"


def test_radiance_is_not_taken_for_unscaled_reflectance(tmp_path: Path) -> None:
    image = (make_image() / 400).astype("float32")
    found = findings(write_scene(tmp_path, image, reflectance_scale_factor=None))
    assert (found["scale"].severity, found["scale"].changes) == ("note", {})


def test_a_scale_that_leaves_reflectance_above_1_is_doubted(tmp_path: Path) -> None:
    found = findings(write_scene(tmp_path, reflectance_scale_factor=1000))
    assert "as the file states them" in found["scale"].message
    image = (make_image() * 6.5).astype("uint16")
    found = findings(write_scene(tmp_path, image, reflectance_scale_factor=None, data_ignore_value=None))
    assert "by the guessed scale" in found["scale"].message


def test_signed_numbers_read_without_their_sign_are_found(tmp_path: Path) -> None:
    path = write_scene(tmp_path, framed(-9999), data_type=12)
    (finding,) = findings(path).values()
    assert (finding.code, finding.changes) == ("data-type", {"data type": "2"})
    bright = (make_image().astype("uint16") * 12).clip(0, 65_535)
    assert "data-type" not in findings(write_scene(tmp_path, bright, data_ignore_value=None))


def test_lost_rows_between_rows_with_data_are_listed(tmp_path: Path) -> None:
    image = make_image()
    image[:, :2] = image[:, 10:12] = -9999
    found = findings(write_scene(tmp_path, image))
    assert "2 of 24 rows" in found["lost-rows"].message
    assert found["lost-rows"].message.endswith("11, 12")


def test_values_next_to_nothing_are_no_reflectance(tmp_path: Path) -> None:
    (scale,) = findings(write_scene(tmp_path, reflectance_scale_factor=1e9)).values()
    assert (scale.code, scale.severity) == ("scale", "warning")
    assert "reflectance is 0 to 1" in scale.message
