"""Removing bands removes those that rank highest, and puts something sensible in their place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from labelled_spectra import make_labelled_spectra, make_model

from benchmarks.explain.removal import REMOVALS, WINDOW, choose_bands
from hsigeo.training.record import record_training


def test_windows_that_rank_highest_are_chosen():
    rank = np.zeros((2, 40), dtype=np.float32)
    rank[0, 3], rank[1, 17:24] = 9, 1
    chosen = choose_bands(rank, 0.2)
    np.testing.assert_array_equal(np.flatnonzero(chosen[0]), np.arange(WINDOW))
    np.testing.assert_array_equal(np.flatnonzero(chosen[1]), np.arange(16, 24))


def test_what_is_removed_is_replaced_and_the_rest_is_left():
    samples = make_labelled_spectra()
    model = replace(make_model(), record=record_training(samples, make_model().network))
    removed = np.zeros(samples.spectra.shape, dtype=bool)
    removed[:, 4:6] = True
    for remove in REMOVALS.values():
        found = remove(model, samples.spectra, removed)
        np.testing.assert_array_equal(found[~removed], samples.spectra[~removed])
    # These spectra are almost straight lines, so what was there can be expected from the rest.
    expected = REMOVALS["expectation"](model, samples.spectra, removed)
    assert np.abs(expected - samples.spectra)[removed].mean() < 0.02
