"""Labelled spectra are the spectra under the labels, and nothing is dropped in silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from encoded_scenes import Labels, encoded_scene

from hsigeo.classes import ClassTable
from hsigeo.errors import BandMismatchError, LabelError, TrainingError
from hsigeo.labels import LabelReport
from hsigeo.training import read_labelled_spectra


def test_spectra_are_those_of_the_labelled_pixels():
    labels = Labels([(0, 0, 1), (2, 4, 2), (7, 3, 3)])
    found = read_labelled_spectra([encoded_scene()], [labels])
    expected = [[row + col / 100 + band / 10_000 for band in range(6)] for row, col, _ in labels.places]
    np.testing.assert_allclose(found.spectra, expected, atol=1e-6)
    np.testing.assert_array_equal(found.class_id, [1, 2, 3])
    assert found.counts == {"oak": 1, "pine": 1, "水": 1}


def test_bad_bands_are_left_out_and_remembered():
    good = np.array([True, False, True, True, False, True])
    found = read_labelled_spectra([encoded_scene(good=good)], [Labels([(0, 0, 1), (1, 1, 2)])])
    np.testing.assert_array_equal(found.scene_band_index, [0, 2, 3, 5])
    assert found.scene_band_count == 6
    assert found.spectra.shape == (2, 4)


def test_pixels_on_nodata_are_not_used_and_are_counted():
    def lose_a_pixel(cube):
        cube[3, 1, 1] = np.nan

    labels = Labels([(0, 0, 1), (1, 1, 2), (2, 2, 2)])
    found = read_labelled_spectra([encoded_scene(change=lose_a_pixel)], [labels])
    assert len(found) == 2
    assert found.reports[0].pixels_on_nodata == 1


def test_a_band_without_data_is_left_out_rather_than_every_pixel():
    def lose_a_band(cube):
        cube[3] = np.nan

    found = read_labelled_spectra([encoded_scene(change=lose_a_band)], [Labels([(0, 0, 1), (1, 1, 2)])])
    assert found.spectra.shape == (2, 5)
    assert "1 bands are not marked bad but hold no data" in found.notes[0]


def test_a_second_scene_is_brought_to_the_first_ones_bands():
    reversed_axis = encoded_scene(wavelength=np.linspace(600.0, 500.0, 6))
    labels = [Labels([(0, 0, 1)]), Labels([(4, 1, 2)])]
    found = read_labelled_spectra([encoded_scene(), reversed_axis], labels)
    np.testing.assert_allclose(found.spectra[1], [4.01 + band / 10_000 for band in range(5, -1, -1)], atol=1e-6)
    np.testing.assert_array_equal(found.scene, [0, 1])


def test_scenes_without_shared_wavelengths_are_refused():
    other = encoded_scene(wavelength=np.linspace(1500.0, 1600.0, 6))
    with pytest.raises(BandMismatchError, match="lacks 6 of the 6"):
        read_labelled_spectra([encoded_scene(), other], [Labels([(0, 0, 1)]), Labels([(0, 0, 2)])])


def test_one_polygon_in_two_scenes_is_one_group_and_two_files_are_not():
    labels, other = Labels([(0, 0, 1), (1, 1, 2)]), Labels([(0, 0, 1), (1, 1, 2)], path="other.gpkg")
    shared = read_labelled_spectra([encoded_scene(), encoded_scene()], [labels, labels])
    np.testing.assert_array_equal(shared.group, [0, 1, 0, 1])
    apart = read_labelled_spectra([encoded_scene(), encoded_scene()], [labels, other])
    np.testing.assert_array_equal(apart.group, [0, 1, 2, 3])


def test_label_files_with_other_class_tables_agree_by_name():
    other = Labels([(0, 0, 1), (1, 0, 2)], path="b.tif", classes=ClassTable.from_names(["pine", "heath"]))
    found = read_labelled_spectra([encoded_scene(), encoded_scene()], [Labels([(0, 0, 1), (1, 1, 2)]), other])
    assert found.counts == {"oak": 1, "pine": 2, "heath": 1}


def test_no_label_on_any_scene_is_refused():
    with pytest.raises(LabelError, match=r"labels\.gpkg: no label falls on scene\.hdr.*states its CRS"):
        read_labelled_spectra([encoded_scene()], [Labels([])])


def test_labels_on_nodata_only_are_refused():
    def lose_all(cube):
        cube[:] = np.nan

    with pytest.raises(LabelError, match="nodata"):
        read_labelled_spectra([encoded_scene(change=lose_all)], [Labels([(0, 0, 1), (1, 1, 2)])])


def test_one_class_is_refused():
    with pytest.raises(TrainingError, match="only one class \\('oak'\\)"):
        read_labelled_spectra([encoded_scene()], [Labels([(0, 0, 1), (1, 1, 1)])])


def test_a_class_without_usable_pixels_is_named():
    found = read_labelled_spectra([encoded_scene()], [Labels([(0, 0, 1), (1, 1, 2)])])
    assert found.notes == ("classes without a usable pixel, left out: 水",)


def test_labels_without_any_class_are_told_apart_from_labels_elsewhere():
    class Classless(Labels):
        def on(self, grid):
            return replace(super().on(grid), report=LabelReport(features=4, features_without_class=4))

    with pytest.raises(LabelError, match=r"labels\.gpkg: no feature that has a class falls .* 4 have none"):
        read_labelled_spectra([encoded_scene()], [Classless([])])


@pytest.mark.parametrize("number", [0.0, -9999.0])
def test_filled_pixels_are_not_used_and_are_said(number):
    def fill(cube):
        cube[:, 2, :2] = number

    labels = Labels([(2, 0, 1), (2, 1, 2), (2, 2, 1), (3, 3, 2)])
    found = read_labelled_spectra([encoded_scene(change=fill)], [labels])
    np.testing.assert_array_equal(found.col, [2, 3])
    assert (found.reports[0].pixels_on_fill, found.reports[0].pixels_on_nodata) == (2, 0)
    assert found.notes[0].startswith(f"scene.hdr: 2 labelled pixels hold {number:g} in every band and are left out")


def test_many_filled_pixels_are_not_taken_for_dead_bands():
    def fill(cube):
        cube[:, 0] = -9999
        cube[:, 5:] = -9999

    places = [(row, col, 1 + col % 2) for row in (0, 1, 5, 6, 7) for col in range(5)]
    found = read_labelled_spectra([encoded_scene(change=fill)], [Labels(places)])
    assert (len(found), found.bands.count) == (5, 6)


def test_labels_on_nothing_but_fill_are_refused():
    def fill_all(cube):
        cube[:] = 0

    with pytest.raises(LabelError, match="all 2 labelled pixels hold 0 in every band: a fill value"):
        read_labelled_spectra([encoded_scene(change=fill_all)], [Labels([(0, 0, 1), (1, 1, 2)])])
