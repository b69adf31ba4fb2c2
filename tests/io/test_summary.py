from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from envi_files import header_text, make_encoded_cube, write_envi
from spectral_scenes import edit, write_scene

from hsigeo.io import open_cube
from hsigeo.io.band_text import describe_bands
from hsigeo.io.summary import describe_scene

SPECTRAL = {
    "map info": "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters}",
    "wavelength": [460, 550, 640, 900],
    "wavelength units": "nm",
    "data ignore value": -9999,
    "reflectance scale factor": 10000,
}

VERDICTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "complete": (make_encoded_cube(4, 2, 2), SPECTRAL, "ready to classify"),
    "no georeference": (
        make_encoded_cube(4, 2, 2),
        SPECTRAL | {"map info": None},
        "ready to classify, but the map will have no georeference",
    ),
    "no crs": (
        make_encoded_cube(4, 2, 2),
        SPECTRAL | {"map info": "{Arbitrary, 1, 1, 0, 0, 1, 1}"},
        "ready to classify, but the map will have no CRS",
    ),
    "no wavelengths": (make_encoded_cube(4, 2, 2), {}, "not ready to classify: without wavelengths"),
    "one band": (make_encoded_cube(1, 2, 2), {}, "not ready to classify: a single band"),
    "class map": (
        np.zeros((1, 2, 2), dtype="uint8"),
        {"file type": "ENVI Classification", "class names": "{none, Bäume}", "class lookup": [0, 0, 0, 1, 2, 3]},
        "not ready to classify: a class map",
    ),
    "no data": (np.full((4, 2, 2), -9999, dtype="int16"), SPECTRAL, "not ready to classify: no pixel"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict_says_what_is_missing(case: str, tmp_path: Path) -> None:
    array, extra, verdict = VERDICTS[case]
    document = describe_scene(open_cube(write_envi(tmp_path, "a", array, header_extra=extra)))
    assert document["verdict"].startswith(verdict)
    assert document["ready"] == verdict.startswith("ready")
    json.dumps(document, allow_nan=False)


def test_classes_are_listed_with_their_colours(tmp_path: Path) -> None:
    array, extra, _ = VERDICTS["class map"]
    document = describe_scene(open_cube(write_envi(tmp_path, "a", array, header_extra=extra)))
    assert document["classes"][1] == {"value": 1, "name": "Bäume", "color": [1, 2, 3]}


def test_findings_are_listed_and_errors_keep_a_scene_from_being_ready(tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path), byte_order=1)
    document = describe_scene(open_cube(path))
    (finding,) = document["findings"]
    assert finding["code"] == "byte-order"
    assert finding["changes"] == {"byte order": "0"}
    assert document["verdict"].startswith("not ready to classify: what is wrong (byte-order) must be corrected first")


def test_json_has_no_nan(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", np.ones((4, 2, 2), dtype="float32"), header_extra={"data ignore value": "nan"})
    document = describe_scene(open_cube(path))
    assert document["nodata"] == "nan"
    json.dumps(document, allow_nan=False)


def test_huge_scenes_are_described_from_a_few_rows(tmp_path: Path) -> None:
    with (tmp_path / "big.img").open("wb") as file:
        file.truncate(20_000_000_000)
    fields = {"samples": 1000, "lines": 50_000, "bands": 200, "data type": 2, "interleave": "bip", "byte order": 0}
    (tmp_path / "big.hdr").write_text(header_text(fields))
    assert describe_scene(open_cube(tmp_path / "big.hdr"))["values_sampled"]["pixels"] == 5 * 4 * 524


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], "4"), ([1, 2], "1-2"), ([1, 2, 3, 7, 9, 10], "1-3, 7, 9-10")]
)
def test_runs_of_bands_are_joined(numbers: list[int], text: str) -> None:
    assert describe_bands(numbers) == text
