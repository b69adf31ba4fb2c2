from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio
from campaigns import (
    CLASSES,
    UTM32,
    make_ids,
    make_line_grid,
    make_probabilities_of,
    read,
    write_line,
)

from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError, OutputError, OutputExistsError
from hsigeo.io import map_files, open_map
from hsigeo.io.georeference import profile_of_grid
from hsigeo.lines.companions import find_companion
from hsigeo.lines.mapped_line import open_lines
from hsigeo.lines.placement import Placement
from hsigeo.lines.target import choose_grid
from hsigeo.mosaic import Rule, write_mosaic
from hsigeo.mosaic import assembly as assembly_module

GRIDS = [
    make_line_grid(80, 40, turn=23),
    make_line_grid(80, 40, turn=23, east=380_090),
    make_line_grid(70, 44, turn=-60, east=380_020, north=5_819_900),
    make_line_grid(60, 60, turn=5, east=790_000, crs=UTM32),
]


@pytest.fixture
def campaign(tmp_path) -> list[Path]:
    """Four lines that overlap, the last in the neighbouring UTM zone, with all layers."""
    paths = []
    for number, grid in enumerate(_grids()):
        ids = make_ids(grid, number)
        probabilities = make_probabilities_of(ids, number)
        with np.errstate(invalid="ignore"):
            confidence = probabilities.max(axis=0)
        paths.append(
            write_line(
                tmp_path / f"line_{number}_map.tif", grid, ids, confidence=confidence, probabilities=probabilities
            )
        )
        write_observation(tmp_path / f"line_{number}_obs_ort.tif", grid, number)
    return paths


def _grids():
    x, y = rasterio.warp.transform("EPSG:32633", "EPSG:32632", [380_100], [5_819_900])
    return [*GRIDS[:3], make_line_grid(60, 60, turn=5, east=x[0], north=y[0], crs=UTM32)]


def write_observation(path: Path, grid, seed: int) -> None:
    zenith = np.random.default_rng(seed + 50).uniform(0, 40, grid.shape).astype(np.float32)
    zenith[::7] = -9999
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=10, nodata=-9999, **profile_of_grid(grid)
    ) as f:
        for band in range(1, 11):
            f.write(zenith if band == 3 else np.full(grid.shape, 99, dtype=np.float32), band)


def look(line, target, layer: np.ndarray, missing: float) -> np.ndarray:
    """A layer of a line on the target, pixel by pixel: plain and slow."""
    placement = Placement(line.grid, target)
    rows, cols = np.indices(target.shape, dtype=np.float64)
    row, col = (np.floor(part + 1e-6) for part in placement.positions(rows, cols))
    out = np.full((*layer.shape[:-2], *target.shape), missing)
    inside = (row >= 0) & (row < line.grid.lines) & (col >= 0) & (col < line.grid.samples)
    out[..., inside] = layer[..., row[inside].astype(int), col[inside].astype(int)]
    return out


def expected(lines, target, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """The mosaic by brute force: all lines in memory at once."""
    ids = np.stack([look(line, target, read(line.path), 0) for line in lines])
    if rule is Rule.PROBABILITY:
        layers = []
        for line in lines:
            with rasterio.open(line.probabilities.path) as dataset:
                layers.append(look(line, target, dataset.read(), np.nan))
        values = np.nan_to_num(np.stack(layers))  # (line, class, y, x)
        covered = (ids > 0).any(axis=0)
        mean = values.astype(np.float32).sum(axis=0)
        best = np.argmax(mean, axis=0)
        of_best = np.take_along_axis(values, best[None, None], axis=1)[:, 0]
        return np.where(covered, best + 1, 0), np.where(covered, np.argmax(of_best, axis=0) + 1, 0)
    scores = []
    for number, line in enumerate(lines):
        if rule is Rule.CONFIDENCE:
            scores.append(look(line, target, read(line.confidence.path), np.nan))
        elif rule is Rule.ZENITH:
            with rasterio.open(line.observation.path) as dataset:
                zenith = dataset.read(3)
            scores.append(-look(line, target, np.where(zenith == -9999, np.nan, zenith), np.nan))
        else:
            scores.append(np.full(target.shape, -float(number)))
    score = np.where(ids > 0, np.nan_to_num(np.stack(scores), nan=-1e9), -np.inf)
    winner = np.argmax(score, axis=0)
    covered = (ids > 0).any(axis=0)
    return np.take_along_axis(ids, winner[None], axis=0)[0], np.where(covered, winner + 1, 0)


@pytest.mark.parametrize("rule", [Rule.PROBABILITY, Rule.CONFIDENCE, Rule.ZENITH, Rule.ORDER])
def test_each_rule_gives_what_brute_force_gives(campaign, tmp_path, rule):
    lines, _ = open_lines(campaign)
    target = choose_grid([line.grid for line in lines])

    result = write_mosaic(lines, tmp_path / "out.tif", rule=rule, grid=target)

    ids, winners = expected(lines, target, rule)
    assert np.array_equal(read(tmp_path / "out.tif"), ids)
    assert np.array_equal(read(tmp_path / "out_lines.tif"), winners)
    assert sum(result.pixels.values()) == sum(result.pixels_of_lines.values()) == (ids > 0).sum()
    assert ((winners > 0) == (ids > 0)).all()


@pytest.mark.parametrize("rule", [Rule.PROBABILITY, Rule.CONFIDENCE, Rule.ORDER])
def test_the_confidence_is_that_of_what_was_believed(campaign, tmp_path, rule):
    lines, _ = open_lines(campaign)
    target = choose_grid([line.grid for line in lines])

    write_mosaic(lines, tmp_path / "out.tif", rule=rule, grid=target, confidence=tmp_path / "out_confidence.tif")

    ids, winners = read(tmp_path / "out.tif"), read(tmp_path / "out_lines.tif")
    layers = []
    for line in lines:
        with rasterio.open(line.probabilities.path) as dataset:
            layers.append(look(line, target, dataset.read(), np.nan))
    of_class = np.stack([np.take_along_axis(p, np.maximum(ids, 1)[None].astype(int) - 1, axis=0)[0] for p in layers])
    if rule is Rule.PROBABILITY:
        expected_values = np.nansum(of_class, axis=0) / np.maximum(np.isfinite(of_class).sum(axis=0), 1)
    else:
        expected_values = np.take_along_axis(of_class, np.maximum(winners, 1)[None].astype(int) - 1, axis=0)[0]
    found = read(tmp_path / "out_confidence.tif")
    np.testing.assert_allclose(found, np.where(ids > 0, expected_values, np.nan), rtol=1e-5)
    assert (tmp_path / "out_confidence.qml").is_file()
    assert find_companion(open_map(tmp_path / "out.tif"), "confidence")[0] is not None


def test_a_line_that_does_not_say_how_sure_it_is_leaves_a_gap_and_a_note(campaign, tmp_path):
    for layer in ("confidence", "probabilities"):
        (tmp_path / f"line_0_{layer}.tif").unlink()
    lines, _ = open_lines(campaign)

    done = write_mosaic(lines, tmp_path / "out.tif", rule=Rule.ORDER, confidence=tmp_path / "sure.tif")

    winners, sure = read(tmp_path / "out_lines.tif"), read(tmp_path / "sure.tif")
    np.testing.assert_array_equal(np.isfinite(sure), winners > 1)
    assert any("1 of 4 lines have no confidences" in note for note in done.notes)
    with pytest.raises(OutputError, match="no map has"):
        write_mosaic(lines[:1], tmp_path / "one.tif", confidence=tmp_path / "one_confidence.tif")


def test_without_other_layers_the_nearer_centre_wins(tmp_path):
    grids = [make_line_grid(150, 40, turn=0), make_line_grid(150, 40, turn=0, east=380_080)]
    maps = [write_line(tmp_path / f"{n}_map.tif", grid, np.full(grid.shape, n + 1)) for n, grid in enumerate(grids)]
    lines, _ = open_lines(maps)

    result = write_mosaic(lines, tmp_path / "out.tif")

    assert result.rule is Rule.CENTRE
    # They share the columns 20 to 39; the seam runs down the middle of these.
    assert (read(tmp_path / "out.tif") == np.where(np.arange(60) < 30, 1, 2)).all()


def test_by_default_probabilities_decide_and_less_where_a_line_has_none(campaign, tmp_path):
    (tmp_path / "line_2_probabilities.tif").unlink()
    lines, _ = open_lines(campaign)

    result = write_mosaic(lines, tmp_path / "out.tif")

    assert result.rule is Rule.CONFIDENCE
    assert any("probability is not used: 1 of 4" in note and "line_2" in note for note in result.notes)


def test_a_stale_layer_of_another_model_does_not_decide(campaign, tmp_path):
    grid = _grids()[1]
    ids = make_ids(grid, 1)
    write_line(tmp_path / "x_map.tif", grid, ids, confidence=np.ones(grid.shape), metadata={"model_sha256": "f" * 64})
    (tmp_path / "x_confidence.tif").replace(tmp_path / "line_1_confidence.tif")

    lines, notes = open_lines(campaign)

    assert lines[1].confidence is None
    assert any("line_1_confidence.tif is not used: another model" in note for note in notes)


def test_the_mosaic_says_names_colours_and_origin_like_every_map(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    write_mosaic(lines, tmp_path / "out.tif")

    mosaic, winners = open_map(tmp_path / "out.tif"), open_map(tmp_path / "out_lines.tif")

    assert mosaic.classes == CLASSES
    assert winners.classes.names == ("line_0", "line_1", "line_2", "line_3")
    assert [line["map"] for line in mosaic.metadata["lines"]] == [path.name for path in campaign]
    assert mosaic.metadata["model_sha256"] == "0" * 64
    for name in ("out.tif.aux.xml", "out.qml", "out_lines.tif.aux.xml", "out_lines.qml"):
        assert (tmp_path / name).is_file()
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert dataset.nodata == 0
        assert dataset.colormap(1)[2] == (*CLASSES.entries[1].color, 255)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_classes_are_matched_by_name_and_what_differs_is_said(tmp_path):
    grid = make_line_grid(30, 20, turn=0)
    other = ClassTable.from_names(["soil", "Oak & elm", "snow"], colors=[(1, 2, 3), (4, 5, 6), (255, 255, 255)])
    left, right = np.zeros(grid.shape, dtype=int), np.zeros(grid.shape, dtype=int)
    left[:, :10], right[:, 10:] = CLASSES.id_of("soil"), other.id_of("Oak & elm")
    right[0, 10:] = other.id_of("snow")
    maps = [
        write_line(tmp_path / "a_map.tif", grid, left),
        write_line(tmp_path / "b_map.tif", grid, right, classes=other),
    ]
    lines, _ = open_lines(maps)

    result = write_mosaic(lines, tmp_path / "out.tif", rule=Rule.ORDER)

    table = open_map(tmp_path / "out.tif").classes
    values = read(tmp_path / "out.tif")
    assert set(table.names) == {*CLASSES.names, "snow"}
    assert values[5, 5] == table.id_of("soil")
    assert values[5, 15] == table.id_of("Oak & elm")
    assert values[0, 15] == table.id_of("snow")
    assert {entry.name: entry.color for entry in table}["soil"] == CLASSES.entries[3].color
    assert any("ids differ" in note for note in result.notes)
    assert any("colours differ" in note and "soil" in note for note in result.notes)
    assert any("not every map knows all 5 classes (a, b)" in note for note in result.notes)


def test_sixty_turned_lines_with_few_files_open_and_little_memory(tmp_path, monkeypatch):
    random = np.random.default_rng(3)
    maps, union = [], None
    for number in range(60):
        east, north = 380_000 + 150 * (number % 12), 5_820_000 - 500 * (number // 12)
        grid = make_line_grid(150, 60, turn=float(random.uniform(-180, 180)), east=east, north=north)
        maps.append(write_line(tmp_path / f"line_{number:02}_map.tif", grid, make_ids(grid, number)))
    lines, _ = open_lines(maps)
    target = choose_grid([line.grid for line in lines])
    most_open = []
    genuine = assembly_module.Handles
    monkeypatch.setattr(assembly_module, "Handles", lambda: Watched(genuine(limit=5), most_open))

    seen = []
    tracemalloc.start()
    write_mosaic(lines, tmp_path / "out.tif", rule=Rule.ORDER, grid=target, progress=lambda *now: seen.append(now))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    union = np.zeros(target.shape, dtype=int)
    winners = np.zeros(target.shape, dtype=int)
    for number, line in reversed(list(enumerate(lines, start=1))):
        ids = look(line, target, read(line.path), 0)
        union, winners = np.where(ids > 0, ids, union), np.where(ids > 0, number, winners)
    assert np.array_equal(read(tmp_path / "out.tif"), union)
    assert np.array_equal(read(tmp_path / "out_lines.tif"), winners)
    assert max(most_open) <= 5
    assert peak < 60 << 20
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] >= target.lines * target.samples


class Watched:
    def __init__(self, handles, counts) -> None:
        self._handles, self._counts = handles, counts

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self._handles.__exit__(*error)

    def __getattr__(self, name):
        self._counts.append(len(self._handles))
        return getattr(self._handles, name)


def test_inputs_are_never_replaced_and_outputs_only_if_asked(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    write_mosaic(lines, tmp_path / "out.tif")

    with pytest.raises(OutputExistsError, match="out"):
        write_mosaic(lines, tmp_path / "out.tif")
    with pytest.raises(OutputError, match="is an input"):
        write_mosaic(lines, tmp_path / "line_1_map.tif", overwrite=True)
    with pytest.raises(OutputError, match=r"ends in \.tif"):
        write_mosaic(lines, tmp_path / "out.png")


def test_a_damaged_map_leaves_no_mosaic_behind(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    content = campaign[2].read_bytes()
    campaign[2].write_bytes(content[: len(content) // 2])
    before = set(tmp_path.iterdir())

    with pytest.raises(LabelError, match=r"line_2_map\.tif"):
        write_mosaic(lines, tmp_path / "out.tif", rule=Rule.ORDER)

    assert set(tmp_path.iterdir()) == before


def test_many_classes_are_composed_in_parts(campaign, tmp_path, monkeypatch):
    lines, _ = open_lines(campaign)
    write_mosaic(lines, tmp_path / "whole.tif")
    monkeypatch.setattr(assembly_module, "BLOCK_BYTES", 1 << 16)

    write_mosaic(lines, tmp_path / "parts.tif")

    assert np.array_equal(read(tmp_path / "whole.tif"), read(tmp_path / "parts.tif"))


def test_the_tag_is_json_that_names_the_rule(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    write_mosaic(lines, tmp_path / "out.tif", rule=Rule.ZENITH)

    with rasterio.open(tmp_path / "out_lines.tif") as dataset:
        tag = json.loads(dataset.tags()["HSIGEO"])

    assert tag["metadata"]["rule"] == "zenith"
    assert tag["metadata"]["kind"] == "lines"


def test_an_interrupted_mosaic_leaves_nothing_behind(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    before = set(tmp_path.iterdir())

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mosaic(lines, tmp_path / "out.tif", progress=interrupt)

    assert set(tmp_path.iterdir()) == before


def test_a_full_disk_is_one_error_and_nothing_is_left(campaign, tmp_path, monkeypatch):
    lines, _ = open_lines(campaign)
    before = set(tmp_path.iterdir())
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(map_files.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))

    with pytest.raises(OutputError, match="no space is left"):
        write_mosaic(lines, tmp_path / "out.tif")

    assert set(tmp_path.iterdir()) == before


def test_probabilities_that_are_no_numbers_do_not_count(campaign, tmp_path):
    with rasterio.open(tmp_path / "line_1_probabilities.tif", "r+") as layer:
        values = layer.read()
        values[1], values[2, ::2] = np.inf, -3e38
        layer.write(values)

    lines, _ = open_lines(campaign[:2])
    write_mosaic(lines, tmp_path / "mosaic.tif", rule=Rule.PROBABILITY)

    assert read(tmp_path / "mosaic_lines.tif").any()
