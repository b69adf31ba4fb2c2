from __future__ import annotations

import json

import numpy as np
import pytest
from campaigns import make_ids, make_line_grid, make_probabilities_of, read, write_line

GRID = make_line_grid(40, 30)
IDS = make_ids(GRID)


@pytest.fixture
def class_map(tmp_path):
    write_line(tmp_path / "line_map.tif", GRID, IDS, confidence=make_probabilities_of(IDS).max(axis=0))
    return "line_map.tif"


def test_a_map_is_cleaned(hsigeo, class_map, tmp_path):
    done = hsigeo("refine", class_map, "-o", "clean.tif", "--majority", 3, "--sieve", 10, "--neighbours", 8)

    assert done.returncode == 0, done.stderr
    assert "4 classes" in done.stderr
    assert not np.array_equal(read(tmp_path / "clean.tif"), IDS)


def test_classes_are_merged_from_a_table(hsigeo, class_map, tmp_path):
    (tmp_path / "t.csv").write_text("class,name\n水,Wasser <süß>\n", encoding="utf-8")

    done = hsigeo("refine", class_map, "-o", "merged.tif", "--classes", "t.csv", "--threshold", 0.4)

    assert done.returncode == 0, done.stderr
    assert "3 classes" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "nothing to do"),
        (("--majority", 4), 2, "odd width"),
        (("--clump", 4), 2, "odd width"),
        (("--confidence", "line_confidence.tif"), 2, "--threshold"),
        (("--scene", "scene.hdr"), 2, "--smooth"),
        (("--clump-class", "水"), 2, "--clump"),
        (("--threshold", "much"), 2, "is not a threshold"),
        (("--threshold", "Birke=0.5"), 1, "no class 'Birke'"),
        (("--clump", 3, "--clump-class", "Birke"), 1, "no class 'Birke'"),
        (("--smooth", 2), 1, "no probabilities beside"),
        (("--classes", "missing.csv"), 1, "missing.csv cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(hsigeo, class_map, tmp_path, options, code, message):
    done = hsigeo("refine", class_map, "-o", "new.tif", *options)

    assert done.returncode == code
    assert message in done.stderr
    assert not (tmp_path / "new.tif").exists()


def test_polygons_and_statistics_of_a_map(hsigeo, class_map, tmp_path):
    polygons = hsigeo("vectorise", class_map, "-o", "map.gpkg")
    table = hsigeo("statistics", class_map)
    values = hsigeo("statistics", class_map, "--json")

    assert polygons.returncode == 0, polygons.stderr
    assert (tmp_path / "map.gpkg").is_file()
    assert "Wasser <süß>" in table.stdout
    first = json.loads(values.stdout)["classes"][0]
    assert first["pixels"] == (IDS == 1).sum()
    assert first["area_ha"] == pytest.approx(first["pixels"] * 16 / 10_000)


def test_the_spectra_of_the_classes_are_measured_and_drawn(hsigeo, sample_scenes, tmp_path):
    scene = sample_scenes / "line_1.hdr"
    assert hsigeo("classify", scene, "-o", "map.tif").returncode == 0

    done = hsigeo("statistics", "map.tif", "--json", "--scene", scene, "--spectra", "s.csv", "--plots", "figures")

    assert done.returncode == 0, done.stderr
    spectra = json.loads(done.stdout)["spectra"]
    water = next(row for row in spectra["classes"] if row["name"] == "Water")
    near_infrared = np.argmin(np.abs(np.array(spectra["wavelength_nm"]) - 860))
    assert water["mean"][near_infrared] < 0.1
    assert (tmp_path / "s.csv").is_file()
    assert (tmp_path / "figures" / "class_spectra.png").is_file()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--spectra", "s.csv"), 2, "--scene SCENE"),
        (("--scene", "scene.hdr"), 2, "--scene does nothing alone"),
        (("--scene", "line_map.tif", "--spectra", "line_map.tif", "--overwrite"), 1, "is an input"),
    ],
)
def test_what_statistics_cannot_do_is_said(hsigeo, class_map, options, code, message):
    done = hsigeo("statistics", class_map, *options)

    assert done.returncode == code
    assert message in done.stderr
