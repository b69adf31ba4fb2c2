"""``hsigeo report`` as a user runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from campaigns import make_ids, make_line_grid, write_line
from html_pages import find_faults

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def map_path(tmp_path: Path) -> Path:
    grid = make_line_grid(60, 40)
    return write_line(tmp_path / "a_map.tif", grid, make_ids(grid))


def test_the_page_goes_beside_the_map_by_default(hsigeo: Run, tmp_path: Path, map_path: Path) -> None:
    result = hsigeo("report", map_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert find_faults((tmp_path / "a_map_report.html").read_text(encoding="utf-8")) == []
    assert "note: left out: accuracy against an independent reference" in result.stderr
    assert result.stderr.splitlines()[-1].startswith(f"{tmp_path}/a_map_report.html: 0.")


def test_nothing_is_replaced_unasked(hsigeo: Run, tmp_path: Path, map_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine")
    result = hsigeo("report", map_path, "-o", "page.html")
    assert result.returncode == 1
    assert "page.html exists" in result.stderr
    assert (tmp_path / "page.html").read_text() == "mine"
    assert hsigeo("report", map_path, "-o", "page.html", "--overwrite").returncode == 0
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["page.tif", "page", "folder/page.html"])
def test_a_page_that_cannot_be_written_is_refused_at_once(
    hsigeo: Run, tmp_path: Path, map_path: Path, name: str
) -> None:
    result = hsigeo("report", map_path, "-o", name)
    assert result.returncode == 1
    assert result.stderr.startswith("hsigeo: ")
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("*page*"))


def test_the_page_never_replaces_what_it_is_made_from(hsigeo: Run, tmp_path: Path, map_path: Path) -> None:
    shutil.copy(map_path, tmp_path / "odd.html")
    for words in (("odd.html", "-o", "odd.html"), (map_path, "-o", "odd.html", "--evaluation", "odd.html")):
        result = hsigeo("report", *words, "--overwrite")
        assert result.returncode == 1
        assert "is an input" in result.stderr or "odd.html" in result.stderr
    (tmp_path / "link.html").symlink_to(map_path)
    assert hsigeo("report", map_path, "-o", "link.html", "--overwrite").returncode == 1
    assert map_path.read_bytes()[:2] in (b"II", b"MM")


def test_a_file_that_is_no_map_is_named(hsigeo: Run, tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_text("no map")
    for path in ("x.tif", "missing.tif"):
        result = hsigeo("report", path)
        assert result.returncode == 1
        assert path in result.stderr
        assert not list(tmp_path.glob("*.html"))


def test_what_is_named_and_is_not_the_maps_is_an_error(
    hsigeo: Run, tmp_path: Path, map_path: Path, sample_scenes: Path
) -> None:
    result = hsigeo("report", map_path, "--model", sample_scenes / "line_1.safetensors")
    assert result.returncode == 1
    assert "is not the model that made the map" in result.stderr
    (tmp_path / "other.json").write_text(json.dumps({"map": "a_map.tif"}))
    result = hsigeo("report", map_path, "--evaluation", "other.json")
    assert (result.returncode, "is not a result of `hsigeo evaluate --json`" in result.stderr) == (1, True)
    result = hsigeo("report", map_path, "--agreement", ".")
    assert (result.returncode, "is not a result of `hsigeo agree`" in result.stderr) == (1, True)
    assert hsigeo("report", map_path, "--scene", "nowhere.hdr").returncode == 1
    assert not list(tmp_path.glob("*.html"))


def test_lines_that_were_compared_are_reported_with_their_agreement(hsigeo: Run, tmp_path: Path) -> None:
    maps = []
    for number, east in enumerate((0.0, 40.0, 80.0)):
        grid = make_line_grid(60, 40, east=380_000 + east, turn=0)
        maps.append(write_line(tmp_path / f"line_{number}_map.tif", grid, make_ids(grid, seed=number)))
    assert hsigeo("report", maps[0]).returncode == 0
    page = (tmp_path / "line_0_map_report.html").read_text(encoding="utf-8")
    assert "hsigeo agree" in page
    assert hsigeo("agree", *maps, "-o", "agreement").returncode == 0
    assert hsigeo("mosaic", *maps, "-o", "all.tif").returncode == 0
    for path in (maps[0], "all.tif"):
        result = hsigeo("report", path, "-o", "page.html", "--overwrite")
        assert result.returncode == 0, result.stderr
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert find_faults(page) == []
        assert "Agreement with overlapping lines" in page
    assert "The lines, lowest agreement first." in page
    assert "It combines the maps of 3\u00a0flight lines." in page


def test_a_report_on_a_map_that_changed_since_does_not_use_the_comparison(hsigeo: Run, tmp_path: Path) -> None:
    maps = []
    for number in range(2):
        grid = make_line_grid(60, 40, east=380_000 + 40 * number, turn=0)
        maps.append(write_line(tmp_path / f"line_{number}_map.tif", grid, make_ids(grid, seed=number)))
    assert hsigeo("agree", *maps, "-o", "agreement").returncode == 0
    write_line(maps[0], make_line_grid(60, 40, turn=0), make_ids(make_line_grid(60, 40), seed=9))
    result = hsigeo("report", maps[0])
    assert result.returncode == 0
    assert "the map has changed since it was compared" in result.stderr
