"""The default network's parts do what their docstrings promise; a Gaussian worked out by hand is the oracle."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from labelled_spectra import make_labelled_spectra

from hsigeo.model.consensus import BandConsensus, ConsensusNetwork, KernelMemory, LinearEvidence
from hsigeo.training.consensus import learn_consensus, train_consensus

TOKENS, INPUTS, WIDTH = 6, 4, 5


def make_consensus(*, usual=8.0, seed=0):
    torch.manual_seed(seed)
    consensus = BandConsensus(TOKENS, INPUTS, WIDTH, 3)
    consensus.mean.normal_()
    consensus.basis.copy_(torch.linalg.qr(torch.randn(TOKENS * INPUTS, WIDTH)).Q.view(TOKENS, INPUTS, WIDTH))
    consensus.noise.uniform_(0.05, 0.2)
    consensus.spread.copy_(torch.tensor([9.0, 4.0, 2.0]))
    consensus.usual.fill_(usual)
    return consensus


def draw(consensus, pixels):
    """Tokens as the consensus's own model makes them."""
    shapes = consensus.basis[..., : consensus.shapes]
    described = torch.randn(pixels, consensus.shapes) * consensus.spread.sqrt()
    return (
        consensus.mean
        + torch.einsum("tis,ps->pti", shapes, described)
        + consensus.noise.sqrt() * torch.randn(pixels, TOKENS, INPUTS)
    )


def test_spectra_that_the_model_describes_keep_every_say_and_are_left_as_they_are():
    consensus = make_consensus()
    tokens = draw(consensus, 50)
    settled = consensus(tokens)
    assert (settled.say == 1).all()
    assert settled.tokens is tokens


@pytest.mark.parametrize("damage", [0.0, 30.0, -1e4])
def test_a_damaged_token_loses_its_say_and_the_others_keep_theirs(damage):
    consensus = make_consensus()
    tokens = draw(consensus, 50)
    tokens[:, 2] = consensus.mean[2] + (damage or 12.0) * torch.sign(torch.randn(50, INPUTS))
    say = consensus(tokens).say
    assert (say[:, 2] < 0.01).all()
    others = say[:, [0, 1, 3, 4, 5]]
    assert (others > 0.9).float().mean() > 0.95


def test_what_replaces_a_token_is_what_the_gaussian_expects_given_the_rest():
    consensus = make_consensus()
    tokens = draw(consensus, 3)
    say = torch.ones(3, TOKENS)
    say[:, 2] = 0.0
    healed = consensus.heal(tokens, say)
    # The oracle: the conditional mean of a Gaussian with covariance B Λ Bᵀ + Ψ, token 2 given the others.
    shapes = consensus.basis[..., :3].flatten(0, 1).double()
    covariance = shapes @ torch.diag(consensus.spread.double()) @ shapes.T + torch.diag(
        consensus.noise.flatten().double()
    )
    hidden = torch.arange(2 * INPUTS, 3 * INPUTS)
    seen = torch.tensor([i for i in range(TOKENS * INPUTS) if i not in hidden.tolist()])
    deviation = (tokens - consensus.mean).flatten(1).double()[:, seen]
    expected = deviation @ torch.linalg.solve(covariance[seen][:, seen], covariance[seen][:, hidden])
    torch.testing.assert_close(healed[:, 2].double(), consensus.mean[2].double() + expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(healed[:, [0, 1, 3, 4, 5]], tokens[:, [0, 1, 3, 4, 5]])


def test_odd_pixels_are_settled_to_the_same_bit_whatever_their_company():
    consensus = make_consensus()
    tokens = draw(consensus, 128)
    tokens[::3, 1] += 40.0
    together = consensus(tokens)
    company = tokens.clone()
    company[1::2] = draw(consensus, 64)  # other pixels in other places, fewer of them odd
    among_others = consensus(company)
    assert torch.equal(together.tokens[::2], among_others.tokens[::2])
    assert torch.equal(together.say[::2], among_others.say[::2])


def test_without_a_limit_nothing_is_ever_odd():
    consensus = make_consensus(usual=torch.inf)
    tokens = draw(consensus, 5)
    tokens[:, 1] = 1e6
    assert (consensus(tokens).say == 1).all()


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="7 shapes of a basis of width 5 do not fit"):
        BandConsensus(TOKENS, INPUTS, 5, 7)
    with pytest.raises(ValueError, match=r"make no network"):
        ConsensusNetwork(bands=5, classes=2, window=0, width=1, shapes=1, prototypes=1, linear_percent=50)
    with pytest.raises(ValueError, match="2 coordinates of 1 cannot be weighed"):
        ConsensusNetwork(
            bands=5, classes=2, window=4, width=1, shapes=1, prototypes=1, linear_percent=50, linear_width=2
        )


def test_the_memory_reads_by_gaussian_likeness():
    memory = KernelMemory(3, 2, 2)
    memory.prototypes.copy_(torch.tensor([[0.0, 0.0], [3.0, 4.0], [600.0, 0.0]]))
    memory.reach.fill_(5.0)
    memory.evidence.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [7.0, 7.0]]))
    reading = memory(torch.tensor([[0.0, 0.0], [-1e4, 0.0]]))
    likeness = torch.tensor([1.0, 0.36787944, 0.0])
    torch.testing.assert_close(reading.weights[0], likeness)
    torch.testing.assert_close(reading.evidence[0], likeness @ memory.evidence)
    assert (reading.evidence[1] == 0).all()  # unlike everything learnt: nothing is read


def test_linear_evidence_weighs_bands_and_the_strongest_coordinates():
    linear = LinearEvidence(2, 1, 1)
    linear.weights.copy_(torch.tensor([[1.0], [10.0], [100.0]]))
    linear.bias.fill_(0.5)
    scores = linear(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 7.0]]))
    torch.testing.assert_close(scores, torch.tensor([[321.5]]))


def test_a_band_beside_its_window_and_one_band_alone_make_a_network():
    for bands in (1, 7, 8, 9):
        samples = make_labelled_spectra(40, bands)
        network = train_consensus(samples, seed=0).network
        assert network(torch.from_numpy(samples.spectra)).isfinite().all()


def make_bumps(seed):
    """Three classes, each a bump a little higher at its own place, under a level and slope that vary far more."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.linspace(0, 1, 96)
    target = torch.arange(150) % 3
    bumps = torch.exp(-(((place - torch.tensor([0.15, 0.75, 0.9])[:, None]) / 0.06) ** 2))
    level = 0.3 + 0.1 * torch.rand(150, 1, generator=generator)
    slope = 0.1 * torch.rand(150, 1, generator=generator)
    noise = 0.004 * torch.randn(150, 96, generator=generator)
    spectra = level + slope * place + 0.03 * bumps[target] + noise
    return replace(make_labelled_spectra(150, 96), spectra=spectra.numpy(), class_id=(target + 1).int().numpy())


def test_dead_bands_where_the_classes_do_not_differ_hardly_change_the_decision():
    network = train_consensus(make_bumps(0), seed=0).network
    fresh = make_bumps(1)
    spectra, wanted = torch.from_numpy(fresh.spectra), torch.from_numpy(fresh.class_index)
    dead = spectra.clone()
    dead[:, 40:52] = 0.0
    assert (network(spectra).argmax(1) == wanted).float().mean() > 0.95
    assert (network(dead).argmax(1) == wanted).float().mean() > 0.95
    network.consensus.usual.fill_(torch.inf)
    assert (network(dead).argmax(1) == wanted).float().mean() < 0.8


def test_the_basis_is_that_of_principal_components():
    torch.manual_seed(1)
    tokens = torch.randn(30, TOKENS, INPUTS) * torch.linspace(3, 0.1, TOKENS)[:, None]
    for pixels in (10, 30):  # fewer and more pixels than numbers take different ways
        consensus = BandConsensus(TOKENS, INPUTS, 4, 4)
        learn_consensus(consensus, tokens[:pixels], generator=torch.Generator().manual_seed(0))
        centred = (tokens[:pixels] - tokens[:pixels].mean(0)).flatten(1)
        strongest = torch.linalg.svd(centred).Vh[:4]
        overlap = strongest @ consensus.basis.flatten(0, 1)
        torch.testing.assert_close(overlap.abs(), torch.eye(4), atol=1e-3, rtol=0)


def test_spectra_without_any_variation_still_get_a_basis_of_unit_columns():
    tokens = torch.ones(10, TOKENS, INPUTS)
    tokens[:, 0] += torch.arange(10.0)[:, None]  # one direction, and nothing else varies
    consensus = BandConsensus(TOKENS, INPUTS, 4, 4)
    learn_consensus(consensus, tokens, generator=torch.Generator().manual_seed(0))
    columns = consensus.basis.flatten(0, 1)
    torch.testing.assert_close(columns.T @ columns, torch.eye(4), atol=1e-5, rtol=0)
