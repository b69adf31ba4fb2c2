"""The default network on a processor's vectors does what the plain network does, whose double precision is the oracle.

The plain network in float32 is held to the same tolerances.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra
from random_networks import draw_network, draw_spectra

from hsigeo import load_model, open_scene
from hsigeo.kernels.consensus import answer
from hsigeo.kernels.lanes import LANES
from hsigeo.model.compiled import lay_out
from hsigeo.model.novelty import Novelty, decide_and_describe, learn_novelty
from hsigeo.training.consensus import train_consensus

TEMPERATURE = 1.7

ALLOWED = 2e-6
"""In a probability, off double precision; 4e-7 was measured."""


def draw_novelty(network, *, anchors=45, seed=1):
    spectra = torch.from_numpy(draw_spectra(anchors, network.bands, seed=seed))
    description = network.consensus.embed(network.healed(spectra))
    return learn_novelty(description, torch.arange(anchors) % 3, 3)


def ask_compiled(network, spectra, novelty=None):
    rows = network.memory.evidence.shape[1] + (novelty is not None)
    answers = np.empty((rows, len(spectra)), dtype=np.float32)
    constants = lay_out(network, temperature=TEMPERATURE, novelty=novelty)
    answer(constants, spectra, np.empty((spectra.shape[1], 0), np.float32), answers)
    turned = np.full_like(answers, -1)
    answer(constants, np.empty((0, spectra.shape[1]), np.float32), np.ascontiguousarray(spectra.T), turned)
    np.testing.assert_array_equal(turned, answers)  # the same bits, whichever way the spectra lie
    return answers


def ask_plain(network, spectra, novelty=None, *, dtype=torch.float32):
    network = copy.deepcopy(network).to(dtype)
    with torch.inference_mode():
        logits, description = decide_and_describe(network, torch.from_numpy(spectra).to(dtype))
        rows = [torch.softmax(logits / TEMPERATURE, dim=1).T]
        if novelty is not None:
            known = Novelty(
                anchors=novelty.anchors.to(dtype),
                usual=novelty.usual.to(dtype),
                held_out=novelty.held_out,
                held_out_count=0,
            )
            rows.append(known.distance(description)[None])
    return torch.cat(rows).numpy()


def assert_both_forms_are_right(network, spectra, allowed=ALLOWED):
    exact = ask_plain(network, spectra, dtype=torch.float64)
    for found in (ask_compiled(network, spectra), ask_plain(network, spectra)):
        np.testing.assert_allclose(found, exact, atol=allowed, rtol=0)
        if len(exact) > 1:
            best = np.sort(exact, axis=0)[-2:]
            clear = best[1] - best[0] > 2 * allowed
            np.testing.assert_array_equal(found.argmax(axis=0)[clear], exact.argmax(axis=0)[clear])


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5, 8, 9, 63, 200, 512])
def test_any_number_of_bands_gives_what_the_plain_network_gives(bands):
    width = min(12, 3 * bands)
    assert_both_forms_are_right(draw_network(bands, width=width, shapes=width), draw_spectra(80, bands))


@pytest.mark.parametrize("classes", [1, 2, 4, 9, 64])
def test_any_number_of_classes_gives_what_the_plain_network_gives(classes):
    assert_both_forms_are_right(draw_network(classes=classes), draw_spectra(80, 50))


@pytest.mark.parametrize(
    "sizes",
    [
        {"window": 1},
        {"window": 7},
        {"window": 64},
        {"shapes": 5},
        {"shapes": 1, "width": 1},
        {"width": 33, "shapes": 31},
        {"prototypes": 1},
        {"prototypes": 260},
        {"weighed": 0},
        {"weighed": 5},
        {"whitened": 1},
        {"whitened": 1, "weighed": 5, "shapes": 7},
        {"usual": torch.inf},
        {"usual": 0.2},
    ],
)
def test_any_sizes_give_what_the_plain_network_gives(sizes):
    assert_both_forms_are_right(draw_network(**sizes), draw_spectra(80, 50))


@pytest.mark.parametrize("seed", range(5))
def test_random_networks_give_what_the_plain_ones_give(seed):
    random = np.random.default_rng(seed)
    bands = int(random.integers(1, 300))
    width = int(random.integers(1, min(48, 3 * bands) + 1))
    network = draw_network(
        bands,
        int(random.integers(1, 20)),
        window=int(random.integers(1, 20)),
        width=width,
        shapes=int(random.integers(1, width + 1)),
        prototypes=int(random.integers(1, 300)),
        seed=seed,
    )
    assert_both_forms_are_right(network, draw_spectra(150, bands, seed=seed))


def test_a_trained_network_gives_what_its_plain_form_gives_and_heals_dead_bands_alike():
    samples = make_labelled_spectra(300, 60, 4)
    network = train_consensus(samples, seed=0).network
    spectra = samples.spectra.copy()
    spectra[::3, 20:31] = 0.0
    tokens = network.tokens(torch.from_numpy(spectra))
    assert (network.consensus(tokens).say[::3].amin(dim=1) < 0.5).all()  # otherwise nothing would be healed
    assert_both_forms_are_right(network, spectra)


def test_large_evidence_of_either_sign_costs_no_digits(sample_scenes):
    model = load_model(sample_scenes / "line_1.safetensors")
    assert model.network.memory.evidence.abs().max() > 1e3  # of which a pixel is left with about one
    values = open_scene(sample_scenes / "line_1.hdr").values[model.card.trained_on_index]
    spectra = values.reshape(len(values), -1).T
    spectra = np.ascontiguousarray(spectra[np.isfinite(spectra).all(axis=1)][::9])
    assert_both_forms_are_right(model.network, spectra, allowed=1e-5)


def test_distances_are_those_of_the_plain_form():
    network = draw_network()
    novelty, spectra = draw_novelty(network), draw_spectra(90, 50)
    found = ask_compiled(network, spectra, novelty)
    exact = ask_plain(network, spectra, novelty, dtype=torch.float64)
    np.testing.assert_allclose(found[-1], exact[-1], rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(found[:-1], ask_compiled(network, spectra))


@pytest.mark.parametrize("pixels", [1, 2, LANES - 1, LANES, LANES + 1, 2 * LANES, 700])
def test_no_bit_of_a_pixel_depends_on_its_company(pixels):
    network = draw_network()
    novelty, spectra = draw_novelty(network), draw_spectra(701, 50)
    whole = ask_compiled(network, spectra, novelty)
    order = np.random.default_rng(pixels).permutation(len(spectra))[:pixels]
    np.testing.assert_array_equal(ask_compiled(network, spectra[order], novelty), whole[:, order])


def test_pixels_that_are_not_finite_get_no_answer_and_disturb_no_other():
    network, spectra = draw_network(), draw_spectra(60, 50)
    whole = ask_compiled(network, spectra)
    spectra[3, 7], spectra[20, 0], spectra[59, 49] = np.nan, np.inf, -np.inf
    found = ask_compiled(network, spectra)
    lost = np.isnan(found).any(axis=0)
    assert np.flatnonzero(lost).tolist() == [3, 20, 59]
    assert np.isnan(found[:, lost]).all()
    np.testing.assert_array_equal(found[:, ~lost], whole[:, ~lost])


def test_no_pixels_are_no_obstacle():
    assert ask_compiled(draw_network(), np.empty((0, 50), dtype=np.float32)).shape == (5, 0)
