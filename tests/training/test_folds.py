"""Folds keep neighbouring ground on one side, and say when they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_spectra import make_labelled_spectra

from hsigeo.training.folds import BUFFER_PIXELS, plan_disjoint_folds, plan_random_folds


def patch_samples(side=30, *, scenes=1):
    """A label raster: every pixel of one or more square scenes labelled, in three broad stripes."""
    row, col = (a.ravel() for a in np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    samples = make_labelled_spectra(side * side * scenes)
    row, col = np.tile(row, scenes), np.tile(col, scenes)
    scene = np.repeat(np.arange(scenes, dtype=np.int32), side * side)
    return replace(
        samples,
        row=row,
        col=col,
        scene=scene,
        class_id=(1 + col * 3 // side).astype(np.int32),
        group_kind="patch",
        group=scene.astype(np.int64),
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(0, 100))
def test_polygons_are_never_split_between_training_and_test(count, seed):
    samples = make_labelled_spectra(240)
    for fold in plan_disjoint_folds(samples, count=count, seed=seed).folds:
        assert not set(samples.group[fold.train]) & set(samples.group[fold.test])


def test_every_pixel_is_tested_once():
    samples = make_labelled_spectra(240)
    for plan in (plan_disjoint_folds(samples), plan_random_folds(samples)):
        tested = np.concatenate([fold.test for fold in plan.folds])
        np.testing.assert_array_equal(np.sort(tested), np.arange(240))


def test_each_fold_has_about_its_share_of_every_class():
    samples = make_labelled_spectra(600)
    for fold in plan_disjoint_folds(samples).folds:
        shares = np.bincount(samples.class_index[fold.test], minlength=3) / 200
        assert (shares > 0.1).all()
        assert (shares < 0.3).all()


def test_label_rasters_are_split_by_blocks_with_a_buffer():
    samples = patch_samples()
    plan = plan_disjoint_folds(samples)
    assert plan.kind == "block"
    for fold in plan.folds:
        test = np.stack([samples.row[fold.test], samples.col[fold.test]], axis=1)
        train = np.stack([samples.row[fold.train], samples.col[fold.train]], axis=1)
        distance = np.abs(test[:, None] - train[None]).max(axis=2)
        assert distance.min() > BUFFER_PIXELS


def test_the_buffer_takes_only_what_is_near():
    samples = patch_samples()
    for fold in plan_disjoint_folds(samples).folds:
        assert len(fold.train) > 0.3 * len(samples)


def test_several_scenes_with_label_rasters_are_left_out_whole():
    samples = patch_samples(12, scenes=4)
    plan = plan_disjoint_folds(samples)
    assert plan.kind == "scene"
    for fold in plan.folds:
        assert not set(samples.scene[fold.train]) & set(samples.scene[fold.test])


def test_a_class_with_one_polygon_is_halved_and_that_is_said():
    samples = make_labelled_spectra(120)
    samples = replace(samples, group=np.where(samples.class_index == 1, 10_000, samples.group))
    plan = plan_disjoint_folds(samples)
    assert plan.halved == ("class 1",)
    assert plan.notes == (
        "1 class has a single polygon, one half of which was tested on the other, so its figures are optimistic: "
        "'class 1'",
    )
    tested = np.concatenate([fold.test for fold in plan.folds])
    assert (samples.class_index[tested] == 1).sum() == 40


def test_a_class_is_never_judged_where_it_could_not_be_learnt():
    samples = make_labelled_spectra(41, classes=3)
    samples = replace(samples, class_id=np.where(np.arange(41) == 0, 3, samples.class_id % 2 + 1).astype(np.int32))
    for fold in plan_disjoint_folds(samples).folds:
        assert set(samples.class_index[fold.test]) <= set(samples.class_index[fold.train])


@pytest.mark.parametrize("plan", [plan_disjoint_folds, plan_random_folds])
def test_the_same_seed_gives_the_same_folds(plan):
    samples = make_labelled_spectra(240)
    for first, second in zip(plan(samples, seed=3).folds, plan(samples, seed=3).folds, strict=True):
        np.testing.assert_array_equal(first.test, second.test)


def test_where_every_class_has_one_polygon_the_figures_are_said_to_tell_nothing_of_other_ground():
    samples = make_labelled_spectra(120)
    plan = plan_disjoint_folds(replace(samples, group=samples.class_index.astype(np.int64)))

    assert plan.halved == samples.classes.names
    assert plan.notes[0].startswith("every class has a single polygon, so each was tested on the other half of it")


def test_many_classes_with_one_polygon_make_one_note():
    samples = make_labelled_spectra(400, classes=10)
    group = np.where(samples.class_index == 0, samples.group + 100, samples.class_index)
    plan = plan_disjoint_folds(replace(samples, group=group))

    assert len(plan.notes) == 1
    assert plan.notes[0].startswith("9 classes have a single polygon")
    assert plan.notes[0].endswith("'class 6' …")
