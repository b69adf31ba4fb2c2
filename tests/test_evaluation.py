from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr
from classifications import ROTATED, make_grid
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from vector_files import write_vectors

from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.errors import LabelError
from hsigeo.evaluation import evaluate, match_classes
from hsigeo.fingerprint import fingerprint
from hsigeo.intervals import wilson_interval
from hsigeo.io import write_map
from hsigeo.metrics import confusion_matrix
from hsigeo.scene import spatial_coords

NAMES = ("roof", "tree", "water")
UTM33 = CRS.from_epsg(32633)


def write_class_map(path: Path, ids: np.ndarray, names=NAMES, metadata=None) -> Path:
    attrs = {"classes": ClassTable.from_names(names).to_json(), "metadata": metadata or {}}
    result = xr.Dataset({"class_id": (("y", "x"), ids, attrs)}, coords=spatial_coords(make_grid(*ids.shape)))
    write_map(result, path)
    return path


def write_points(path: Path, pixels: list[tuple[int, int]], names: list) -> Path:
    """Points in the centres of these (row, col) pixels."""
    points = [shapely.Point(*(ROTATED @ (col + 0.5, row + 0.5))) for row, col in pixels]
    return write_vectors(path, points, {"class": names})


def write_truth(path: Path, ids: np.ndarray, transform=ROTATED) -> Path:
    height, width = ids.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=1, dtype="uint8", crs=UTM33, transform=transform
    ) as dataset:
        dataset.write(ids, 1)
    return path


def make_ids(lines: int = 30, samples: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (lines, samples)).astype("uint8")


def test_points_are_compared_with_the_pixel_they_fall_on(tmp_path):
    ids = np.array([[1, 2], [3, 0]], dtype="uint8")
    path = write_class_map(tmp_path / "map.tif", ids)
    pixels = [(0, 0), (0, 1), (1, 0), (1, 1)]
    labels = write_points(tmp_path / "labels.gpkg", pixels, ["roof", "water", "water", "tree"])

    result = evaluate(path, labels)

    assert result.accuracy.names == ("roof", "tree", "water")
    assert result.accuracy.confusion.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 0]]
    assert result.accuracy.overall == pytest.approx(2 / 3)
    assert result.accuracy.coverage == 0.75
    assert "1 labelled pixels are nodata or unclassified in the map and do not count" in result.notes


def test_a_reference_raster_is_compared_pixel_by_pixel(tmp_path):
    ids, truth = make_ids(), make_ids(seed=1)
    path = write_class_map(tmp_path / "map.tif", ids)

    result = evaluate(path, write_truth(tmp_path / "truth.tif", truth))

    np.testing.assert_array_equal(result.accuracy.confusion, confusion_matrix(truth.ravel(), ids.ravel(), 3))
    assert result.accuracy.names == NAMES  # the raster has numbers only, so the map's names are shown


def test_reading_in_strips_changes_nothing(tmp_path, monkeypatch):
    ids, truth = make_ids(1200, 40), make_ids(1200, 40, seed=1)
    path = write_class_map(tmp_path / "map.tif", ids)
    reference = write_truth(tmp_path / "truth.tif", truth)
    whole = evaluate(path, reference).accuracy.confusion

    monkeypatch.setattr("hsigeo.evaluation._READ_PIXELS", 64)
    monkeypatch.setattr("hsigeo.io.class_raster._STRIP_PIXELS", 64)

    np.testing.assert_array_equal(evaluate(path, reference).accuracy.confusion, whole)


def test_classes_are_matched_by_name_whatever_their_ids_and_case(tmp_path):
    path = write_class_map(
        tmp_path / "map.tif", np.array([[1, 2, 3]], dtype="uint8"), names=("Water", "ROOF", "straße")
    )
    labels = write_points(tmp_path / "l.gpkg", [(0, 0), (0, 1), (0, 2)], ["water", "roof", "STRASSE"])

    result = evaluate(path, labels)

    assert result.accuracy.overall == 1
    assert result.match.only_in_labels == result.match.only_in_map == ()


def test_classes_of_one_side_only_are_reported_and_count_as_errors(tmp_path):
    path = write_class_map(tmp_path / "map.tif", np.array([[1, 2, 3]], dtype="uint8"))
    labels = write_points(tmp_path / "l.gpkg", [(0, 0), (0, 1), (0, 2)], ["roof", "lawn", "lawn"])

    result = evaluate(path, labels)

    assert result.accuracy.names == ("lawn", "roof", "tree", "water")
    assert result.accuracy.overall == pytest.approx(1 / 3)
    assert result.match.only_in_labels == ("lawn",)
    assert result.match.only_in_map == ("tree", "water")
    assert "classes only in the labels: lawn" in result.notes
    assert "classes only in the map: tree, water" in result.notes


def test_a_map_and_labels_without_a_class_in_common_are_refused(tmp_path):
    path = write_class_map(tmp_path / "map.tif", np.ones((2, 2), dtype="uint8"))
    labels = write_points(tmp_path / "l.gpkg", [(0, 0)], ["corn"])

    with pytest.raises(LabelError, match=r"no class in common: the map has roof, tree, water, the labels corn"):
        evaluate(path, labels)


def test_labels_beside_the_map_are_refused(tmp_path):
    path = write_class_map(tmp_path / "map.tif", np.ones((2, 2), dtype="uint8"))
    labels = write_points(tmp_path / "l.gpkg", [(50, 50)], ["roof"])

    with pytest.raises(LabelError, match="no label falls on"):
        evaluate(path, labels)


def test_what_became_of_the_labels_is_reported(tmp_path):
    path = write_class_map(tmp_path / "map.tif", np.ones((4, 4), dtype="uint8"))
    labels = write_points(
        tmp_path / "l.gpkg", [(0, 0), (0, 0), (1, 1), (1, 1), (9, 9)], ["roof", "roof", "roof", "tree", "tree"]
    )

    result = evaluate(path, labels)

    assert result.accuracy.total == 1
    assert "labels not used: 1 feature outside the map, 1 pixel in two classes" in result.notes
    document = result.to_json()
    assert document["labels"]["pixels_contradicting"] == 1
    assert document["labels"]["features_outside"] == 1
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_labels_the_model_was_trained_on_are_recognised(tmp_path):
    labels = write_points(tmp_path / "l.gpkg", [(0, 0)], ["roof"])
    metadata = {"provenance": {"labels": [{"name": "l.gpkg", "fingerprint": fingerprint(labels)}]}}
    path = write_class_map(tmp_path / "map.tif", np.ones((2, 2), dtype="uint8"), metadata=metadata)
    others = write_points(tmp_path / "others.gpkg", [(0, 1)], ["roof"])

    assert evaluate(path, labels).on_training_labels
    assert not evaluate(path, others).on_training_labels


def test_a_foreign_map_with_numbers_only_is_compared_by_id(tmp_path):
    truth = make_ids(seed=1)
    path = write_truth(tmp_path / "map.tif", make_ids())

    result = evaluate(path, write_truth(tmp_path / "truth.tif", truth))

    counted = truth[make_ids() > 0]
    np.testing.assert_array_equal(result.accuracy.support, np.bincount(counted)[1:])


def test_memory_follows_the_labels_and_not_the_map(tmp_path):
    side = 8000
    path = tmp_path / "map.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=side,
        width=side,
        count=1,
        dtype="uint8",
        crs=UTM33,
        transform=ROTATED,
        tiled=True,
        compress="deflate",
        SPARSE_OK=True,
    ) as dataset:
        dataset.update_tags(HSIGEO=json.dumps({"classes": ClassTable.from_names(NAMES).to_json()}))
        dataset.write(np.full((1, 64, 64), 2, dtype="uint8"), window=rasterio.windows.Window(7900, 7900, 64, 64))
    labels = write_points(tmp_path / "l.gpkg", [(3, 3), (7910, 7910), (4000, 10)], ["roof", "tree", "water"])

    def peak_of(areas: bool) -> int:
        tracemalloc.start()
        result = evaluate(path, labels, areas=areas)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result.accuracy.correct.tolist() == [0, 1, 0]
        return peak

    assert peak_of(areas=False) < 10 << 20
    assert peak_of(areas=True) < 80 << 20  # a strip of 4 million pixels; the map has 64 million


def test_a_missing_map_and_a_scene_are_refused(tmp_path):
    labels = write_points(tmp_path / "l.gpkg", [(0, 0)], ["roof"])
    with pytest.raises(LabelError, match=r"nowhere\.tif does not exist; give a class map"):
        evaluate("nowhere.tif", labels)
    with pytest.raises(LabelError, match="is a folder; give a class map"):
        evaluate(tmp_path, labels)
    with rasterio.open(
        tmp_path / "scene.tif",
        "w",
        driver="GTiff",
        height=2,
        width=2,
        count=3,
        dtype="uint8",
        crs=UTM33,
        transform=ROTATED,
    ) as dataset:
        dataset.write(np.ones((3, 2, 2), dtype="uint8"))
    with pytest.raises(LabelError, match=r"scene\.tif has 3 bands; a class map has one"):
        evaluate(tmp_path / "scene.tif", labels)


def table(entries: dict[int, str]) -> ClassTable:
    return ClassTable(tuple(ClassEntry(id=n, name=name, color=(n, 0, 0)) for n, name in entries.items()))


@pytest.mark.parametrize(
    ("labels", "class_map", "pairs"),
    [
        ({1: "a", 2: "b"}, {1: "b", 2: "a"}, {1: 2, 2: 1}),
        ({1: "A"}, {7: "a"}, {1: 7}),
        ({1: "A", 2: "a"}, {7: "a"}, {2: 7}),
        ({1: "Aa", 2: "aA"}, {7: "aa"}, {}),
        ({1: "1", 2: "2"}, {1: "roof", 2: "tree"}, {1: 1, 2: 2}),
        ({1: "roof"}, {1: "1"}, {1: 1}),
        ({1: "roof"}, {1: "tree"}, {}),
        ({3: "3"}, {1: "1", 3: "3"}, {3: 3}),
    ],
    ids=[
        "by name",
        "by case",
        "exact first",
        "ambiguous case",
        "numbers here",
        "numbers there",
        "other names",
        "numbers",
    ],
)
def test_which_class_is_which(labels, class_map, pairs):
    match = match_classes(table(labels), table(class_map))

    found = {
        ref: mapped for ref, at in match.reference.items() for mapped, there in match.mapped.items() if at == there
    }
    assert found == pairs
    assert len(match.names) == len(labels) + len(class_map) - len(pairs)


tables = st.dictionaries(
    st.integers(1, 9), st.sampled_from(["a", "A", "b", "B", "1", "2", "ß", "ss"]), max_size=6
).filter(lambda entries: len(set(entries.values())) == len(entries))


@given(tables, tables)
def test_every_class_has_a_place_of_its_own_and_at_most_one_partner(labels, class_map):
    match = match_classes(table(labels), table(class_map))

    assert len(set(match.names)) == len(match.names)
    assert len(set(match.reference.values())) == len(labels)
    assert len(set(match.mapped.values())) == len(class_map)
    assert set(match.reference.values()) | set(match.mapped.values()) == set(range(1, len(match.names) + 1))


def test_polygons_count_as_units_and_points_as_pixels(tmp_path):
    ids = np.ones((8, 10), dtype="uint8")
    ids[:, 5:] = 2
    path = write_class_map(tmp_path / "map.tif", ids)
    corners = [ROTATED @ corner for corner in ((0, 0), (4, 0), (4, 8), (0, 8))]
    others = [ROTATED @ corner for corner in ((6, 0), (10, 0), (10, 8), (6, 8))]
    polygons = write_vectors(
        tmp_path / "p.gpkg", [shapely.Polygon(corners), shapely.Polygon(others)], {"class": ["roof", "tree"]}
    )
    points = write_points(
        tmp_path / "l.gpkg", [(0, 1), (3, 1), (5, 2), (1, 7), (2, 8), (6, 9)], ["roof"] * 3 + ["tree"] * 2 + ["roof"]
    )

    by_polygon, by_point = evaluate(path, polygons), evaluate(path, points)

    assert (by_polygon.intervals.units, by_polygon.intervals.count) == ("units of ground", 2)
    assert by_polygon.intervals.overall == wilson_interval(2, 2)
    assert by_polygon.area_note.startswith("NOT valid")
    assert (by_point.intervals.units, by_point.intervals.count) == ("pixels", 6)
    assert by_point.area_note.startswith("valid if")


def test_areas_are_the_maps_own_corrected_by_its_errors(tmp_path):
    ids = np.ones((8, 10), dtype="uint8")
    ids[:, 6:] = 2
    path = write_class_map(tmp_path / "map.tif", ids)
    points = write_points(
        tmp_path / "l.gpkg", [(0, 1), (3, 1), (5, 2), (4, 4), (2, 8), (6, 9)], ["roof"] * 3 + ["tree"] * 3
    )

    found = evaluate(path, points).areas

    pixel = abs(ROTATED.determinant) / 1e4
    assert found.unit == "ha"
    assert found.mapped == pytest.approx([48 * pixel, 32 * pixel, 0])
    assert found.area == pytest.approx([0.75 * 48 * pixel, (0.25 * 48 + 32) * pixel, 0])


def test_areas_are_refused_where_a_mapped_class_has_no_reference(tmp_path):
    path = write_class_map(tmp_path / "map.tif", make_ids())
    labels = write_points(tmp_path / "l.gpkg", [(0, 1), (3, 1)], ["roof", "roof"])

    result = evaluate(path, labels)

    assert result.areas is None
    assert "fewer than 2 reference pixels" in result.area_note
    assert result.to_json()["area_adjusted"] is None


def test_no_areas_from_the_labels_the_model_knows(tmp_path):
    labels = write_points(tmp_path / "l.gpkg", [(0, 0)], ["roof"])
    metadata = {"provenance": {"labels": [{"name": "l.gpkg", "fingerprint": fingerprint(labels)}]}}
    path = write_class_map(tmp_path / "map.tif", np.ones((2, 2), dtype="uint8"), metadata=metadata)

    assert "trained on these labels" in evaluate(path, labels).area_note


def test_a_reference_raster_counts_by_blocks(tmp_path):
    path = write_class_map(tmp_path / "map.tif", make_ids())

    result = evaluate(path, write_truth(tmp_path / "truth.tif", make_ids(seed=1)))

    assert (result.intervals.units, result.intervals.count) == ("units of ground", 6)  # 30 x 20 pixels, blocks of 10


def test_a_map_that_leaves_out_what_is_unknown_says_so(tmp_path):
    ids = np.array([[1, 0], [2, 2]], dtype="uint8")
    path = write_class_map(tmp_path / "map.tif", ids, metadata={"unknown": {"rate": 0.05, "pixels": 1}})
    labels = write_points(tmp_path / "l.gpkg", [(0, 0), (0, 1), (1, 0)], ["roof", "roof", "tree"])

    result = evaluate(path, labels)

    assert result.accuracy.overall == 1.0
    assert result.accuracy.coverage == pytest.approx(2 / 3)
    assert any("leaves 1 pixels unclassified that are unlike the training data" in note for note in result.notes)


def test_a_classification_that_is_not_written_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(LabelError, match="write it with write_map first: this is a dict"):
        evaluate({}, tmp_path / "l.gpkg")
