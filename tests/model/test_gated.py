"""The default network's parts do what their docstrings promise."""

from __future__ import annotations

import pytest
import torch

from hsigeo.model.gated import BandAttention, GatedNetwork, MemberMemory
from hsigeo.model.spectrum import BOUND, Channels, make_tokens, position_code, token_centres

SIZES = {"window": 4, "stride": 4, "heads": 2, "key_width": 4, "width": 8, "members": 2, "prototypes": 6}


def make_network(bands=18, classes=3):
    torch.manual_seed(0)
    network = GatedNetwork(torch.linspace(400, 2400, bands), classes=classes, **SIZES)
    spectra = 0.1 + 0.4 * torch.rand(200, bands)
    network.channels.learn(spectra)
    network.attention.learn(network.tokens(spectra))
    torch.nn.init.normal_(network.head)
    torch.nn.init.normal_(network.memory.prototypes)
    torch.nn.init.normal_(network.linear.weights)
    return network.eval()


@pytest.mark.parametrize("bands", [1, 3, 4, 5, 16, 17])
def test_tokens_cover_every_band_and_repeat_only_the_last(bands):
    channels = torch.arange(bands, dtype=torch.float32)[None, :, None]
    tokens = make_tokens(channels, window=4, stride=4)
    assert set(tokens.flatten().tolist()) == set(range(bands))
    flat = tokens.flatten()
    torch.testing.assert_close(flat[:bands], channels.flatten())
    assert (flat[bands:] == bands - 1).all()


def test_token_centres_are_the_mean_wavelength():
    torch.testing.assert_close(token_centres(torch.tensor([400.0, 410, 420, 430]), 2, 2), torch.tensor([405.0, 425.0]))


def test_the_positional_code_is_smooth_in_wavelength():
    code = position_code(torch.tensor([800.0, 801.0, 1600.0]), 16)
    assert (code[0] - code[1]).abs().max() < 0.03
    assert (code[0] - code[2]).abs().max() > 0.5


def test_brightness_leaves_the_slope_of_the_logarithm_alone():
    channels = Channels(20)
    spectrum = 0.3 + 0.1 * torch.sin(torch.arange(20) / 3)[None]
    first, brighter = channels(spectrum)[..., 2], channels(1.5 * spectrum + 0.01)[..., 2]
    torch.testing.assert_close(first, brighter, atol=2e-3, rtol=0.05)


def test_attention_weights_have_mean_one():
    attention = BandAttention(6, tokens=7, heads=2, key_width=3)
    weights = attention(torch.randn(5, 7, 6), position_code(torch.linspace(400, 2400, 7), 16))
    assert weights.shape == (5, 2, 7)
    torch.testing.assert_close(weights.mean(dim=-1), torch.ones(5, 2))


def test_a_stretch_of_dead_bands_loses_its_say():
    network = make_network()
    healthy = 0.1 + 0.4 * torch.rand(1, 18)
    dead = healthy.clone()
    dead[:, 4:8] = 0.0
    tokens = network.tokens(torch.cat([healthy, dead]))
    weights = network.attention(tokens, network.code)  # (P, H, T)
    assert (weights[1, :, 1] < 0.6 * weights[0, :, 1]).all()


def test_spectra_like_those_of_training_are_never_suspected():
    network = make_network()
    tokens = network.tokens(0.1 + 0.4 * torch.rand(50, 18))
    trusting = network.attention(tokens, network.code)
    torch.nn.init.constant_(network.attention.log_suspicion, -20.0)
    usual = (tokens.square().mean(-1) <= network.attention.usual).all(dim=1)
    assert usual.sum() > 25
    torch.testing.assert_close(network.attention(tokens, network.code)[usual], trusting[usual])


def test_reading_by_cosine_does_not_depend_on_the_length_of_the_query_about_the_centre():
    memory = MemberMemory(1, 4, 8)
    torch.nn.init.normal_(memory.prototypes)
    centre = memory.prototypes.mean(dim=1, keepdim=True)
    query = torch.randn(1, 5, 8)
    torch.testing.assert_close(memory(centre + query).weights, memory(centre + 7 * query).weights)


def test_members_and_linear_evidence_share_the_say_about_a_usual_pixel():
    network = make_network()
    spectra = 0.1 + 0.4 * torch.rand(50, 18)
    tokens = network.tokens(spectra)
    usual = (network.attention.strangeness(tokens) == 0).all(dim=1)
    members = network.decide(network.embed(tokens)).log_softmax(-1).mean(0)
    linear = network.linear(tokens).log_softmax(-1)
    torch.testing.assert_close(network(spectra)[usual], ((members + linear) / 2)[usual])


def test_a_pixel_with_a_strange_stretch_is_left_to_the_network():
    network = make_network()
    spectra = 0.1 + 0.4 * torch.rand(5, 18)
    spectra[:, 4:8] = 4.0
    members = network.decide(network.embed(network.tokens(spectra))).log_softmax(-1).mean(0)
    torch.testing.assert_close(network(spectra), members, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("value", [-1e6, 0.0, 1e6])
def test_any_finite_input_gives_finite_logits(value):
    network = make_network()
    assert torch.isfinite(network(torch.full((3, 18), value))).all()
    assert network.channels(torch.full((3, 18), value)).abs().max() <= BOUND


def test_a_pixel_does_not_depend_on_the_batch_it_is_in():
    network = make_network()
    spectra = torch.rand(9, 18)
    torch.testing.assert_close(network(spectra)[4:5], network(spectra[4:5]))


@pytest.mark.parametrize("wrong", [{"heads": 3}, {"heads": 0}, {"window": 0}, {"members": 0}, {"key_width": 0}])
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match=r"multiple|needs heads"):
        GatedNetwork(torch.linspace(400, 2400, 18), classes=3, **{**SIZES, **wrong})
