"""Splits of the benchmark become trials with both halves as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.ablation import claims
from benchmarks.ablation.__main__ import fit_from_json, fit_to_json
from benchmarks.ablation.trials import make_trial
from benchmarks.accuracy.splits import Split
from hsigeo.training.ablation import CLEAN, Fit, Score


def test_a_split_becomes_a_trial_though_its_test_half_lacks_a_class():
    random = np.random.default_rng(0)
    split = Split(
        task="somewhere/all",
        seed=2,
        train_spectra=random.random((6, 5), dtype=np.float32),
        train_labels=np.array([0, 1, 2, 0, 1, 2]),
        train_groups=np.arange(6),
        test_spectra=random.random((3, 5), dtype=np.float32),
        test_labels=np.array([0, 2, 2]),
        wavelengths=np.linspace(400.0, 800.0, 5),
    )
    trial = make_trial(split)
    assert (trial.task, trial.seed) == ("somewhere/all", 2)
    assert trial.train.class_index.tolist() == [0, 1, 2, 0, 1, 2]
    assert trial.test.class_index.tolist() == [0, 2, 2]
    assert trial.test.classes == trial.train.classes
    np.testing.assert_array_equal(trial.test.spectra, split.test_spectra)


def test_what_a_cache_holds_is_what_was_measured():
    fit = Fit(component="memory", trial=4, seconds=0.25, scores={CLEAN: Score(overall=0.7, average=0.6)})
    read = fit_from_json(json.loads(json.dumps(fit_to_json(fit))), 4)
    assert (read.component, read.trial, read.seconds) == ("memory", 4, pytest.approx(0.25))
    assert read.scores == fit.scores


def test_the_claims_are_measured_on_development_ground(real_data):
    result = CliRunner().invoke(
        claims.main,
        ["--data", str(real_data), "--tasks", "berlin*", "--sizes", "5", "--seeds", "1", "--steps", "2", "--no-damage"],
    )
    assert result.exit_code == 0, result.output
    assert "berlin_development/5: 1 seeds, 20 training pixels, 2 steps" in result.output
    assert "Label smoothing keeps the read weights broad" in result.output
