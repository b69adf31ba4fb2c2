from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from campaigns import make_ids, make_line_grid, make_probabilities_of, read, write_line

from hsigeo.errors import LabelError, OutputError
from hsigeo.io import open_map
from hsigeo.refinement import assembly
from hsigeo.refinement.assembly import refine_map
from hsigeo.refinement.changes import ClassChange
from hsigeo.refinement.filters import clump, majority, remove_patches
from hsigeo.refinement.probabilities import decide, decided_groups, sum_groups
from hsigeo.refinement.request import Refinement, Smoothing
from hsigeo.refinement.thresholds import Thresholds

GRID = make_line_grid(61, 43)
IDS = make_ids(GRID)
PROBABILITIES = make_probabilities_of(IDS)


@pytest.fixture
def raster(tmp_path):
    path = write_line(
        tmp_path / "line_map.tif", GRID, IDS, probabilities=PROBABILITIES, confidence=PROBABILITIES.max(axis=0)
    )
    return open_map(path)


@pytest.mark.parametrize("in_memory", [False, True])
def test_strips_give_what_the_whole_gives(raster, tmp_path, monkeypatch, in_memory):
    whole = remove_patches(majority(IDS, 2), 12, diagonal=True)
    monkeypatch.setattr(assembly, "BLOCK", 7)
    monkeypatch.setattr(assembly, "SMALL_PIXELS", IDS.size if in_memory else 0)

    refine_map(raster, tmp_path / "smooth.tif", Refinement(radius=2))
    refine_map(raster, tmp_path / "clean.tif", Refinement(radius=2, smallest_patch=12, diagonal=True))

    np.testing.assert_array_equal(read(tmp_path / "smooth.tif"), majority(IDS, 2))
    np.testing.assert_array_equal(read(tmp_path / "clean.tif"), whole)


@pytest.mark.parametrize("in_memory", [False, True])
def test_progress_counts_the_reading_that_comes_before_all_writing_in_a_sieve(raster, tmp_path, monkeypatch, in_memory):
    monkeypatch.setattr(assembly, "BLOCK", 7)
    monkeypatch.setattr(assembly, "SMALL_PIXELS", IDS.size if in_memory else 0)
    told = []

    refine_map(raster, tmp_path / "a.tif", Refinement(smallest_patch=12), progress=lambda *where: told.append(where))

    done, totals = [where[0] for where in told], {where[1] for where in told}
    assert done == sorted(done)
    assert IDS.size in done
    assert totals == {done[-1]}
    assert done[-1] > 2 * IDS.size


def test_strips_are_clumped_as_the_whole_is(raster, tmp_path, monkeypatch):
    monkeypatch.setattr(assembly, "BLOCK", 5)

    refine_map(raster, tmp_path / "joined.tif", Refinement(clump_radius=3, clumped=("水", "1")))

    expected = clump(IDS, 3, {1, 3})
    assert (expected != IDS).any()
    np.testing.assert_array_equal(read(tmp_path / "joined.tif"), expected)


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

    refine_map(raster, tmp_path / "a.tif", Refinement(thresholds=Thresholds(everywhere=0.5)))
    refine_map(
        raster,
        tmp_path / "b.tif",
        Refinement(thresholds=Thresholds(everywhere=0.5), probabilities=tmp_path / "line_probabilities.tif"),
    )

    assert 0 < (expected > 0).sum() < (IDS > 0).sum()
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), expected)
    np.testing.assert_array_equal(read(tmp_path / "b.tif"), expected)


def test_a_class_may_have_a_threshold_of_its_own(raster, tmp_path):
    confidence = PROBABILITIES.max(axis=0)
    least = np.array([-np.inf, 0.4, 0.4, 0.7, 0.0])[IDS]
    thresholds = Thresholds(everywhere=0.4, of_classes=(("水", 0.7), ("4", 0.0)))
    layer = tmp_path / "line_probabilities.tif"

    refine_map(raster, tmp_path / "a.tif", Refinement(thresholds=thresholds))
    refine_map(raster, tmp_path / "b.tif", Refinement(thresholds=thresholds, probabilities=layer))

    expected = np.where(confidence >= least, IDS, 0)
    assert 0 < (expected == 3).sum() < (IDS == 3).sum()
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), expected)
    np.testing.assert_array_equal(read(tmp_path / "b.tif"), expected)
    step = open_map(tmp_path / "a.tif").metadata["refined"][0]["steps"][0]
    assert step["threshold"] == 0.4
    assert step["thresholds"] == {"水": 0.7, "4": 0.0}


def test_thresholds_are_of_the_classes_of_the_new_map(raster, tmp_path):
    changes = (ClassChange(old="水", name="Wasser"), ClassChange(old="Wasser <süß>", name="Wasser"))
    thresholds = Thresholds(of_classes=(("Wasser", 0.8),))

    refined = refine_map(raster, tmp_path / "a.tif", Refinement(changes=changes, thresholds=thresholds))

    confidence = PROBABILITIES.max(axis=0)
    assert refined.pixels[2] == (np.isin(IDS, (2, 3)) & (confidence >= 0.8)).sum()
    with pytest.raises(LabelError, match="no class '水' for a threshold"):
        refine_map(
            raster,
            tmp_path / "b.tif",
            Refinement(changes=changes, thresholds=Thresholds(of_classes=(("水", 0.8),))),
        )


def test_the_probabilities_of_merged_classes_are_added():
    probability = np.array([0.4, 0.3, 0.3], dtype=np.float32)[:, None, None]
    groups = np.array([1, 2, 2], dtype=np.uint16)

    def decided(values, least):
        limits = np.array([-np.inf, least, least], dtype=np.float32)
        return decide(sum_groups(values, groups), decided_groups(groups), limits)[0, 0]

    assert decided(probability, 0.0) == 2
    assert decided(probability, 0.7) == 0
    assert decided(probability * np.nan, -np.inf) == 0


def test_new_confidences_are_those_of_the_classes_on_the_new_map(raster, tmp_path):
    layer = tmp_path / "line_probabilities.tif"
    refinement = Refinement(probabilities=layer, radius=1, thresholds=Thresholds(everywhere=0.3))

    refine_map(raster, tmp_path / "new_map.tif", refinement, confidence=tmp_path / "new_confidence.tif")

    ids = read(tmp_path / "new_map.tif")
    found = read(tmp_path / "new_confidence.tif")
    expected = np.take_along_axis(PROBABILITIES, np.maximum(ids, 1)[None].astype(int) - 1, axis=0)[0]
    expected[ids == 0] = np.nan
    np.testing.assert_array_equal(found, expected)
    assert (tmp_path / "new_confidence.qml").is_file()
    again = Refinement(thresholds=Thresholds(everywhere=0.99))  # finds the layer beside the map, and it fits
    assert refine_map(open_map(tmp_path / "new_map.tif"), tmp_path / "again.tif", again).pixels[0] > 0


def test_new_confidences_need_probabilities(raster, tmp_path):
    confidences = Refinement(
        confidence=tmp_path / "line_confidence.tif", thresholds=Thresholds(everywhere=0.5), smoothing=None
    )
    with pytest.raises(LabelError, match="give the probabilities"):
        refine_map(raster, tmp_path / "a.tif", confidences, confidence=tmp_path / "a_confidence.tif")
    (tmp_path / "line_probabilities.tif").unlink()
    with pytest.raises(LabelError, match="no probabilities beside"):
        refine_map(raster, tmp_path / "a.tif", Refinement(smoothing=Smoothing(strength=1)))
    assert not list(tmp_path.glob("*a*.tif.*"))
    assert not (tmp_path / "a.tif").exists()


def test_layers_of_another_map_are_refused(raster, tmp_path):
    other = make_line_grid(20, 30)
    write_line(tmp_path / "other_map.tif", other, make_ids(other), confidence=np.ones(other.shape))

    with pytest.raises(LabelError, match="its grid is not that of the map"):
        refine_map(
            raster,
            tmp_path / "new.tif",
            Refinement(thresholds=Thresholds(everywhere=0.5), confidence=tmp_path / "other_confidence.tif"),
        )
    with pytest.raises(LabelError, match="no confidence or probabilities beside"):
        alone = write_line(tmp_path / "alone_map.tif", GRID, IDS)
        refine_map(open_map(alone), tmp_path / "new.tif", Refinement(thresholds=Thresholds(everywhere=0.5)))
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
    for wrong in ({"clump_radius": 51}, {"radius": 51}, {"smallest_patch": -1}):
        with pytest.raises(ValueError, match="is"):
            Refinement(**wrong)
