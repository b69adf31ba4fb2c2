"""Cross-validation judges what was not learnt, and says how a random split would have flattered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra
from torch import nn

from hsigeo.calibration import expected_calibration_error, fit_temperature, soften
from hsigeo.training.curve import CURVE_FOLDS, SHARES, measure_learning_curve
from hsigeo.training.trained import Trained
from hsigeo.training.validation import validate


class NearestMean(nn.Module):
    """Logits are negative squared distances to the class means."""

    def __init__(self, means):
        super().__init__()
        self.register_buffer("means", means)

    def forward(self, spectra):
        return -100 * torch.cdist(spectra, self.means) ** 2


class NearestNeighbour(nn.Module):
    """Remembers every training pixel: the kind of model that random splits flatter."""

    def __init__(self, spectra, target, classes):
        super().__init__()
        self.spectra, self.target, self.classes = spectra, target, classes

    def forward(self, spectra):
        nearest = torch.cdist(spectra, self.spectra).argmin(dim=1)
        return 5.0 * nn.functional.one_hot(self.target[nearest], self.classes)


def nearest_mean(samples, *, seed, progress=None):
    index = samples.class_index
    means = [samples.spectra[index == k].mean(axis=0) for k in range(len(samples.classes))]
    return Trained(network=NearestMean(torch.tensor(np.array(means))), hyperparameters={})


def nearest_neighbour(samples, *, seed, progress=None):
    network = NearestNeighbour(torch.tensor(samples.spectra), torch.tensor(samples.class_index), len(samples.classes))
    return Trained(network=network, hyperparameters={})


def samples_with_polygon_signatures():
    """Classes do not differ at all; every polygon has a signature of its own that its pixels share."""
    samples = make_labelled_spectra(240)
    signature = np.random.default_rng(1).normal(size=(60, 12))
    class_of_group = np.arange(60) % 3
    group = np.repeat(np.arange(60), 4)
    return replace(
        samples,
        group=group,
        class_id=(class_of_group[group] + 1).astype(np.int32),
        spectra=(signature[group] + 0.01 * samples.spectra).astype(np.float32),
    )


def test_separable_classes_are_recognised_in_both_splits():
    found = validate(make_labelled_spectra(240), nearest_mean, seed=0)
    assert found.disjoint.accuracy.overall > 0.95
    assert abs(found.optimism_gap) < 0.05
    assert found.split == "5 folds, disjoint by polygons"


def test_a_model_that_memorises_polygons_is_exposed_by_the_gap():
    found = validate(samples_with_polygon_signatures(), nearest_neighbour, seed=0)
    assert found.random.accuracy.overall > 0.9
    assert found.disjoint.accuracy.overall < 0.6
    assert found.optimism_gap > 0.4


def test_overconfidence_is_cooled_down():
    found = validate(samples_with_polygon_signatures(), nearest_neighbour, seed=0)
    before, after = found.calibration_error
    assert found.temperature > 1
    assert after < before


def test_no_test_pixel_was_learnt():
    seen = []

    def spy(samples, *, seed, progress=None):
        seen.append({tuple(spectrum) for spectrum in samples.spectra})
        return nearest_mean(samples, seed=seed)

    samples = make_labelled_spectra(120)
    found = validate(samples, spy, seed=0)
    folds = [*found.disjoint.plan.folds, *found.random.plan.folds]
    for learnt, fold in zip(seen, folds, strict=True):
        assert not learnt & {tuple(spectrum) for spectrum in samples.spectra[fold.test]}


def test_progress_counts_models():
    seen = []
    validate(make_labelled_spectra(120), nearest_mean, seed=0, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 7) for k in range(1, 8)]  # five disjoint folds, two random ones


def test_labels_that_cannot_be_split_give_no_figures():
    assert validate(make_labelled_spectra(3, classes=3), nearest_mean, seed=0) is None


def test_the_error_after_calibration_is_that_of_folds_the_temperature_did_not_see():
    found = validate(samples_with_polygon_signatures(), nearest_neighbour, seed=0)
    held = found.disjoint
    gaps = []
    probability = np.empty(held.logits.shape)
    for number in range(5):
        inside = held.fold == number
        gaps.append(fit_temperature(held.logits[~inside], held.target[~inside]))
        probability[inside] = soften(held.logits[inside], gaps[-1])

    assert found.calibration_error[1] == pytest.approx(expected_calibration_error(probability, held.target))
    assert len(set(gaps)) > 1
    assert sum(count for _, _, count in found.reliability["after"]) == len(held.target)


def test_intervals_count_polygons():
    found = validate(make_labelled_spectra(240), nearest_mean, seed=0)
    units = len(np.unique(make_labelled_spectra(240).group))

    assert (found.disjoint.intervals.units, found.disjoint.intervals.count) == ("units of ground", units)


def test_the_learning_curve_ends_with_what_validation_found():
    samples = make_labelled_spectra(240)
    held = validate(samples, nearest_mean, seed=0).disjoint
    seen = []

    points = measure_learning_curve(samples, nearest_mean, held, seed=0, count_one=lambda: seen.append(1))

    assert len(seen) == len(SHARES) * CURVE_FOLDS
    assert [point.pixels for point in points] == sorted({point.pixels for point in points})
    assert points[-1].overall == tuple(held.accuracy_of(number).overall for number in range(CURVE_FOLDS))
    assert all(len(point.average) == CURVE_FOLDS for point in points)


def test_no_point_of_the_curve_learns_from_ground_it_is_tested_on():
    samples = make_labelled_spectra(240)
    held = validate(samples, nearest_mean, seed=0).disjoint
    learnt = []

    def spy(part, *, seed, progress=None):
        learnt.append(set(part.group.tolist()))
        return nearest_mean(part, seed=seed)

    measure_learning_curve(samples, spy, held, seed=0, count_one=lambda: None)

    for number, groups in enumerate(learnt):
        fold = held.plan.folds[number % CURVE_FOLDS]
        assert not groups & set(samples.group[fold.test].tolist())


def test_figures_are_plain_json():
    import json

    found = validate(make_labelled_spectra(120), nearest_mean, seed=0)
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["disjoint"]["overall_accuracy"] == pytest.approx(found.disjoint.accuracy.overall)


def test_a_split_by_halves_of_polygons_is_called_so():
    samples = make_labelled_spectra(120)
    lonely = validate(replace(samples, group=samples.class_index.astype(np.int64)), nearest_mean, seed=0)
    group = np.where(samples.class_index == 0, samples.group + 100, samples.class_index)
    mixed = validate(replace(samples, group=group), nearest_mean, seed=0)

    assert lonely.split.endswith("folds, disjoint by halves of polygons")
    assert mixed.split == "5 folds, disjoint by polygons, or halves of a class's only one"
    assert mixed.to_json()["halved"] == list(samples.classes.names[1:])
