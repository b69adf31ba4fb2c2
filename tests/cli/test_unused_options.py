"""An option that does nothing is said to do nothing, and the command works as before."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def class_map(hsigeo, sample_scenes, tmp_path):
    for name in ("line_1.hdr", "line_1.img", "line_1.safetensors"):
        shutil.copy(sample_scenes / name, tmp_path / name)
    done = hsigeo("classify", "line_1.hdr", "-o", "map.tif", "--max-distance", "3", "--retry-failed")
    assert done.returncode == 0, done.stderr
    return done


def test_options_without_what_they_are_about_are_noted(hsigeo, sample_scenes, class_map):
    assert "note: --retry-failed does nothing with -o, which always tries again\n" in class_map.stderr
    assert "note: --max-distance does nothing here: " in class_map.stderr

    refined = hsigeo("refine", "map.tif", "-o", "smooth.tif", "--majority", "3", "--neighbours", "8")
    assert refined.returncode == 0
    assert "note: --neighbours does nothing without --sieve PIXELS\n" in refined.stderr
    sieved = hsigeo("refine", "map.tif", "-o", "sieved.tif", "--sieve", "3", "--neighbours", "8")
    assert "note" not in sieved.stderr

    labels = ("--labels", sample_scenes / "validation.gpkg", "--no-areas")
    assert "--plot-format does nothing" not in hsigeo("evaluate", "map.tif", *labels).stderr
    drawn = hsigeo("evaluate", "map.tif", *labels, "--plot-format", "svg")
    assert drawn.returncode == 0
    assert "note: --plot-format does nothing without --plots DIR\n" in drawn.stderr

    mosaic = hsigeo("mosaic", "map.tif", "-o", "mosaic.tif", "--rule", "order", "--observations", "obs")
    assert mosaic.returncode == 0, mosaic.stderr
    assert "note: --observations does nothing with --rule order\n" in mosaic.stderr
    explained = hsigeo("explain", "line_1.safetensors", "--labels-crs", "EPSG:4326")
    assert explained.returncode == 0, explained.stderr
    assert "note: --labels-crs does nothing without --polygon FILE\n" in explained.stderr
