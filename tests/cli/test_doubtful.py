"""Scenes in another unit than the model's: said first and last, refused where that was asked for."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

DOUBT = "98 % of its values lie below 60.8"


@pytest.fixture
def percent(sample_scenes: Path, tmp_path: Path) -> Path:
    """A folder with a scene in percent, whose model has learnt from 0 to 1, and one that is as it should be."""
    folder = tmp_path / "lines"
    folder.mkdir()
    for name, scale in (("good", 10_000), ("percent", 100)):
        header = (sample_scenes / "line_1.hdr").read_text(encoding="utf-8")
        header = header.replace("reflectance scale factor = 10000", f"reflectance scale factor = {scale}")
        (folder / f"{name}.hdr").write_text(header, encoding="utf-8")
        shutil.copy(sample_scenes / "line_1.img", folder / f"{name}.img")
    shutil.copy(sample_scenes / "line_1.safetensors", tmp_path / "model.safetensors")
    return folder


def test_a_doubtful_scene_is_classified_and_the_last_word_is_of_the_doubt(hsigeo, percent):
    done = hsigeo("classify", "lines/percent.hdr", "--model", "model.safetensors", "-o", "map.tif")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"lines/percent.hdr: doubtful: {DOUBT}")
    assert lines[-1].startswith(f"caution: map.tif has doubtful values: {DOUBT}")


def test_strict_refuses_a_doubtful_scene_before_any_work(hsigeo, percent, tmp_path):
    done = hsigeo("classify", "lines/percent.hdr", "--model", "model.safetensors", "-o", "map.tif", "--strict")
    assert done.returncode == 1
    assert done.stderr.startswith(f"hsigeo: lines/percent.hdr is doubtful: {DOUBT}")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*map.tif*"))


def test_strict_makes_the_same_map_of_a_scene_that_nobody_doubts(hsigeo, percent, tmp_path):
    for strict in ((), ("--strict",)):
        name = f"map{len(strict)}.tif"
        assert hsigeo("classify", "lines/good.hdr", "--model", "model.safetensors", "-o", name, *strict).returncode == 0
    assert (tmp_path / "map0.tif").read_bytes() == (tmp_path / "map1.tif").read_bytes()


def test_a_campaign_names_its_doubtful_maps_last_and_strict_makes_none_of_them(hsigeo, percent, tmp_path):
    command = ("classify", "lines", "--model", "model.safetensors", "--output-dir", "maps")
    table = tmp_path / "maps" / "summary.csv"

    strict = hsigeo(*command, "--strict")
    assert strict.returncode == 1
    assert strict.stderr.splitlines()[-1].endswith("1 of 2 scenes failed: lines/percent.hdr")
    assert not (tmp_path / "maps" / "percent_map.tif").exists()

    assert "caution: lines differ in their scale of reflectance" in strict.stderr
    last = "caution: doubtful values in 1 of 2 scenes; see the log of each: percent"
    for _ in range(2):  # made now, and found already made
        done = hsigeo(*command)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1] == last
    assert DOUBT in (tmp_path / "maps" / "percent_map.log").read_text(encoding="utf-8")
    before = (tmp_path / "maps" / "percent_map.tif").read_bytes()

    assert hsigeo(*command, "--strict").returncode == 1
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    assert [row["status"] for row in rows] == ["done", "failed"]
    assert (tmp_path / "maps" / "percent_map.tif").read_bytes() == before

    assert hsigeo(*command).stderr.splitlines()[-1] == last
    entry = json.loads((tmp_path / "maps" / "manifest.json").read_text(encoding="utf-8"))["lines"]["percent"]
    assert (entry["status"], entry["pixels"]) == ("done", 18_400)


def test_a_dry_run_says_the_doubts_and_what_strict_would_refuse(hsigeo, percent):
    command = ("classify", "lines", "--model", "model.safetensors", "--output-dir", "maps", "--dry-run")
    assert f"lines/percent.hdr: doubtful: {DOUBT}" in hsigeo(*command).stderr
    strict = hsigeo(*command, "--strict")
    assert strict.returncode == 1
    assert "percent: would fail: lines/percent.hdr is doubtful" in strict.stderr


def test_train_leaves_out_a_margin_that_is_filled_and_doubts_a_header_that_does_not_fit(
    hsigeo, sample_scenes, tmp_path
):
    header = (sample_scenes / "line_1.hdr").read_text(encoding="utf-8")
    shutil.copy(sample_scenes / "line_1.img", tmp_path / "line.img")
    command = ("train", "line.hdr", "--labels", sample_scenes / "training.gpkg", "--no-validation")

    undeclared = header.replace("data ignore value = -9999\n", "")
    (tmp_path / "line.hdr").write_text(undeclared, encoding="utf-8")
    done = hsigeo(*command, "-o", "undeclared.safetensors")
    assert done.returncode == 0, done.stderr
    assert "586 labelled pixels; not used: " in done.stderr
    assert "32 pixels on an undeclared fill value" in done.stderr
    assert "line.hdr: 32 labelled pixels hold -0.9999 in every band and are left out" in done.stderr

    (tmp_path / "line.hdr").write_text(header, encoding="utf-8")
    assert hsigeo(*command, "-o", "declared.safetensors").returncode == 0
    weights = [load_file(tmp_path / f"{name}.safetensors") for name in ("declared", "undeclared")]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])

    (tmp_path / "line.hdr").write_text(header.replace("byte order = 0", "byte order = 1"), encoding="utf-8")
    assert "line.hdr: doubtful: as stated (byte order = 1)" in hsigeo(*command, "-o", "swapped.safetensors").stderr
