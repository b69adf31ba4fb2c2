"""Pages for a folder of maps, and the index above them: made, left alone, gone on with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import rasterio
from campaigns import CLASSES, make_ids, make_line_grid, write_line
from click.testing import CliRunner
from html_pages import Node, find_faults, read_page

from hsigeo.cli.main import cli
from hsigeo.errors import Interrupted, LabelError, OutputError, OutputExistsError
from hsigeo.report.index.making import page_of, write_index
from hsigeo.report.sources import Given

NAMES = ("a", "b #1 50%", "javascript:c", "水域🌊")


def make_campaign(folder: Path, names: tuple[str, ...] = NAMES) -> list[Path]:
    """Lines beside each other, each with a confidence layer; the first also with what makes a reader look."""
    folder.mkdir()
    maps = []
    for number, name in enumerate(names):
        grid = make_line_grid(60, 30, east=380_000.0 + 90 * number, turn=10)
        ids = make_ids(grid, number)
        confidence = np.where(ids > 0, np.float32(0.5 if number == 0 else 0.9), np.float32(np.nan))
        metadata = {
            "model": "m.safetensors",
            "model_sha256": "ab" * 32,
            "unknown": {"rate": 0.05, "pixels": 60},
            "repairs": ["<b>no unit</b>"] if number == 0 else [],
        }
        maps.append(write_line(folder / f"{name}_map.tif", grid, ids, confidence=confidence, metadata=metadata))
    return maps


@pytest.fixture
def maps(tmp_path: Path) -> list[Path]:
    return make_campaign(tmp_path / "maps")


def read_index(folder: Path) -> tuple[str, Node]:
    text = (folder / "index.html").read_text(encoding="utf-8")
    return text, read_page(text)[0]


def table_of(root: Node, class_: str) -> list[list[Node]]:
    (table,) = (node for node in root.all("table") if class_ in node.attributes.get("class", "").split())
    return [row.all("th", "td") for row in table.all("tr")]


def test_the_index_is_valid_and_leads_to_the_pages_beside_it_only(maps: list[Path]) -> None:
    result = write_index(maps[0].parent)
    text, root = read_index(maps[0].parent)
    links = [a.attributes["href"] for a in root.all("a") if not a.attributes["href"].startswith("#")]
    assert find_faults(text, links=links) == []
    assert sorted(maps[0].parent / unquote(link) for link in links) == sorted(page_of(path) for path in maps)
    assert all(link.startswith("./") and "/" not in link[2:] for link in links)
    assert result.made == len(maps)
    for path in maps:
        assert find_faults(page_of(path).read_text(encoding="utf-8")) == []


def test_figures_are_those_that_gdal_counts(maps: list[Path]) -> None:
    write_index(maps[0].parent)
    rows = table_of(read_index(maps[0].parent)[1], "lines")
    heads = [head.text for head in rows[0]]
    assert [row[0].text for row in rows[1:]] == list(NAMES)
    for path, row in zip(maps, rows[1:], strict=True):
        with rasterio.open(path) as dataset:
            ids, hectares = dataset.read(1), abs(dataset.transform.determinant) / 1e4
        values = {head: cell.attributes.get("data-sort") for head, cell in zip(heads, row, strict=True)}
        assert float(values["With a class (ha)"]) == pytest.approx((ids > 0).sum() * hectares)
        assert float(values["Without a class"]) == pytest.approx((ids == 0).mean())
        assert float(values["Unlike the training data"]) == pytest.approx(60 / ids.size)
        assert float(values["Less than 60 % sure"]) == (1 if path == maps[0] else 0)
    assert "Agreement with neighbours" not in heads
    shares = table_of(read_index(maps[0].parent)[1], "shares")
    order = [head.text for head in shares[0][1:]]
    for path, row in zip(maps, shares[1:], strict=True):
        with rasterio.open(path) as dataset:
            counts = np.bincount(dataset.read(1).ravel(), minlength=len(CLASSES) + 1)
        for name, cell in zip(order, row[1:], strict=True):
            hectares = counts[CLASSES.id_of(name)] * 16 / 1e4
            assert float(cell.attributes["data-sort"]) == pytest.approx(hectares)


def test_pictures_and_bars_say_what_they_show(maps: list[Path]) -> None:
    write_index(maps[0].parent)
    root = read_index(maps[0].parent)[1]
    assert root.all("img")[0].attributes["alt"].startswith("Class map of a: ")
    assert len(root.all("img")) == len(maps)
    (sketch,) = (node for node in root.all("svg") if node.attributes.get("class") == "where")
    assert sketch.attributes["aria-label"] == "Outlines of 4 lines, north up"
    targets = {node.attributes["href"][1:] for node in sketch.all("a")}
    assert targets == {node.attributes["id"] for node in root.all("a") if "id" in node.attributes}


def test_what_is_true_of_all_lines_is_said_once(maps: list[Path]) -> None:
    write_index(maps[0].parent)
    (section,) = (node for node in read_index(maps[0].parent)[1].all("section") if node.attributes["id"] == "first")
    assert "In 4 lines: its model is missing, or a different one." in section.text
    (item,) = section.all("li")
    assert item.text == (
        "a: 100.0 % of its classified pixels are less than 60 % sure (median of all lines: 0.0 %); <b>no unit</b>"
    )


def test_pages_that_are_still_true_are_left_alone_and_others_made_anew(maps: list[Path]) -> None:
    folder = maps[0].parent
    write_index(folder)
    before = {path: page_of(path).stat().st_mtime_ns for path in maps}
    with pytest.raises(OutputExistsError, match=r"index\.html exists"):
        write_index(folder)
    grid = make_line_grid(60, 30, east=380_090.0, turn=10)
    write_line(maps[1], grid, make_ids(grid, 77))
    (folder / "index.html").unlink()
    with pytest.raises(OutputExistsError, match="is not the page that would be made now"):
        write_index(folder)
    result = write_index(folder, overwrite=True)
    assert (result.made, result.kept) == (1, 3)
    assert {path for path in maps if page_of(path).stat().st_mtime_ns != before[path]} == {maps[1]}


def test_an_evaluation_that_came_later_makes_its_page_untrue(maps: list[Path]) -> None:
    folder = maps[0].parent
    write_index(folder)
    labels = folder / "labels.tif"
    grid = make_line_grid(60, 30, turn=10)
    write_line(labels, grid, make_ids(grid, 0))
    command = ["evaluate", str(maps[0]), "--labels", str(labels), "--json", str(folder / "a_accuracy.json")]
    assert CliRunner().invoke(cli, command).exit_code == 0
    labels.unlink()
    result = write_index(folder, overwrite=True)
    assert (result.made, result.kept) == (1, 3)
    assert "Overall accuracy" in [head.text for head in table_of(read_index(folder)[1], "lines")[0]]


def test_a_run_that_was_stopped_goes_on_where_it_ended(maps: list[Path]) -> None:
    @contextmanager
    def stopping(what: str, _unit: str) -> Iterator[Callable[[int, int], None]]:
        def show(done: int, _total: int) -> None:
            if what == "report" and done == 2:
                raise KeyboardInterrupt

        yield show

    folder = maps[0].parent
    with pytest.raises(Interrupted, match="2 of 4 lines have their page; repeat the same command"):
        write_index(folder, bar=stopping)
    assert not (folder / "index.html").exists()
    assert [page_of(path).exists() for path in maps] == [True, True, False, False]
    result = write_index(folder)
    assert (result.made, result.kept) == (2, 2)
    whole = read_index(folder)[0]
    write_index(folder, overwrite=True)
    assert re.sub("Written .* by", "", read_index(folder)[0]) == re.sub("Written .* by", "", whole)


def test_a_page_that_somebody_else_wrote_is_not_replaced(maps: list[Path]) -> None:
    page_of(maps[2]).write_text("<p>mine</p>")
    with pytest.raises(OutputExistsError, match="is not the page that would be made now"):
        write_index(maps[0].parent)
    assert [page_of(path).exists() for path in maps] == [False, False, True, False]


def test_lines_that_failed_are_shown_as_failed(maps: list[Path]) -> None:
    folder = maps[0].parent
    (folder / "torn_map.tif").write_bytes(maps[0].read_bytes()[:300])
    lines = {
        "a": {"status": "done", "outputs": {"map": "a_map.tif"}},
        "d": {"status": "failed", "error": "<i>no bands</i>", "outputs": {"map": "d_map.tif"}},
        "e": {"status": 7, "outputs": []},
        "f": "odd",
    }
    (folder / "manifest.json").write_text(json.dumps({"format": "hsigeo campaign", "lines": lines}))
    done = CliRunner().invoke(cli, ["report", str(folder)])
    assert str(done.exception) == "3 lines have no page: d, e, torn"
    text, root = read_index(folder)
    rows = [[cell.text for cell in row] for row in table_of(root, "words")]
    assert [row[:2] for row in rows[1:]] == [["d", "failed"], ["e", "unknown"], ["torn", "map not readable"]]
    assert rows[1][2] == "<i>no bands</i>"
    assert "<i>" not in text


def test_pages_lie_beside_an_index_elsewhere(maps: list[Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_index(maps[0].parent, tmp_path / "out" / "all.html")
    assert len(list((tmp_path / "out").iterdir())) == len(maps) + 1
    assert not list(maps[0].parent.glob("*.html"))


def test_what_is_of_several_lines_is_passed_over(tmp_path: Path) -> None:
    folder = make_campaign(tmp_path / "maps", ("a", "b"))[0].parent
    assert CliRunner().invoke(cli, ["mosaic", str(folder), "-o", str(folder / "mosaic.tif")]).exit_code == 0
    done = CliRunner().invoke(cli, ["report", str(folder)])
    assert done.exit_code == 0, done.output
    assert f"passed over: {folder / 'mosaic.tif'}, a mosaic" in done.output
    assert not (folder / "mosaic_report.html").exists()


def test_agreement_comes_from_what_agree_wrote(maps: list[Path]) -> None:
    folder = maps[0].parent
    assert CliRunner().invoke(cli, ["agree", str(folder), "-o", str(folder / "agreement")]).exit_code == 0
    write_index(folder)
    stated = {row["name"]: row for row in json.loads((folder / "agreement" / "agreement.json").read_text())["lines"]}
    rows = table_of(read_index(folder)[1], "lines")
    column = [head.text for head in rows[0]].index("Agreement with neighbours")
    for row in rows[1:]:
        assert float(row[column].attributes["data-sort"]) == pytest.approx(stated[row[0].text]["agreement"])


def test_a_model_that_made_none_of_the_maps_is_an_error(maps: list[Path], sample_scenes: Path) -> None:
    with pytest.raises(LabelError, match=r"none of the 4 maps .* can be shown: .* is not the model that made the map"):
        write_index(maps[0].parent, given=Given(model=str(sample_scenes / "line_1.safetensors")))
    assert not list(maps[0].parent.glob("*.html"))


def test_a_folder_without_maps_and_options_of_one_map_are_errors(maps: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="holds no map of a line"):
        write_index(tmp_path / "empty")
    with pytest.raises(OutputError, match=r"ends in \.html"):
        write_index(maps[0].parent, tmp_path / "index.txt")
    with pytest.raises(OutputError, match="is an input of this command"):
        write_index(maps[0].parent, page_of(maps[0]))
    done = CliRunner().invoke(cli, ["report", str(maps[0].parent), "--scene", "x.hdr"])
    assert done.exit_code == 2
    assert "--scene belongs to one map" in done.output
