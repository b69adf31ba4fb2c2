"""Ablation compares like with like, and says what it found with the right sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra, make_unlabelled
from torch import nn

from hsigeo.errors import TrainingError
from hsigeo.training.ablation import CLEAN, ablate, plan_trials
from hsigeo.training.claims import SETTINGS, measure_claims
from hsigeo.training.components import COMPONENTS, WHOLE, Component, plain_variant
from hsigeo.training.consensus import ConsensusPlan, train_consensus
from hsigeo.training.damage import damage_spectra
from hsigeo.training.plain import PlainPlan, train_plain
from hsigeo.training.trained import Trained


class Always(nn.Module):
    """Says the first class, whatever is asked."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, spectra):
        return nn.functional.one_hot(torch.zeros(len(spectra), dtype=torch.long), self.classes).float()


def learn_nothing(samples, *, seed, progress=None):
    return Trained(network=Always(len(samples.classes)), hyperparameters={})


def component(name, recipe):
    return Component(name=name, instead="", contributes="", recipe=recipe)


def test_trials_share_no_ground_and_test_every_pixel_once_a_seed():
    samples = make_labelled_spectra(120)
    trials = plan_trials(samples, seeds=2, folds=3)
    assert [(trial.seed, trial.fold) for trial in trials] == [(s, f) for s in (0, 1) for f in (0, 1, 2)]
    for seed in (0, 1):
        assert sum(len(trial.test) for trial in trials if trial.seed == seed) == len(samples)
    assert all(not np.isin(trial.test.group, trial.train.group).any() for trial in trials)


def test_labels_that_cannot_be_split_are_refused():
    samples = make_labelled_spectra(2, classes=2)
    lonely = replace(samples, group=np.zeros(2, dtype=np.int64))
    with pytest.raises(TrainingError, match="cannot be split"):
        plan_trials(lonely, seeds=1, folds=5)


def test_a_component_is_worth_what_is_lost_without_it():
    seen = []
    found = ablate(
        plan_trials(make_labelled_spectra(120), seeds=1, folds=2),
        [component("learning", learn_nothing), component("nothing", train_consensus)],
        damages=["dead"],
        progress=lambda done, total: seen.append((done, total)),
    )
    learning, nothing = found.contribution("learning"), found.contribution("nothing")
    assert learning.overall == pytest.approx(2 / 3, abs=0.02)
    assert learning.average == pytest.approx(2 / 3, abs=0.02)
    assert (learning.better, learning.worse) == (2, 0)
    assert (nothing.overall, nothing.overall_spread, nothing.better, nothing.worse) == (0, 0, 0, 0)
    assert seen[-1] == (6, 6)
    assert len(found.records()) == 2 * 3 * 2  # trials, networks, conditions
    assert found.summary()["components"][0]["contribution"].keys() == {CLEAN, "dead"}


def test_the_spread_of_a_single_trial_is_unknown_not_zero():
    trials = plan_trials(make_labelled_spectra(60), seeds=1, folds=2)[:1]
    found = ablate(trials, [component("learning", learn_nothing)])
    assert np.isnan(found.contribution("learning").overall_spread)
    assert found.summary()["components"][0]["contribution"][CLEAN]["overall_spread"] is None


@pytest.mark.parametrize("each", COMPONENTS, ids=lambda each: each.name)
def test_every_component_can_be_taken_out(each):
    if each.name == "gated":  # trained by descent: tests/training/test_learning.py
        return
    scene = make_unlabelled(make_labelled_spectra(1200, bands=20, seed=4).spectra)
    samples = replace(make_labelled_spectra(30, bands=20), unlabelled=scene)
    noise = np.random.default_rng(0).normal(0.0, 0.2, samples.spectra.shape).astype(np.float32)
    changes = False
    for trained in (samples, replace(samples, spectra=samples.spectra + noise)):  # noise matters for calibration only
        asked = torch.from_numpy(damage_spectra("level", trained.spectra, trained.bands, seed=0))  # for attention
        scores = each.recipe(trained, seed=0).network(asked)
        assert torch.isfinite(scores).all()
        changes |= not torch.equal(scores, WHOLE.recipe(trained, seed=0).network(asked))
    # 30 pixels are fewer than prototypes, and 29 columns are all there are.
    assert changes == (each.name not in ("clustering", "many-prototypes", "compact"))


def test_components_have_names_of_their_own():
    assert len({each.name for each in COMPONENTS}) == len(COMPONENTS)


def test_the_switches_default_to_the_default():
    samples = make_labelled_spectra(40)
    spectra = torch.from_numpy(samples.spectra)
    plain = train_consensus(samples, seed=3).network(spectra)
    assert torch.equal(train_consensus(samples, seed=3, plan=ConsensusPlan()).network(spectra), plain)


def test_a_plan_of_the_plain_variant_changes_what_it_says_and_nothing_else():
    samples = make_labelled_spectra(30)
    spectra = torch.from_numpy(samples.spectra)

    def scores(**switches):
        return train_plain(samples, seed=0, plan=PlainPlan(steps=3, **switches)).network(spectra)

    usual = scores()
    assert torch.equal(scores(clustered=True, label_smoothing=0.1, band_dropout=0.1), usual)
    for switches in ({"clustered": False}, {"label_smoothing": 0.0}, {"band_dropout": 0.02}):
        assert not torch.equal(scores(**switches), usual), switches
    assert plain_variant(3).recipe(samples, seed=0).hyperparameters["prototypes"] == 30


def test_claims_are_tested_by_pairs_that_start_alike():
    trials = plan_trials(make_labelled_spectra(60), seeds=1, folds=2)[:1]
    seen = []
    claims = measure_claims(trials, steps=12, damages=["shift"], progress=lambda *done: seen.append(done))
    assert {run.setting for run in claims.runs} == SETTINGS.keys()
    assert seen[-1] == (60, 60)
    (found,) = claims.convergence()
    assert 1 <= found.steps_clustered <= 12
    assert found.climb_random >= 0
    assert 1 <= claims.breadth("plain")[0] <= claims.prototypes == 30
    assert claims.of("plain")[0].steps.tolist() == list(range(1, 13))
    assert len(claims.records()) == 2 * len(SETTINGS)


def test_looking_at_a_training_does_not_change_it():
    samples = make_labelled_spectra(30)
    spectra = torch.from_numpy(samples.spectra)

    def look(_, network):
        network.eval()
        network(spectra)
        network.train()

    watched = train_plain(samples, seed=0, plan=PlainPlan(steps=5), watch=look).network(spectra)
    assert torch.equal(watched, train_plain(samples, seed=0, plan=PlainPlan(steps=5)).network(spectra))
