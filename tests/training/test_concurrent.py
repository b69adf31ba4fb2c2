"""Jobs side by side: their order, their errors, their threads; and that no bit of a model depends on any of it."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra

from hsigeo.training.concurrent import run_all
from hsigeo.training.fit import seeded
from hsigeo.training.recipes import RECIPES
from hsigeo.training.trained import Trained
from hsigeo.training.validation import validate


def test_results_come_in_order_and_each_job_computes_with_one_thread():
    before = torch.get_num_threads()
    barrier = threading.Barrier(min(2, before))

    def job(number):
        barrier.wait(60)  # so that two are under way at once, where there are two cores
        return number, torch.get_num_threads()

    assert list(run_all(partial(job, number) for number in range(4))) == [(number, 1) for number in range(4)]
    assert torch.get_num_threads() == before


def test_an_error_reaches_the_caller_and_threads_are_as_before():
    before = torch.get_num_threads()

    def fail():
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        list(run_all([lambda: 1, fail]))
    assert torch.get_num_threads() == before


def draw_from_the_default_generator(samples, *, seed, progress=None):
    """A recipe that, like those by descent, draws from torch's default generator."""
    with seeded(seed):
        layers = [torch.nn.Linear(samples.bands.count, len(samples.classes)) for _ in range(50)]
    return Trained(network=layers[-1].requires_grad_(False), hyperparameters={})


@pytest.mark.parametrize("recipe", [RECIPES["consensus"], draw_from_the_default_generator])
def test_folds_side_by_side_give_what_they_give_one_after_the_other(recipe, monkeypatch):
    samples = make_labelled_spectra(60, 20)
    together = validate(samples, recipe, seed=3)
    monkeypatch.setattr("hsigeo.training.validation.run_all", lambda jobs: (job() for job in jobs))
    one_by_one = validate(samples, recipe, seed=3)
    np.testing.assert_array_equal(together.disjoint.logits, one_by_one.disjoint.logits)
    np.testing.assert_array_equal(together.random.logits, one_by_one.random.logits)
