"""The page of a map with everything, and of maps that lack this and that."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from campaigns import make_ids, make_line_grid, write_line
from html_pages import Node, find_faults, read_page
from reports import report_on

from hsigeo.classes import ClassTable
from hsigeo.grid import Grid
from hsigeo.io.map_tag import TAG
from hsigeo.report.findings import Findings

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src="https://example.org/x.png">',
    "a & b &amp; 'c'",
    "\u202eright to left",
    "水域🌊",
    "غابة",
    "\ud800 half a pair\x00 \x1b[31m",
    "x" * 5000,
)


def sections(page: str) -> list[str]:
    return [node.text for node in read_page(page)[0].all("h2")]


def test_the_full_page_is_valid_and_leads_nowhere(full: tuple[Findings, str]) -> None:
    assert find_faults(full[1]) == []


def test_the_full_page_has_every_section_in_order(full: tuple[Findings, str]) -> None:
    assert sections(full[1]) == [
        "The scene and the map",
        "How accurate it is",
        "Where it is sure",
        "Whether its probabilities can be believed",
        "What the classes look like",
        "What decisions rest on",
        "Where it comes from",
    ]


def test_the_page_is_the_same_each_time_when_time_stands_still(
    full: tuple[Findings, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    path = Path(full[0].raster.path)
    first, second = report_on(path)[1], report_on(path)[1]
    assert first == second
    assert "2023-11-14 22:13 UTC" in first


def test_figures_are_those_of_the_files_they_come_from(full: tuple[Findings, str]) -> None:
    findings, page = full
    text = read_page(page)[0].text
    evaluation = json.loads((Path(findings.raster.path).parent / "accuracy.json").read_text())
    validation = findings.metadata["validation"]
    for share in (
        evaluation["overall_accuracy"],
        validation["disjoint"]["overall_accuracy"],
        validation["random_split_optimistic"]["overall_accuracy"],
        validation["expected_calibration_error"]["after"],
    ):
        assert f"{100 * share:.1f} %" in text
    gap = validation["random_split_optimistic"]["overall_accuracy"] - validation["disjoint"]["overall_accuracy"]
    assert f"{100 * gap:.1f} percentage points more" in text
    assert text.index(f"the map classifies {100 * evaluation['overall_accuracy']:.1f} % correctly") < text.index(
        "of the pixels were classified correctly"
    )


def test_pixels_and_areas_are_those_that_gdal_counts(full: tuple[Findings, str]) -> None:
    findings, page = full
    with rasterio.open(findings.raster.path) as dataset:
        counts = np.bincount(dataset.read(1).ravel(), minlength=9)
        hectares = abs(dataset.transform.determinant) / 1e4
    (legend,) = (table for table in read_page(page)[0].all("table") if table.attributes.get("class") == "legend")
    rows = [[cell.text for cell in row.all("th", "td")] for row in legend.all("tr")[1:]]
    assert len(rows) == 8
    for name, number, pixels, area, *_ in rows:
        assert findings.raster.classes.id_of(name) == int(number)
        assert int(pixels.replace(" ", "")) == counts[int(number)]
        assert float(area) == pytest.approx(counts[int(number)] * hectares, abs=0.006)


def test_scene_and_map_are_pictures_of_one_size_and_say_what_they_show(full: tuple[Findings, str]) -> None:
    scene, classes, confidence = read_page(full[1])[0].all("img")
    assert scene.attributes["width"] == classes.attributes["width"] == confidence.attributes["width"]
    assert scene.attributes["height"] == classes.attributes["height"]
    assert scene.attributes["alt"].startswith("True colour picture of the scene line_1.hdr: red 640 nm")
    forest = next(entry for entry in full[0].raster.classes if entry.name == "Wald (Laubbäume)")
    share = 100 * full[0].tally.pixels[forest.id] / full[0].tally.pixels[1:].sum()
    assert f"Wald (Laubbäume) {share:.1f}" in classes.attributes["alt"]


def hostile_map(folder: Path, **metadata: Any) -> Path:
    """A map whose tag holds anything, halves of surrogate pairs too, which JSON can spell in ASCII."""
    grid = make_line_grid(60, 40)
    path = write_line(folder / "m.tif", grid, make_ids(grid, classes=len(HOSTILE)))
    classes = ClassTable.from_names(HOSTILE).to_json()
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(**{TAG: json.dumps({"format": 1, "classes": classes, "metadata": metadata})})
    return path


@pytest.mark.parametrize(
    "name", ["x" * 5000, "a/" * 3000, "/proc/self/mem", "..", "/dev/zero", "a\0b", "~", " ", "http://x.example/y.hdr"]
)
def test_a_map_that_names_odd_files_makes_a_page(tmp_path: Path, name: str) -> None:
    findings, page = report_on(hostile_map(tmp_path, scene=name, model=name))
    assert find_faults(page) == []
    assert findings.found.scene is None
    assert findings.found.model is None


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    text = HOSTILE[1] + HOSTILE[0] + "\u202e\ud83d"
    validation = {
        "split": text,
        "notes": [text],
        "disjoint": {"confusion_matrix": {"row_names": list(HOSTILE), "pixels": np.eye(8, 9, dtype=int).tolist()}},
    }
    path = hostile_map(
        tmp_path,
        scene=text,
        model=text,
        software=text,
        repairs=[text],
        options={text: text},
        refined=[{text: text}],
        provenance={"scenes": [{"name": text, "fingerprint": text}], "seed": text},
        validation=validation,
    )
    page = report_on(path)[1]
    assert find_faults(page) == []
    assert "<script" not in page
    assert len(read_page(page)[0].all("img")) == 1
    page.encode("utf-8")


def test_names_of_any_language_stay_whole_and_have_a_direction_of_their_own(tmp_path: Path) -> None:
    root = read_page(report_on(hostile_map(tmp_path))[1])[0]
    names = [node.text for node in root.all("bdi")]
    for name in (*HOSTILE[:3], HOSTILE[4], HOSTILE[5]):
        assert name in names
    assert all(len(name) <= 120 for name in names)


@pytest.mark.parametrize(
    "value", [None, 7, [], {}, "text", [[]], {"a": {"b": []}}, float("1e308"), True, [None, 3, "x"]], ids=repr
)
def test_metadata_of_any_type_make_a_page(tmp_path: Path, value: Any) -> None:
    keys = ("scene", "model", "model_sha256", "scene_fingerprint", "validation", "provenance", "options", "unknown")
    keys += ("repairs", "refined", "lines", "notes", "variant", "rule", "reader")
    path = hostile_map(tmp_path, **dict.fromkeys(keys, value))
    assert find_faults(report_on(path)[1]) == []


def test_a_map_that_says_nothing_says_that_its_accuracy_is_not_known(tmp_path: Path) -> None:
    findings, page = report_on(hostile_map(tmp_path))
    assert sections(page) == ["The map", "Where it comes from", "What this page does not show"]
    text = read_page(page)[0].text
    assert "Its accuracy is not known" in text
    assert "--scene FILE" in text
    assert "hsigeo evaluate" in text
    said = {" ".join(absence.what.split()[:2]) for absence in findings.absences}
    assert said >= {"The scene", "What decisions", "The confidence", "Accuracy against", "Accuracy on"}


GRIDS = {
    "no CRS": Grid(lines=50, samples=40, transform=Affine(4, 0, 100, 0, -4, 900)),
    "no place": Grid(lines=50, samples=40),
    "degrees": Grid(
        lines=50, samples=40, transform=Affine(1e-4, 0, 13, 0, -1e-4, 52), crs=rasterio.CRS.from_epsg(4326).to_wkt()
    ),
    "web": make_line_grid(50, 40, east=1e6, north=6e6, turn=0, crs=rasterio.CRS.from_epsg(3857).to_wkt()),
    "turned": make_line_grid(50, 40, turn=200),
    "one pixel": make_line_grid(1, 1),
    "a line": make_line_grid(1, 3000),
}


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", GRIDS)
def test_maps_of_any_place_make_a_page(tmp_path: Path, name: str) -> None:
    grid = GRIDS[name]
    findings, page = report_on(write_line(tmp_path / "m.tif", grid, make_ids(grid, border=0)))
    assert find_faults(page) == []
    has_scale = 'class="scale"' in page
    assert has_scale == (name in ("degrees", "web", "turned", "one pixel", "a line"))
    assert (findings.tally.unit == "pixels") == (name in ("no CRS", "no place"))


def test_a_map_in_degrees_is_as_wide_as_on_the_ground(tmp_path: Path) -> None:
    """At 60 degrees north a degree of longitude is half as long as one of latitude."""
    grid = make_line_grid(50, 100, turn=0, size=1e-4, east=13, north=60.0025, crs=GRIDS["degrees"].crs)
    page = report_on(write_line(tmp_path / "m.tif", grid, make_ids(grid)))[1]
    assert "aspect-ratio:1.0000" in page


def test_an_empty_map_makes_a_page(tmp_path: Path) -> None:
    grid = make_line_grid(20, 30)
    page = report_on(write_line(tmp_path / "m.tif", grid, np.zeros((20, 30), dtype=np.uint8)))[1]
    assert find_faults(page) == []
    assert "no pixel has a class" in page


def test_a_map_of_300_classes_makes_a_page_below_a_few_megabytes(tmp_path: Path) -> None:
    names = [f"class {number}" for number in range(1, 301)]
    grid = make_line_grid(300, 400)
    ids = (np.arange(300 * 400).reshape(300, 400) // 40 % 300 + 1).astype(np.uint16)
    confusion = np.eye(300, 301, dtype=int)
    confusion[3, 5] = 7
    validation = {"disjoint": {"confusion_matrix": {"row_names": names, "pixels": confusion.tolist()}}}
    classes = ClassTable.from_names(names)
    path = write_line(tmp_path / "m.tif", grid, ids, classes=classes, metadata={"validation": validation})
    page = report_on(path)[1]
    assert find_faults(page) == []
    assert len(page) < 2e6
    (table,) = (t for t in read_page(page)[0].all("table") if "most frequent confusions" in t.text)
    assert table.all("tr")[1].text == "class 4class 6787.5 %"


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "muted", "accent", "second"])
def test_text_stands_out_from_every_ground_as_wcag_aa_asks(full: tuple[Findings, str], scheme: str, text: str) -> None:
    (style,) = read_page(full[1])[0].all("style")
    palettes = re.findall(r":root \{([^}]*)\}", style.text)
    colors = dict(re.findall(r"--(\w+): (#\w{6})", palettes[scheme == "dark"]))
    for ground in ("paper", "card"):
        light, dark = sorted((luminance(colors[text]), luminance(colors[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_cells_of_the_confusion_matrix_keep_their_numbers_readable(full: tuple[Findings, str]) -> None:
    (style,) = read_page(full[1])[0].all("style")
    palettes = re.findall(r":root \{([^}]*)\}", style.text)
    strongest = float(re.findall(r"var\(--share, 0\) \* ([\d.]+)", style.text)[0])
    for palette in palettes:
        colors = dict(re.findall(r"--(\w+): (#\w{6})", palette))
        shade = [int(part) for part in re.findall(r"--shade: (\d+) (\d+) (\d+)", palette)[0]]
        paper = [int(colors["paper"][place : place + 2], 16) for place in (1, 3, 5)]
        mixed = [round(strongest * s + (1 - strongest) * p) for s, p in zip(shade, paper, strict=True)]
        light, dark = sorted((luminance(colors["ink"]), luminance("#{:02x}{:02x}{:02x}".format(*mixed))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_checker_finds_what_is_wrong() -> None:
    page = """<!DOCTYPE html>
<html><head><title>x</title></head><body><main><h1>a</h1><h3>b</h3><p id="a"><p id="a"></p>
<img src="https://example.org/x.png"><a href="#none">c</a><script>1</script></main></body></html>"""
    faults = " | ".join(find_faults(page))
    for fault in (
        "ends <p>",
        "no language",
        "h1 is followed by h3",
        "not unique",
        "without an alternative",
        "nothing has",
    ):
        assert fault in faults
    for fault in ("src='https", "<script>", "policy"):
        assert fault in faults
    assert isinstance(read_page(page)[0], Node)
