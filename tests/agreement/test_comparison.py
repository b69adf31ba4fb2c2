from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import rasterio
from campaigns import CLASSES, make_ids, make_line_grid, read, write_line

from hsigeo.agreement import compare_lines, write_report
from hsigeo.agreement import comparison as comparison_module
from hsigeo.agreement.figures import make_figures
from hsigeo.agreement.report import check_report
from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError, OutputExistsError
from hsigeo.io import open_map
from hsigeo.io.georeference import profile_of_grid
from hsigeo.lines.mapped_line import open_lines
from hsigeo.lines.placement import Placement
from hsigeo.lines.target import choose_grid
from hsigeo.metrics import Accuracy, confusion_matrix


def look(line, target):
    """Ids of a line on the target, pixel by pixel: plain and slow."""
    rows, cols = np.indices(target.shape, dtype=np.float64)
    row, col = (np.floor(part + 1e-6) for part in Placement(line.grid, target).positions(rows, cols))
    out = np.zeros(target.shape, dtype=np.int64)
    inside = (row >= 0) & (row < line.grid.lines) & (col >= 0) & (col < line.grid.samples)
    out[inside] = read(line.path)[row[inside].astype(int), col[inside].astype(int)]
    return out


@pytest.fixture
def campaign(tmp_path):
    """Five parallel lines over the same ground, and one that crosses them all; the fourth is bad."""
    truth = np.kron(np.random.default_rng(5).integers(1, 5, (40, 60)), np.ones((8, 8), dtype=int))
    grids = [make_line_grid(120, 40, turn=7, east=380_020 + 90 * number) for number in range(5)]
    grids.append(make_line_grid(140, 36, turn=97, east=380_030, north=5_819_800))
    maps = []
    for number, grid in enumerate(grids):
        rows, cols = np.indices(grid.shape)
        x, y = (
            grid.transform.a * (cols + 0.5) + grid.transform.b * (rows + 0.5) + grid.transform.c,
            (grid.transform.d * (cols + 0.5) + grid.transform.e * (rows + 0.5) + grid.transform.f),
        )
        ids = truth[((5_820_100 - y) / 4).astype(int) % 320, ((x - 379_000) / 4).astype(int) % 480]
        random = np.random.default_rng(number)
        wrong = random.random(ids.shape) < (0.4 if number == 3 else 0.03)
        ids = np.where(wrong, random.integers(1, 5, ids.shape), ids)
        ids[:, 0] = 0
        maps.append(write_line(tmp_path / f"line_{number}_map.tif", grid, ids))
    return maps


def test_pairs_are_those_of_brute_force(campaign):
    lines, _ = open_lines(campaign)
    target = choose_grid([line.grid for line in lines])

    comparison = compare_lines(lines)

    ids = [look(line, target) for line in lines]
    expected = set()
    total = np.zeros((4, 4), dtype=int)
    for i in range(6):
        for j in range(i + 1, 6):
            common = (ids[i] > 0) & (ids[j] > 0)
            if common.any():
                expected.add((i, j))
                matrix = confusion_matrix(ids[i][common], ids[j][common], 4)
                total += matrix[:, :4]
                oracle = Accuracy(names=CLASSES.names, confusion=matrix)
                counts = comparison.pairs[i, j]
                assert counts.pixels == oracle.total
                assert counts.agreement == pytest.approx(oracle.overall)
                assert counts.kappa == pytest.approx(oracle.kappa, nan_ok=True)
    assert set(comparison.pairs) == expected
    assert np.array_equal(comparison.positions.confusion.sum(axis=0), total + total.T)


def test_the_map_of_disagreement_says_what_all_lines_say_together(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    target = choose_grid([line.grid for line in lines])

    compare_lines(lines, disagreement=tmp_path / "d.tif")

    ids = np.stack([look(line, target) for line in lines])
    speaking = (ids > 0).sum(axis=0)
    strongest = np.max([(ids == number).sum(axis=0) for number in CLASSES.ids], axis=0)
    verdict = np.select([speaking < 2, strongest == speaking, 2 * strongest > speaking], [0, 1, 2], 3)
    assert np.array_equal(read(tmp_path / "d.tif"), verdict)
    assert set(np.unique(verdict)) == {0, 1, 2, 3}
    raster = open_map(tmp_path / "d.tif")
    assert raster.classes.names == ("all lines agree", "most lines agree", "no majority")
    assert (tmp_path / "d.qml").is_file()


def test_blocks_in_parts_give_the_same(campaign, monkeypatch, tmp_path):
    lines, _ = open_lines(campaign)
    whole = compare_lines(lines, disagreement=tmp_path / "whole.tif")
    monkeypatch.setattr(comparison_module, "_BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(comparison_module, "_DENSE", 1)

    parts = compare_lines(lines, disagreement=tmp_path / "parts.tif")

    assert {pair: counts.agreement for pair, counts in parts.pairs.items()} == {
        pair: counts.agreement for pair, counts in whole.pairs.items()
    }
    assert np.array_equal(parts.positions.confusion, whole.positions.confusion)
    assert np.array_equal(parts.positions.lines, whole.positions.lines)
    assert np.array_equal(read(tmp_path / "parts.tif"), read(tmp_path / "whole.tif"))


def test_the_bad_line_comes_last_and_stands_out(campaign):
    figures = make_figures(compare_lines(open_lines(campaign)[0]))

    assert [row.name for row in figures.lines if row.odd] == ["line_3"]
    assert figures.lines[-1].name == "line_3"
    assert figures.lines[-1].excess > 0.2


def test_disagreement_towards_the_edges_is_seen(tmp_path):
    ground = np.random.default_rng(1).integers(1, 5, (300, 200))
    maps = []
    for number in range(4):
        grid = make_line_grid(300, 80, turn=0, east=380_000 + 120 * number)
        away = np.abs(np.arange(80) + 0.5 - 40) / 40
        random = np.random.default_rng(number)
        wrong = random.random(grid.shape) < 0.5 * away**2
        ids = np.where(wrong, random.integers(1, 5, grid.shape), ground[:, 30 * number : 30 * number + 80])
        maps.append(write_line(tmp_path / f"l{number}_map.tif", grid, ids))

    comparison = compare_lines(open_lines(maps)[0])
    rows = [row for row in make_figures(comparison).positions if row.pixels]

    assert comparison.axis == "centre"
    assert rows[0].agreement > 0.85 > 0.72 > rows[-1].agreement
    assert rows[0].kappa > rows[-1].kappa
    ends, middle = comparison.positions.lines[1, [0, -1]], comparison.positions.lines[1, [9, 10]]
    assert ends[:, 1].sum() / ends[:, 0].sum() < middle[:, 1].sum() / middle[:, 0].sum() - 0.1


def test_view_angles_are_used_where_every_line_has_them(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    for number, line in enumerate(lines):
        with rasterio.open(
            tmp_path / f"line_{number}_obs_ort.tif", "w", driver="GTiff", dtype="float32", count=10, nodata=-9999,
            **profile_of_grid(line.grid),
        ) as dataset:  # fmt: skip
            dataset.write(np.full((10, *line.grid.shape), 5.0 + number, dtype=np.float32))
    lines, _ = open_lines(campaign)

    comparison = compare_lines(lines)

    assert comparison.axis == "zenith"
    assert comparison.positions.lines[3, :, 0].nonzero()[0].tolist() == [4]  # 8 degrees: the bin from 8 to 10


def test_one_line_alone_and_far_too_many_classes_are_refused(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    grid = make_line_grid(5, 5)
    many = ClassTable.from_names([f"class {number}" for number in range(1001)])
    crowd = [write_line(tmp_path / f"{n}.tif", grid, np.ones((5, 5)), classes=many) for n in "ab"]

    with pytest.raises(LabelError, match="needs two"):
        compare_lines(lines[:1])
    with pytest.raises(LabelError, match="1001 classes"):
        compare_lines(open_lines(crowd)[0])


def test_lines_that_do_not_meet_have_no_pairs_and_a_report_all_the_same(tmp_path):
    maps = []
    for number in range(2):
        grid = make_line_grid(20, 10, east=380_000 + 1000 * number)
        maps.append(write_line(tmp_path / f"{number}_map.tif", grid, make_ids(grid)))
    comparison = compare_lines(open_lines(maps)[0])
    check_report(tmp_path / "report", overwrite=False)

    write_report(tmp_path / "report", comparison, make_figures(comparison))

    assert comparison.pairs == {}
    assert json.loads((tmp_path / "report" / "agreement.json").read_text())["agreement"] is None


def test_the_report_holds_the_figures_as_tables_and_json_and_a_page(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    comparison = compare_lines(lines)
    figures = make_figures(comparison)
    check_report(tmp_path / "report", overwrite=False)

    files = write_report(tmp_path / "report", comparison, figures, differences=["lines differ"])

    document = json.loads((tmp_path / "report" / "agreement.json").read_text("utf-8"))
    with (tmp_path / "report" / "pairs.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == len(document["pairs"]) == len(comparison.pairs)
    assert float(rows[0]["agreement"]) == pytest.approx(document["pairs"][0]["agreement"], rel=1e-5)
    assert set(document["pairs"][0]["classes"]) <= set(CLASSES.names)
    assert document["processing_differences"] == ["lines differ"]
    assert [row["name"] for row in document["classes"]] == list(CLASSES.names)
    assert (tmp_path / "report" / "agreement.png").read_bytes().startswith(b"\x89PNG")
    assert all(file.is_file() for file in files)
    with pytest.raises(OutputExistsError):
        check_report(tmp_path / "report", overwrite=False)


def test_a_line_whose_name_is_a_formula_is_text_in_a_spreadsheet(tmp_path):
    maps = []
    for name in ("=1+1", "b"):
        grid = make_line_grid(20, 10)
        maps.append(write_line(tmp_path / f"{name}_map.tif", grid, make_ids(grid)))
    comparison = compare_lines(open_lines(maps)[0])
    check_report(tmp_path / "report", overwrite=False)

    write_report(tmp_path / "report", comparison, make_figures(comparison))

    assert "'=1+1" in (tmp_path / "report" / "lines.csv").read_text()
