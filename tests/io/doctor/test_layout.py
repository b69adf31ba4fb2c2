"""Headers that do not describe their data: each fault is made on purpose, and must be named and put right."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from envi_files import header_text
from spectral_scenes import BANDS, LINES, SAMPLES, WAVELENGTH, edit, make_image, write_scene

from hsigeo.io.doctor.layout import check_layout
from hsigeo.io.envi.header import read_header


def findings(header_path: Path, data: str = "scene.img") -> Any:
    return check_layout(read_header(header_path), header_path.with_name(data))


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("byte_order", [0, 1])
def test_nothing_is_said_about_a_sound_file(interleave: str, byte_order: Any, tmp_path: Path) -> None:
    for dtype, factor in (("int16", 1), ("float32", 1e-4), ("float64", 1e-4), ("int32", 1)):
        image = (make_image() * factor).astype(dtype)
        assert findings(write_scene(tmp_path, image, interleave=interleave, byte_order=byte_order)) == []


@pytest.mark.parametrize("dtype", ["int16", "float32", "int32", "float64"])
def test_a_wrong_byte_order_is_seen_by_what_the_numbers_look_like(dtype: str, tmp_path: Path) -> None:
    scale = 1e-4 if dtype.startswith("float") else 1
    path = edit(write_scene(tmp_path, (make_image() * scale).astype(dtype), byte_order=1), byte_order=0)
    (finding,) = findings(path)
    assert (finding.code, finding.severity, finding.changes) == ("byte-order", "error", {"byte order": "1"})
    assert "as stated (byte order = 0)" in finding.message
    assert "neighbours correlate at 0." in finding.message


@pytest.mark.parametrize("true", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("stated", ["bsq", "bil", "bip"])
def test_a_wrong_interleave_is_seen_by_what_neighbours_look_like(true: str, stated: str, tmp_path: Path) -> None:
    found = findings(edit(write_scene(tmp_path, interleave=true), interleave=stated))
    assert [finding.changes for finding in found] == ([] if true == stated else [{"interleave": true}])


def test_floats_read_as_integers_are_seen(tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, (make_image() / 10_000).astype("float32")), data_type=3)
    (finding,) = findings(path)
    assert finding.changes == {"data type": "4"}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"data_type": 4}, {"data type": "2"}),
        ({"data_type": None}, {"data type": "2"}),
        ({"data_type": 99}, {"data type": "2"}),
        ({"interleave": "sideways"}, {"interleave": "bil"}),
        ({"lines": LINES - 1}, {"lines": str(LINES)}),
        ({"lines": None}, {"lines": str(LINES)}),
        ({"samples": SAMPLES + 1}, {"samples": str(SAMPLES)}),
        ({"bands": BANDS - 1}, {"bands": str(BANDS)}),
        ({"bands": None}, {"bands": str(BANDS)}),
        ({"header_offset": 128}, {"header offset": "0"}),
    ],
)
def test_the_one_field_that_does_not_fit_the_length_is_found(wrong: Any, right: Any, tmp_path: Path) -> None:
    (finding,) = findings(edit(write_scene(tmp_path), **wrong))
    assert (finding.severity, finding.changes) == ("error", right)


def test_bytes_before_the_data_are_told_from_bytes_after_it(tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, offset=700), header_offset=0)
    (finding,) = findings(path)
    assert "700 bytes" in finding.message
    assert finding.changes == {"header offset": "700"}
    path = write_scene(tmp_path)
    with (tmp_path / "scene.img").open("ab") as file:
        file.write(b"\xab" * 700)
    (finding,) = findings(path)
    assert finding.changes == {"hsigeo trailing bytes": "700"}


@pytest.mark.parametrize(
    ("interleave", "cut", "left"), [("bil", "lines", 15), ("bip", "lines", 15), ("bsq", "bands", 30)]
)
def test_a_short_file_keeps_what_is_whole(interleave: str, cut: str, left: int, tmp_path: Path) -> None:
    path = write_scene(tmp_path, interleave=interleave)
    content = (tmp_path / "scene.img").read_bytes()
    unit = len(content) // {"lines": LINES, "bands": BANDS}[cut]
    (tmp_path / "scene.img").write_bytes(content[: left * unit + 5])
    (finding,) = findings(path)
    assert f"copy the file again; or, to use the first {left} of" in finding.remedy
    assert finding.changes[cut] == str(left)
    assert finding.changes["hsigeo trailing bytes"] == "5"
    if cut == "bands":
        assert finding.changes["wavelength"].count(",") == left - 1
        assert str(WAVELENGTH[left - 1]) in finding.changes["wavelength"]


def test_a_file_that_fits_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    (tmp_path / "scene.img").write_bytes(np.random.default_rng(0).bytes(2 * BANDS * LINES * SAMPLES + 2 * BANDS))
    (finding,) = findings(path)
    assert finding.changes == {}
    assert "too long" in finding.message


def test_an_undeclared_gzip_file_is_recognised(tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    (tmp_path / "scene.img").write_bytes(gzip.compress((tmp_path / "scene.img").read_bytes()))
    (finding,) = findings(path)
    assert (finding.code, finding.changes) == ("compression", {"file compression": "1"})


def test_a_file_that_is_not_compressed_after_all_is_recognised(tmp_path: Path) -> None:
    (finding,) = findings(edit(write_scene(tmp_path), file_compression=1))
    assert (finding.code, finding.changes) == ("compression", {"file compression": None})
    (tmp_path / "scene.img").write_bytes(gzip.compress((tmp_path / "scene.img").read_bytes()))
    assert findings(tmp_path / "scene.hdr") == []


def test_two_missing_sizes_are_too_many(tmp_path: Path) -> None:
    (finding,) = findings(edit(write_scene(tmp_path), lines=None, samples=None))
    assert (finding.message, finding.changes) == ("the header does not say lines and samples", {})


def test_a_huge_file_is_judged_by_a_little_of_it(tmp_path: Path) -> None:
    with (tmp_path / "big.img").open("wb") as file:
        file.truncate(100_000_000_000)
    for interleave in ("bsq", "bil", "bip"):
        fields = {"samples": 1000, "lines": 125_000, "bands": 200, "data type": 4, "byte order": 0}
        (tmp_path / "big.hdr").write_text(header_text(fields | {"interleave": interleave}))
        assert findings(tmp_path / "big.hdr", "big.img") == []
