from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from test_evaluation import write_class_map, write_points

from hsigeo.cli import main
from hsigeo.fingerprint import fingerprint


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a map and labels."""
    monkeypatch.chdir(tmp_path)
    write_class_map(tmp_path / "map.tif", np.array([[1, 2, 3, 0]], dtype="uint8"))
    write_points(tmp_path / "labels.gpkg", [(0, 0), (0, 1), (0, 2), (0, 3)], ["roof", "tree", "roof", "water"])
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["hsigeo", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        main()
    return int(exit_info.value.code or 0)


def test_the_installed_command_prints_figures_and_writes_them_as_json(hsigeo, folder):
    done = hsigeo("evaluate", "map.tif", "--labels", "labels.gpkg", "--json", "accuracy.json")

    assert done.returncode == 0, done.stderr
    assert "3 reference pixels; the map classifies 75.0 % of those there are" in done.stdout
    assert "overall accuracy    66.7 %" in done.stdout
    assert "rows are the reference, columns the map" in done.stdout
    assert "note: 1 labelled pixels are nodata or unclassified in the map" in done.stderr
    document = json.loads((folder / "accuracy.json").read_text())
    assert document["confusion_matrix"]["rows"] == "reference"
    assert document["confusion_matrix"]["pixels"] == [[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    assert document["map"] == "map.tif"


def test_the_table_lines_up(folder, monkeypatch, capsys):
    assert run(monkeypatch, "evaluate", "map.tif", "--labels", "labels.gpkg") == 0

    lines = capsys.readouterr().out.splitlines()
    matrix = lines[lines.index(next(line for line in lines if line.startswith("confusion matrix"))) + 1 :]
    matrix = matrix[: matrix.index("")]
    assert len({len(line) for line in matrix}) == 1
    assert matrix[0].split() == ["1", "2", "3", "none"]
    assert matrix[1].split() == ["1", "roof", "1", "0", "1", "0"]


@pytest.mark.parametrize("target", ["map.tif", "labels.gpkg"])
def test_the_figures_never_replace_what_they_are_about(folder, monkeypatch, capsys, target):
    before = (folder / target).read_bytes()
    arguments = ("evaluate", "map.tif", "--labels", "labels.gpkg", "--json", target, "--overwrite")

    assert run(monkeypatch, *arguments) == 1
    assert f"{target} is an input of this command" in capsys.readouterr().err
    assert (folder / target).read_bytes() == before


def test_an_existing_json_file_is_refused_without_overwrite(folder, monkeypatch, capsys):
    (folder / "a.json").write_text("precious")
    arguments = ("evaluate", "map.tif", "--labels", "labels.gpkg", "--json", "a.json")

    assert run(monkeypatch, *arguments) == 1
    assert "a.json exists; choose another name or allow overwriting (--overwrite)" in capsys.readouterr().err
    assert (folder / "a.json").read_text() == "precious"
    assert run(monkeypatch, *arguments, "--overwrite") == 0
    assert json.loads((folder / "a.json").read_text())["pixels"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["map.tif", "--labels", "nowhere.gpkg"], "hsigeo: nowhere.gpkg does not exist"),
        (["nowhere.tif", "--labels", "labels.gpkg"], "hsigeo: nowhere.tif does not exist; give a class map"),
        (["map.tif", "--labels", "labels.gpkg", "--field", "crop"], "no column 'crop'; columns: class (text)"),
        (["map.tif", "--labels", "map.qml"], "hsigeo: map.qml"),
        (["map.tif", "--labels", "labels.gpkg", "--json", "no/folder.json"], "does not exist; make it first"),
    ],
)
def test_bad_input_gives_one_line_and_leaves_nothing(folder, monkeypatch, capsys, arguments, message):
    before = sorted(path.name for path in folder.iterdir())

    assert run(monkeypatch, "evaluate", *arguments) == 1

    output = capsys.readouterr()
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert sorted(path.name for path in folder.iterdir()) == before


def test_figures_on_training_labels_begin_with_a_caution(folder, monkeypatch, capsys):
    metadata = {"provenance": {"labels": [{"fingerprint": fingerprint(folder / "labels.gpkg")}]}}
    write_class_map(folder / "known.tif", np.array([[1, 2, 3, 0]], dtype="uint8"), metadata=metadata)

    assert run(monkeypatch, "evaluate", "known.tif", "--labels", "labels.gpkg") == 0

    assert capsys.readouterr().out.startswith("CAUTION: the map's model was trained on these labels.")


def test_labels_must_be_given(monkeypatch, capsys):
    assert run(monkeypatch, "evaluate", "map.tif") == 2
    assert "Missing option '--labels'" in capsys.readouterr().err


def test_more_classes_than_a_terminal_is_wide_leave_the_matrix_to_the_json_file(tmp_path, monkeypatch, capsys):
    names = tuple(f"class {number}" for number in range(1, 31))
    write_class_map(tmp_path / "map.tif", np.ones((2, 2), dtype="uint8"), names=names)
    write_points(tmp_path / "l.gpkg", [(0, 0)], ["class 1"])

    assert run(monkeypatch, "evaluate", str(tmp_path / "map.tif"), "--labels", str(tmp_path / "l.gpkg")) == 0
    assert "30 classes are too many for a terminal; write it with --json FILE" in capsys.readouterr().out


def test_figures_are_written_into_a_folder_that_is_made(hsigeo, folder):
    done = hsigeo("evaluate", "map.tif", "--labels", "labels.gpkg", "--plots", "out/figures", "--plot-format", "svg")

    assert done.returncode == 0, done.stderr
    assert (folder / "out/figures/confusion.svg").read_bytes().startswith(b"<?xml")
    again = hsigeo("evaluate", "map.tif", "--labels", "labels.gpkg", "--plots", "out/figures", "--plot-format", "svg")
    assert again.returncode == 1
    assert "confusion.svg exists" in again.stderr


def test_areas_and_what_they_assume_are_printed(hsigeo, folder):
    write_class_map(folder / "two.tif", np.array([[1, 1, 2, 2]], dtype="uint8"))
    write_points(folder / "four.gpkg", [(0, 0), (0, 1), (0, 2), (0, 3)], ["roof", "roof", "roof", "tree"])

    done = hsigeo("evaluate", "two.tif", "--labels", "four.gpkg")
    without = hsigeo("evaluate", "two.tif", "--labels", "four.gpkg", "--no-areas")

    assert "by area, allowing for the map's errors" in done.stdout
    assert "valid if the reference pixels were drawn at random" in done.stdout
    assert "95 % interval 30.1-95.4, 4 pixels counted as independent" in done.stdout
    assert "area-adjusted figures left out: not asked for" in without.stdout
