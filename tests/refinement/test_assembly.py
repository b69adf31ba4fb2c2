from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from campaigns import make_ids, make_line_grid, make_probabilities_of, read, write_line

from hsigeo.errors import LabelError, OutputError
from hsigeo.io import open_map
from hsigeo.refinement import assembly
from hsigeo.refinement.assembly import Refinement, refine_map
from hsigeo.refinement.changes import ClassChange
from hsigeo.refinement.filters import majority, remove_patches
from hsigeo.refinement.rows import most_probable_groups

GRID = make_line_grid(61, 43)
IDS = make_ids(GRID)
PROBABILITIES = make_probabilities_of(IDS)


@pytest.fixture
def raster(tmp_path):
    path = write_line(
        tmp_path / "line_map.tif", GRID, IDS, probabilities=PROBABILITIES, confidence=PROBABILITIES.max(axis=0)
    )
    return open_map(path)


def test_strips_give_what_the_whole_gives(raster, tmp_path, monkeypatch):
    whole = remove_patches(majority(IDS, 2), 12, diagonal=True)
    monkeypatch.setattr(assembly, "BLOCK", 7)

    refine_map(raster, tmp_path / "smooth.tif", Refinement(radius=2))
    refine_map(raster, tmp_path / "clean.tif", Refinement(radius=2, smallest_patch=12, diagonal=True))

    np.testing.assert_array_equal(read(tmp_path / "smooth.tif"), majority(IDS, 2))
    np.testing.assert_array_equal(read(tmp_path / "clean.tif"), whole)


def test_the_new_map_is_a_map_like_every_other(raster, tmp_path):
    changes = (ClassChange(old="水", name="Wasser <süß>"), ClassChange(old="soil", color=(9, 8, 7)))

    refined = refine_map(raster, tmp_path / "new.tif", Refinement(changes=changes))

    new = open_map(tmp_path / "new.tif")
    assert new.classes == refined.classes
    assert new.classes.names == ("Oak & elm", "Wasser <süß>", "soil")
    assert new.metadata["model_sha256"] == raster.metadata["model_sha256"]
    assert new.metadata["refined"][0]["map"] == "line_map.tif"
    assert [step["operation"] for step in new.metadata["refined"][0]["steps"]] == ["classes"]
    assert (tmp_path / "new.qml").is_file()
    assert (tmp_path / "new.tif.aux.xml").is_file()
    with rasterio.open(tmp_path / "new.tif") as dataset:
        assert dataset.transform == GRID.transform
        assert dataset.nodata == 0
        assert dataset.colormap(1)[4] == (9, 8, 7, 255)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    np.testing.assert_array_equal(read(tmp_path / "new.tif"), np.where(IDS == 3, 2, IDS))
    assert refined.pixels[2] == np.isin(IDS, (2, 3)).sum()


def test_a_second_refinement_remembers_the_first(raster, tmp_path):
    refine_map(raster, tmp_path / "one.tif", Refinement(radius=1))
    refine_map(open_map(tmp_path / "one.tif"), tmp_path / "two.tif", Refinement(smallest_patch=4))

    history = open_map(tmp_path / "two.tif").metadata["refined"]

    assert [(item["map"], item["steps"][0]["operation"]) for item in history] == [
        ("line_map.tif", "majority"),
        ("one.tif", "sieve"),
    ]
    assert json.dumps(history)


def test_stored_probabilities_give_the_map_again(raster, tmp_path):
    refine_map(raster, tmp_path / "again.tif", Refinement(probabilities=tmp_path / "line_probabilities.tif"))

    np.testing.assert_array_equal(read(tmp_path / "again.tif"), IDS)


def test_unsure_pixels_lose_their_class_by_either_layer(raster, tmp_path):
    expected = np.where(PROBABILITIES.max(axis=0) >= 0.5, IDS, 0)

    refine_map(raster, tmp_path / "a.tif", Refinement(min_confidence=0.5))
    refine_map(
        raster,
        tmp_path / "b.tif",
        Refinement(min_confidence=0.5, probabilities=tmp_path / "line_probabilities.tif"),
    )

    assert 0 < (expected > 0).sum() < (IDS > 0).sum()
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), expected)
    np.testing.assert_array_equal(read(tmp_path / "b.tif"), expected)


def test_the_probabilities_of_merged_classes_are_added():
    probability = np.array([0.4, 0.3, 0.3, np.nan], dtype=np.float32)[:3, None, None]
    groups = np.array([1, 2, 2], dtype=np.uint16)

    assert most_probable_groups(probability, groups, 0.0)[0, 0] == 2
    assert most_probable_groups(probability, groups, 0.7)[0, 0] == 0
    assert most_probable_groups(probability * np.nan, groups, -np.inf)[0, 0] == 0


def test_layers_of_another_map_are_refused(raster, tmp_path):
    other = make_line_grid(20, 30)
    write_line(tmp_path / "other_map.tif", other, make_ids(other), confidence=np.ones(other.shape))

    with pytest.raises(LabelError, match="its grid is not that of the map"):
        refine_map(
            raster,
            tmp_path / "new.tif",
            Refinement(min_confidence=0.5, confidence=tmp_path / "other_confidence.tif"),
        )
    with pytest.raises(LabelError, match="no confidences or probabilities beside"):
        alone = write_line(tmp_path / "alone_map.tif", GRID, IDS)
        refine_map(open_map(alone), tmp_path / "new.tif", Refinement(min_confidence=0.5))
    assert not (tmp_path / "new.tif").exists()


def test_the_map_is_never_replaced(raster, tmp_path):
    with pytest.raises(OutputError, match="is an input"):
        refine_map(raster, tmp_path / "line_map.tif", Refinement(radius=1), overwrite=True)
    np.testing.assert_array_equal(read(tmp_path / "line_map.tif"), IDS)


def test_a_pixel_of_no_class_in_the_table_is_an_error(tmp_path):
    ids = IDS.copy()
    ids[5, 5] = 77
    path = write_line(tmp_path / "odd_map.tif", GRID, ids)

    with pytest.raises(LabelError, match="class 77"):
        refine_map(open_map(path), tmp_path / "new.tif", Refinement(radius=1))
    assert not list(tmp_path.glob("*new*"))


def test_a_refinement_out_of_range_is_refused():
    for wrong in ({"min_confidence": 0.0}, {"radius": 51}, {"smallest_patch": -1}):
        with pytest.raises(ValueError, match="is"):
            Refinement(**wrong)
