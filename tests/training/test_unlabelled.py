"""The sample of a scene's pixels is bounded, the same every time, and tells nothing of ground that is held out."""

from __future__ import annotations

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from encoded_scenes import Labels, encoded_scene

from hsigeo.bands import BandTable
from hsigeo.grid import Grid
from hsigeo.scene import make_scene
from hsigeo.training import on_bands_of, read_labelled_spectra
from hsigeo.training.unlabelled import CHUNKS, DRAWN, Place, UnlabelledSpectra, choose_places, gather

LABELS = Labels([(0, 0, 1), (2, 4, 2), (7, 3, 3)])
NONE = Place(row=np.zeros(0, np.int64), col=np.zeros(0, np.int64))


def place(*places):
    row, col = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Place(row=row, col=col)


def chunk_of(found, rows, columns):
    return set(zip((found.row // rows).tolist(), (found.col // columns).tolist(), strict=True))


def test_a_small_scene_gives_every_pixel_once():
    found = choose_places(((3, 3, 2), (2, 2, 1)), NONE)
    assert sorted(zip(found.row.tolist(), found.col.tolist(), strict=True)) == [
        (r, c) for r in range(8) for c in range(5)
    ]


def test_of_a_large_scene_a_bounded_number_comes_out_of_a_bounded_number_of_chunks():
    found = choose_places(((100,) * 300, (5000,)), NONE, most=500)
    assert len(found) == DRAWN * 500
    chunks = sorted(row for row, _ in chunk_of(found, 100, 5000))
    assert len(chunks) == CHUNKS
    assert max(np.diff(chunks)) <= 300 // CHUNKS + 1  # from the top to the bottom


def test_chunks_that_are_read_for_labels_are_used_and_only_the_rest_is_added():
    labelled = place(*[(100 * number + 7, 3) for number in range(CHUNKS - 1)])
    found = choose_places(((100,) * 300, (5000,)), labelled)
    chunks = {row for row, _ in chunk_of(found, 100, 5000)}
    assert set(range(CHUNKS - 1)) < chunks
    assert len(chunks) == CHUNKS
    many = place(*[(100 * number, 0) for number in range(2 * CHUNKS)])
    assert chunk_of(choose_places(((100,) * 300, (5000,)), many), 100, 5000) == chunk_of(many, 100, 5000)


def test_many_scenes_share_what_one_may_read():
    found = choose_places(((100,) * 300, (5000,)), NONE, scenes=50, most=500)
    assert len(chunk_of(found, 100, 5000)) == 1
    assert len(found) == DRAWN * 10


def test_the_spectra_are_those_of_the_scene_at_their_places():
    found = read_labelled_spectra([encoded_scene()], [LABELS], unlabelled=30).unlabelled
    assert len(found) == 30
    expected = found.row[:, None] + found.col[:, None] / 100 + np.arange(6) / 10_000
    np.testing.assert_allclose(found.spectra, expected, atol=1e-6)
    # Pixel (0, 0) of band 0 is 0, which is no fill value while the other bands are not.
    assert len(set(zip(found.row.tolist(), found.col.tolist(), strict=True))) == 30


def test_labelled_spectra_are_the_same_bits_with_and_without():
    with_others = read_labelled_spectra([encoded_scene()], [LABELS], unlabelled=30)
    without = read_labelled_spectra([encoded_scene()], [LABELS])
    assert without.unlabelled is None
    np.testing.assert_array_equal(with_others.spectra, without.spectra)


def test_every_scene_gives_the_same_pixels_in_any_company_of_that_size():
    one, other = encoded_scene(), encoded_scene(lines=20, shift=0.5)
    first = read_labelled_spectra([one, other], [LABELS, LABELS], unlabelled=24).unlabelled
    second = read_labelled_spectra([other, one], [LABELS, LABELS], unlabelled=24).unlabelled
    assert np.bincount(first.scene).tolist() == [12, 12]
    np.testing.assert_array_equal(first.spectra[first.scene == 0], second.spectra[second.scene == 1])
    np.testing.assert_array_equal(first.spectra[first.scene == 1], second.spectra[second.scene == 0])


def test_pixels_without_data_and_pixels_of_a_fill_value_never_enter():
    def spoil(cube):
        cube[3, 4] = np.nan
        cube[:, 5] = -9.0
        cube[:, 6] = 0.0

    found = read_labelled_spectra([encoded_scene(change=spoil)], [LABELS], unlabelled=400).unlabelled
    assert set(found.row.tolist()) == {0, 1, 2, 3, 7}
    assert np.isfinite(found.spectra).all()


def test_a_band_that_is_left_out_of_the_labels_is_left_out_here():
    def lose_a_band(cube):
        cube[3] = np.nan

    found = read_labelled_spectra([encoded_scene(change=lose_a_band)], [LABELS], unlabelled=30)
    assert found.unlabelled.spectra.shape == (30, 5)


def test_a_second_scene_is_brought_to_the_first_ones_bands():
    turned = encoded_scene(wavelength=np.linspace(600.0, 500.0, 6), shift=0.5)
    found = read_labelled_spectra([encoded_scene(), turned], [LABELS, LABELS], unlabelled=60).unlabelled
    spectra = found.spectra[found.scene == 1]
    assert (np.diff(spectra, axis=1) < 0).all()


def test_a_scene_without_labels_gives_pixels_too():
    found = read_labelled_spectra([encoded_scene(), encoded_scene()], [LABELS, Labels([])], unlabelled=40).unlabelled
    assert np.bincount(found.scene).tolist() == [20, 20]


def test_where_no_pixel_holds_data_there_is_no_sample():
    places = place((0, 0), (1, 1))
    assert gather([(np.full((2, 3), np.nan, np.float32), places)], 5) is None
    assert len(gather([(np.array([[0.1, 0.2], [np.nan, 0.2]], np.float32), places)], 5)) == 1


def test_pixels_on_held_out_ground_and_beside_it_are_left_out():
    samples = read_labelled_spectra([encoded_scene(lines=20, samples=15)], [LABELS], unlabelled=1000)
    part = samples.training_part(np.array([0, 1]), np.array([2])).unlabelled
    near = (np.abs(part.row - 7) <= 2) & (np.abs(part.col - 3) <= 2)
    assert not near.any()
    assert len(part) == 20 * 15 - 25
    assert samples.take(np.array([0, 1])).unlabelled is None


def test_held_out_ground_of_one_scene_is_not_held_out_of_another():
    scenes, labels = [encoded_scene(lines=20, samples=15)] * 2, [Labels([(0, 0, 1), (9, 9, 2)]), LABELS]
    samples = read_labelled_spectra(scenes, labels, unlabelled=1200)
    part = samples.training_part(np.array([0, 2, 3, 4]), np.array([1])).unlabelled
    assert np.bincount(part.scene).tolist() == [300 - 25, 300]


def test_a_scene_that_is_tested_and_not_learnt_gives_nothing():
    samples = read_labelled_spectra([encoded_scene(), encoded_scene()], [LABELS, LABELS], unlabelled=80)
    part = samples.training_part(np.array([0, 1, 2]), np.array([3, 4, 5])).unlabelled
    assert set(part.scene.tolist()) == {0}


def test_other_bands_are_made_for_these_pixels_too():
    samples = read_labelled_spectra([encoded_scene()], [LABELS], unlabelled=30)
    other = BandTable(count=2, wavelength=np.array([540.0, 580.0]), fwhm=np.array([40.0, 40.0]))
    made = on_bands_of(samples, other)
    assert made.unlabelled.spectra.shape == (30, 2)
    again = on_bands_of(replace(samples, spectra=samples.unlabelled.spectra[: len(samples)]), other)
    np.testing.assert_allclose(made.unlabelled.spectra[: len(samples)], again.spectra, rtol=1e-6)


@pytest.mark.parametrize("count", [0, 1])
def test_no_pixels_at_all_lie_apart_from_anything(count):
    spectra = UnlabelledSpectra(
        spectra=np.zeros((count, 3), np.float32),
        scene=np.zeros(count, np.int32),
        row=np.arange(count),
        col=np.arange(count),
    )
    assert len(spectra.apart_from(np.zeros(0, np.int32), NONE)) == count


def test_scenes_in_memory_are_sampled_as_well():
    cube = np.random.default_rng(0).random((4, 6, 5), dtype=np.float32)
    scene = make_scene(cube, grid=Grid(lines=6, samples=5), bands=BandTable(count=4), attrs={})
    lazy = make_scene(da.from_array(cube), grid=Grid(lines=6, samples=5), bands=BandTable(count=4), attrs={})
    labels = Labels([(0, 0, 1), (5, 4, 2)])
    first, second = (read_labelled_spectra([each], [labels], unlabelled=10).unlabelled for each in (scene, lazy))
    np.testing.assert_array_equal(first.spectra, second.spectra)
