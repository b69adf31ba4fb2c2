"""`hsigeo train --plots` and `hsigeo classify --unknown`, from files to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from labelled_spectra import make_model

from hsigeo.io.class_raster import open_map
from hsigeo.model import write_model


def test_from_labels_to_figures_and_a_map_that_leaves_out_what_is_unknown(
    hsigeo, sample_scenes: Path, tmp_path: Path
) -> None:
    scene, labels = sample_scenes / "line_1.hdr", sample_scenes / "training.gpkg"

    trained = hsigeo("train", scene, "--labels", labels, "-o", "m.safetensors", "--plots", "figures")
    mapped = hsigeo(
        "classify", scene, "--model", "m.safetensors", "-o", "map.tif", "--unknown", "0.1", "--distance", "far.tif"
    )

    assert trained.returncode == 0, trained.stderr
    assert "95 % interval" in trained.stderr
    assert "probabilities are off by" in trained.stderr
    names = {"held_out_confusion.png", "reliability.png", "learning_curve.png", "spectra.png"}
    assert {path.name for path in (tmp_path / "figures").iterdir()} == names
    assert mapped.returncode == 0, mapped.stderr
    found = open_map(tmp_path / "map.tif").metadata["unknown"]
    assert f"{found['pixels']} pixels are unlike the training data" in mapped.stderr
    with rasterio.open(tmp_path / "far.tif") as far, rasterio.open(tmp_path / "map.tif") as classes:
        beyond = far.read(1) > found["threshold"]
        assert beyond.sum() == found["pixels"]
        assert (classes.read(1)[beyond] == 0).all()
        assert (classes.read(1)[~beyond & np.isfinite(far.read(1))] > 0).all()


def test_without_validation_there_are_spectra_and_no_rate(hsigeo, sample_scenes: Path, tmp_path: Path) -> None:
    scene, labels = sample_scenes / "line_1.hdr", sample_scenes / "training.gpkg"

    trained = hsigeo("train", scene, "--labels", labels, "-o", "m.safetensors", "--plots", "figures", "--no-validation")
    mapped = hsigeo("classify", scene, "--model", "m.safetensors", "-o", "map.tif", "--unknown", "0.1")

    assert trained.returncode == 0, trained.stderr
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["spectra.png"]
    assert mapped.returncode == 1
    assert "nothing was held out in training (--no-validation)" in mapped.stderr
    assert mapped.stderr.strip().count("\n") == 0
    assert not (tmp_path / "map.tif").exists()


def test_a_model_without_distances_is_refused_in_one_line(hsigeo, sample_scenes: Path, tmp_path: Path) -> None:
    write_model(make_model(), tmp_path / "old.safetensors")

    done = hsigeo(
        "classify", sample_scenes / "line_1.hdr", "--model", "old.safetensors", "-o", "map.tif", "--unknown", "0.1"
    )

    assert done.returncode == 1
    assert "old.safetensors: the model cannot measure the distance" in done.stderr


@pytest.mark.parametrize("options", [("--distance", "d.tif"), ("--unknown", "0"), ("--unknown", "1")])
def test_options_that_make_no_sense_are_wrong_usage(hsigeo, sample_scenes: Path, options: tuple[str, ...]) -> None:
    done = hsigeo("classify", sample_scenes / "line_1.hdr", "-o", "map.tif", *options)

    assert done.returncode == 2


def test_existing_figures_are_refused_before_training(hsigeo, sample_scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "spectra.png").write_text("mine")

    done = hsigeo(
        "train",
        sample_scenes / "line_1.hdr",
        "--labels",
        sample_scenes / "training.gpkg",
        "-o",
        "m.safetensors",
        "--plots",
        "figures",
    )

    assert done.returncode == 1
    assert "spectra.png exists" in done.stderr
    assert (tmp_path / "figures" / "spectra.png").read_text() == "mine"
    assert not (tmp_path / "m.safetensors").exists()


def test_a_file_in_the_way_of_the_folder_is_named_before_training(hsigeo, sample_scenes: Path, tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("mine")
    labels = sample_scenes / "training.gpkg"

    done = hsigeo(
        "train", sample_scenes / "line_1.hdr", "--labels", labels, "-o", "m.safetensors", "--plots", "figures/sub"
    )

    assert done.returncode == 1
    assert "figures is a file" in done.stderr
