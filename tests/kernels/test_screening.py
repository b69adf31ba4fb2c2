"""What clears pixels of contradiction is never below the contradiction itself, in double precision."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra
from random_networks import draw_network, draw_spectra

from hsigeo.kernels import consensus as compiled
from hsigeo.kernels.lanes import LANES
from hsigeo.kernels.screening import screen
from hsigeo.model.compiled import lay_out
from hsigeo.training.consensus import train_consensus


def bound(network, spectra):
    """(pixel,) what the screen finds."""
    constants = lay_out(network, temperature=1.0)
    tile, found = compiled._make_tile(constants), []
    for start in range(0, len(spectra), LANES):
        pixels = np.arange(start, min(start + LANES, len(spectra)))
        compiled._look(constants, spectra, np.empty((spectra.shape[1], 0), np.float32), pixels, tile)
        compiled._listen(constants, tile, True)
        screen(constants, tile, tile.spare)
        found.append(tile.spare[: len(pixels)].copy())
    return np.concatenate(found)


def exact(network, spectra):
    """(pixel,) the largest contradiction of any token."""
    double = copy.deepcopy(network).double()
    tokens = double.tokens(torch.from_numpy(spectra).double())
    return double.consensus.contradiction(tokens, double.consensus.agree(tokens)).amax(dim=1).numpy()


@pytest.mark.parametrize("sizes", [{}, {"window": 7}, {"window": 64}, {"shapes": 5}, {"bands": 3}, {"bands": 400}])
def test_the_bound_is_never_below_the_contradiction(sizes):
    network = draw_network(**{"width": min(12, 3 * sizes.get("bands", 50)), "shapes": 5} | sizes)
    spectra = draw_spectra(150, network.bands)
    assert (bound(network, spectra) >= exact(network, spectra)).all()


def test_most_pixels_like_those_of_training_are_cleared_and_those_with_dead_bands_are_not():
    samples = make_labelled_spectra(300, 60, 4)
    network = train_consensus(samples, seed=0).network
    spectra = samples.spectra.copy()
    assert (bound(network, spectra) < 1).mean() > 0.9
    spectra[:, 20:31] = 0.0
    assert (bound(network, spectra) > 1).all()
