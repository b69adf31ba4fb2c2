"""``hsigeo explain``, as a user runs it."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest


@pytest.fixture
def folder(tmp_path, sample_scenes, hsigeo):
    """A scene, its model, and its map."""
    for name in ("line_1.hdr", "line_1.img", "line_1.safetensors", "training.gpkg"):
        shutil.copy(sample_scenes / name, tmp_path)
    assert hsigeo("classify", "line_1.hdr", "-o", "map.tif").returncode == 0
    return tmp_path


def test_models_pixels_and_polygons_are_explained(folder, hsigeo):
    done = hsigeo(
        "explain", "line_1.safetensors", "--plot", "c.png", "--csv", "c.csv", "--json", "c.json"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Wald (Laubbäume)" in done.stdout
    assert "nm" in done.stdout
    assert (folder / "c.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads((folder / "c.json").read_text(encoding="utf-8"))
    with (folder / "c.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(document["wavelength_nm"])
    assert "evidence Water" in rows[0]

    done = hsigeo("explain", "map.tif", "--pixel", "60", "50", "--plot", "p.svg", "--json", "p.json")
    assert done.returncode == 0, done.stderr
    for said in ("runner-up", "margin", "near it:", "line_1.hdr, row 60, column 50"):
        assert said in done.stdout
    assert "<svg" in (folder / "p.svg").read_text(encoding="utf-8")

    done = hsigeo("explain", "map.tif", "--polygon", "training.gpkg")
    assert done.returncode == 0, done.stderr
    assert "training.gpkg: " in done.stdout

    done = hsigeo("explain", "map.tif", "--pixel", "1", "1", "--at", "1", "1")
    assert done.returncode == 2

    done = hsigeo("explain", "line_1.safetensors", "--pixel", "1", "1")
    assert done.returncode == 1
    assert "--scene" in done.stderr

    done = hsigeo("explain", "line_1.safetensors", "--json", "c.json")
    assert done.returncode == 1
    assert "exists" in done.stderr

    done = hsigeo("explain", "line_1.safetensors", "--json", "line_1.safetensors", "--overwrite")
    assert done.returncode == 1
    assert "input of this command" in done.stderr


@pytest.mark.parametrize("place", [("--pixel", "0", "0"), ("--pixel", "9999", "0"), ("--at", "1", "1")])
def test_a_place_that_cannot_be_explained_is_refused_before_anything_is_written(folder, hsigeo, place):
    image = np.fromfile(folder / "line_1.img", dtype="<i2").reshape(184, 112, 100)
    image[0, :, 0] = -9999
    image.tofile(folder / "line_1.img")
    before = sorted(path.name for path in folder.iterdir())

    done = hsigeo("explain", "map.tif", *place, "--layer", "layer.tif", "--json", "p.json")

    assert done.returncode == 1
    assert "has no data" in done.stderr or "outside the scene" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_model_of_an_older_version_says_that_it_must_be_trained_again(hsigeo, sample_scenes, tmp_path):
    from labelled_spectra import make_model

    from hsigeo.model import write_model

    write_model(make_model(), tmp_path / "old.safetensors")
    done = hsigeo("explain", "old.safetensors")
    assert done.returncode == 1
    assert "train it again" in done.stderr
