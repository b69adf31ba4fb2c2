"""``hsigeo info`` as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rasterio
from envi_files import make_encoded_cube, write_envi
from spectral_scenes import edit, make_image, write_scene

UTM = "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters, rotation=-23.5}"
SPECTRAL = {
    "map info": UTM,
    "wavelength": [0.46, 0.55, 0.64, 0.9],
    "wavelength units": "Micrometers",
    "fwhm": [0.01] * 4,
    "bbl": [1, 1, 1, 0],
    "data ignore value": -9999,
    "reflectance scale factor": 10000,
}


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_envi(tmp_path, "line", make_encoded_cube(4, 6, 5) % 9999, header_extra=SPECTRAL)


def test_info_says_what_a_scene_is(hsigeo: Run, scene: Path) -> None:
    result = hsigeo("info", scene)
    assert result.returncode == 0, result.stderr
    for fact in (
        "ENVI, bil, int16, little-endian",
        "6 lines x 5 samples x 4 bands",
        "460 to 900 nm, fwhm 10 nm",
        "1 of 4: 4",
        "stored value x 0.0001",
        "-9999 (as stored)",
        "WGS 84 / UTM zone 33N (EPSG:32633)",
        "5 x 5 metre, rotated by -23.5 degrees (counter-clockwise)",
        "x 500000, y 4200000",
    ):
        assert fact in result.stdout
    assert result.stdout.splitlines()[-1].split(None, 1) == ["verdict", "ready to classify"]


def test_json_says_the_same_for_programs(hsigeo: Run, scene: Path) -> None:
    document = json.loads(hsigeo("info", scene, "--json").stdout)
    assert document["bands"] == 4
    assert document["wavelength_nm"] == pytest.approx([460, 550, 640, 900])
    assert document["bad_bands"] == [4]
    assert document["gain"] == pytest.approx(1e-4)
    assert document["crs"] == {"name": "WGS 84 / UTM zone 33N", "epsg": 32633}
    assert document["rotation_degrees"] == pytest.approx(-23.5)
    assert document["ready"] is True
    assert document["repairs"] == []


def test_repairs_and_suggestions_are_listed(hsigeo: Run, tmp_path: Path) -> None:
    extra = SPECTRAL | {"wavelength units": "Unknown", "reflectance scale factor": None, "byte order": None}
    path = write_envi(tmp_path, "a", make_encoded_cube(4, 2, 2, "float32"), header_extra=extra)
    result = hsigeo("info", path)
    repaired = [line for line in result.stdout.splitlines() if line.startswith("repaired")]
    assert len(repaired) == 2
    assert any("byte order" in line for line in repaired)
    assert any("taken as um" in line for line in repaired)
    assert "look like reflectance times 10000 [scale]" in result.stdout
    assert "             to do: state 'reflectance scale factor = 10000'" in result.stdout


def test_quicklook_is_written_and_not_replaced_unasked(hsigeo: Run, scene: Path, tmp_path: Path) -> None:
    target = tmp_path / "look.png"
    assert hsigeo("info", scene, "--quicklook", target).returncode == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    refused = hsigeo("info", scene, "--quicklook", target)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--overwrite" in refused.stderr
    assert hsigeo("info", scene, "--quicklook", target, "--overwrite").returncode == 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["line.hdr", "line.img", "look.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "line.img").unlink(), "its data file is not there; tried line, and line + .img"),
        (lambda folder: (folder / "line.hdr").write_text("GRID\nsamples"), "is not an ENVI header"),
    ],
)
def test_bad_input_is_one_line_and_exit_1(hsigeo: Run, change: Any, message: str, scene: Path) -> None:
    change(scene.parent)
    result = hsigeo("info", scene)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("hsigeo: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_cannot_be_opened_is_explained_and_exit_1(hsigeo: Run, tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    content = (tmp_path / "scene.img").read_bytes()
    (tmp_path / "scene.img").write_bytes(content[:-100])
    result = hsigeo("info", path)
    assert result.returncode == 1
    assert "problem      scene.img has 34460 bytes and the header describes 34560" in result.stdout
    assert "to do: copy the file again; or, to use the first 23 of 24 lines, set lines = 23" in result.stdout
    assert result.stderr.startswith("hsigeo: ")
    assert result.stderr.count("\n") == 1
    document = json.loads(hsigeo("info", path, "--json").stdout)
    assert [finding["code"] for finding in document["findings"]] == ["size"]


def test_a_folder_is_listed_as_classify_would_take_it(hsigeo: Run, tmp_path: Path) -> None:
    write_envi(tmp_path, "a", make_encoded_cube(4, 6, 5) % 9999, header_extra=SPECTRAL)
    write_envi(tmp_path, "b", make_encoded_cube(4, 2, 2), header_extra=SPECTRAL | {"wavelength": None})
    write_envi(tmp_path, "a_obs", make_encoded_cube(4, 6, 5))
    (tmp_path / "notes.txt").write_text("not a scene")

    listed = hsigeo("info", tmp_path)

    assert listed.returncode == 0, listed.stderr
    lines = [line.split(None, 6) for line in listed.stdout.splitlines()]
    assert [line[:6] for line in lines] == [
        ["a.hdr", "6", "x", "5", "4", "bands"],
        ["b.hdr", "2", "x", "2", "4", "bands"],
    ]
    assert [line[6].startswith("ready") for line in lines] == [True, False]
    assert [entry["lines"] for entry in json.loads(hsigeo("info", ".", "--json").stdout)] == [6, 2]
    assert hsigeo("info", tmp_path, "--fix", "c.hdr").returncode == 2


def test_a_scene_of_a_folder_that_cannot_be_opened_gets_its_line_and_the_others_theirs(
    hsigeo: Run, scene: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.hdr").write_text("ENVI\nsamples = x\n")

    listed = hsigeo("info", scene.parent)

    assert listed.returncode == 1
    assert listed.stdout.splitlines()[0].startswith("bad.hdr   cannot be opened: ")
    assert listed.stdout.splitlines()[1].endswith("ready to classify")
    assert listed.stderr.startswith("hsigeo: 1 of 2 scenes cannot be opened")


def test_fix_writes_a_header_that_info_finds_nothing_wrong_with(hsigeo: Run, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path), byte_order=1, interleave="bsq")
    assert hsigeo("info", path).stdout.splitlines()[-1].startswith("verdict      not ready to classify: what is wrong")
    result = hsigeo("info", path, "--fix", "scene.img.hdr")
    assert result.returncode == 0, result.stderr
    assert "corrected: as stated (byte order = 1, interleave = bsq)" in result.stderr
    assert "wrote scene.img.hdr, which describes scene.img; the old header stays as it was" in result.stderr
    assert "GDAL" not in result.stderr
    fixed = hsigeo("info", "scene.img.hdr").stdout
    assert "problem" not in fixed
    assert "repaired     as stated (byte order = 1, interleave = bsq)" in fixed
    assert fixed.splitlines()[-1] == "verdict      ready to classify"
    refused = hsigeo("info", path, "--fix", "scene.img.hdr")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--overwrite" in refused.stderr
    result = hsigeo("info", path, "--fix", "mended.hdr", "--json")
    assert json.loads(result.stdout)["fixed"]["seen_by_other_programs"] is False
    nothing = hsigeo("info", "scene.img.hdr", "--fix", "again.hdr")
    assert "there is nothing that a header could correct; again.hdr was not written" in nothing.stderr
    assert not (tmp_path / "again.hdr").exists()


def test_what_no_header_can_correct_stays_an_error(hsigeo: Run, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path), lines=None, samples=None)
    result = hsigeo("info", path, "--fix", "scene.img.hdr")
    assert result.returncode == 1
    assert "the header does not say lines and samples" in result.stdout
    assert "scene.img.hdr was not written" in result.stderr
    assert not (tmp_path / "scene.img.hdr").exists()


def test_keep_without_fix_is_wrong_usage(hsigeo: Run, scene: Path) -> None:
    assert hsigeo("info", scene, "--keep", "scale").returncode == 2


def test_info_loads_neither_xarray_nor_dask_nor_torch(scene: Path) -> None:
    code = (
        "import sys; sys.argv = ['hsigeo', 'info', sys.argv[1]]\n"
        "import hsigeo.cli\n"
        "try: hsigeo.cli.main()\n"
        "except SystemExit: print(sorted({'xarray', 'dask', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(scene)], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_wrong_usage_is_exit_2(hsigeo: Run) -> None:
    assert hsigeo("info").returncode == 2
    assert hsigeo("info", "a.hdr", "--no-such-option").returncode == 2


def test_info_says_which_reader_and_why(hsigeo: Run, scene: Path) -> None:
    assert "reader       envi, because its name ends in .hdr" in hsigeo("info", scene).stdout
    assert "reader       envi, because it was asked for by name" in hsigeo("info", scene, "--reader", "envi").stdout
    assert json.loads(hsigeo("info", scene, "--json").stdout)["reader"] == "envi"
    refused = hsigeo("info", scene, "--reader", "envy")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "there is no reader 'envy'" in refused.stderr


def test_classify_doubts_a_scene_with_errors_and_the_map_says_so(
    hsigeo: Run, sample_scenes: Path, tmp_path: Path
) -> None:
    few = 10
    header = (sample_scenes / "line_1.hdr").read_text(encoding="utf-8")
    header = re.sub(r"lines\s*= \d+", f"lines = {few}", header.replace("byte order = 0", "byte order = 1"))
    (tmp_path / "line.hdr").write_text(header, encoding="utf-8")
    (tmp_path / "line.img").write_bytes((sample_scenes / "line_1.img").read_bytes()[: few * 112 * 100 * 2])
    model = sample_scenes / "line_1.safetensors"
    result = hsigeo("classify", "line.hdr", "--model", model, "-o", "map.tif")
    assert result.returncode == 0, result.stderr
    assert "line.hdr: doubtful: as stated (byte order = 1), neighbours correlate at" in result.stderr
    hsigeo("info", "line.hdr", "--fix", "line.img.hdr")
    hsigeo("classify", "line.img.hdr", "--model", model, "-o", "fixed.tif")
    for name, begins in (("map.tif", "doubtful: as stated"), ("fixed.tif", "as stated (byte order = 1)")):
        with rasterio.open(tmp_path / name) as dataset:
            (repair,) = json.loads(dataset.tags()["HSIGEO"])["metadata"]["repairs"]
        assert repair.startswith(begins)


def test_a_scene_with_problems_is_not_simply_ready(hsigeo: Run, tmp_path: Path) -> None:
    image = make_image().astype("float32")
    unscaled = hsigeo("info", write_scene(tmp_path, image, reflectance_scale_factor=None))
    assert "verdict      ready to classify, but check the problems above first (scale)" in unscaled.stdout
    image *= 1e30
    absurd = hsigeo("info", write_scene(tmp_path, image, reflectance_scale_factor=1))
    assert "verdict      not ready to classify: what is wrong (implausible) must be corrected" in absurd.stdout
