"""Evidence by band: what it adds up to, and that it names what decides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra, make_model
from torch import nn

from hsigeo.model import predict_probabilities
from hsigeo.model.account import account_for, reference_of
from hsigeo.model.evidence import band_evidence, log_odds, occlusion_evidence, smooth_over_bands
from hsigeo.training.learning import train_on_spectra

DECIDING = slice(20, 32)


def spectra_that_differ_in(bands, count=60, pixels=180):
    """Three classes with bumps of different height in the same few bands; elsewhere all vary alike."""
    samples = make_labelled_spectra(pixels=pixels, bands=count)
    random = np.random.default_rng(0)
    level = random.uniform(0.2, 0.5, size=(pixels, 1)) + 0.1 * random.normal(size=(pixels, 1)) * np.linspace(
        -1, 1, count
    )
    level[:, bands] += 0.1 * samples.class_index[:, None]
    samples.spectra[:] = level + 0.01 * random.normal(size=level.shape)
    return samples


@pytest.fixture(scope="module")
def trained():
    samples = spectra_that_differ_in(DECIDING)
    return train_on_spectra(samples, check=False), samples


def test_log_odds_are_those_of_the_probabilities():
    logits = torch.randn(5, 4, generator=torch.manual_seed(0)).double()
    share = logits.softmax(dim=1)[:, 2]
    torch.testing.assert_close(log_odds(logits, torch.full((5,), 2)), torch.log(share / (1 - share)))
    both = log_odds(logits, torch.full((5,), 2), torch.full((5,), 0))
    torch.testing.assert_close(both, logits[:, 2] - logits[:, 0])


def test_evidence_of_a_linear_network_is_its_weights_times_the_deviation():
    network = nn.Linear(30, 2).requires_grad_(False)
    spectra, reference = torch.rand(4, 30), torch.full((30,), 0.5)
    wanted, rival = torch.ones(4, dtype=torch.long), torch.zeros(4, dtype=torch.long)
    found = band_evidence(network, spectra, wanted, reference, rival=rival)
    expected = (network.weight[1] - network.weight[0]) * (spectra - reference)
    torch.testing.assert_close(found, smooth_over_bands(expected))


def test_evidence_adds_up_to_what_separates_pixel_and_reference(trained):
    model, samples = trained
    spectra, reference = torch.from_numpy(samples.spectra[:20]), reference_of(model.network)
    wanted = torch.from_numpy(samples.class_index[:20])
    found = band_evidence(model.network, spectra, wanted, reference).sum(dim=1)
    whole = log_odds(model.network(spectra), wanted) - log_odds(model.network(reference.expand_as(spectra)), wanted)
    torch.testing.assert_close(found, whole, rtol=0.1, atol=0.3)


def test_smoothing_keeps_the_sum_of_each_spectrum():
    values = torch.randn(3, 40)
    torch.testing.assert_close(smooth_over_bands(values).sum(dim=1), values.sum(dim=1))


def test_occlusion_finds_the_bands_a_linear_network_reads():
    network = nn.Linear(30, 2, bias=False).requires_grad_(False)
    network.weight.zero_()
    network.weight[1, 12] = 5.0
    lost = occlusion_evidence(network, torch.ones(1, 30), torch.ones(1, dtype=torch.long), torch.zeros(30))
    assert set(np.flatnonzero(lost[0].abs().numpy() > 1e-6)) == set(range(8, 17))


def test_removing_the_wavelengths_it_names_hurts_more_than_removing_others(trained):
    model, samples = trained
    spectra, target = samples.spectra, samples.class_index
    reference = reference_of(model.network)
    found = band_evidence(model.network, torch.from_numpy(spectra), torch.from_numpy(target), reference).numpy()
    named = np.argsort(-np.abs(found).mean(axis=0))[:15]
    assert np.isin(np.arange(60)[DECIDING], named).mean() > 0.7

    def accuracy_without(bands):
        changed = spectra.copy()
        changed[:, bands] = reference.numpy()[bands]
        return (predict_probabilities(model, changed).argmax(axis=1) == target).mean()

    random = np.random.default_rng(0)
    others = np.mean([accuracy_without(random.choice(60, 15, replace=False)) for _ in range(10)])
    assert accuracy_without(named) < others - 0.15


def test_what_a_plain_network_reads_and_what_its_prototypes_vote_make_its_logits():
    model = make_model()
    spectra = torch.from_numpy(make_labelled_spectra().spectra[:10])
    account = account_for(model.network, spectra)
    torch.testing.assert_close(account.reading @ account.votes + model.network.head.bias, model.network(spectra))
    torch.testing.assert_close(account.attention.mean(dim=1), torch.ones(10))


def test_what_a_gated_network_reads_and_how_it_attends_is_normalised(trained):
    model, samples = trained
    account = account_for(model.network, torch.from_numpy(samples.spectra[:10]))
    torch.testing.assert_close(account.reading.sum(dim=1), torch.ones(10))
    assert account.votes.shape == (account.reading.shape[1], 3)
    assert account.attention.shape == (10, 60)
    torch.testing.assert_close(account.attention.mean(dim=1), torch.ones(10), rtol=0.1, atol=0.1)


def test_a_network_that_gives_no_account_is_no_error():
    assert account_for(nn.Linear(4, 2), torch.zeros(1, 4)) is None
    assert reference_of(nn.Linear(4, 2)) is None
