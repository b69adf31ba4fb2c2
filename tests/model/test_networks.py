"""The plain network, its parts, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hsigeo.model.attention import SpectralAttention
from hsigeo.model.clustering import cluster_centres
from hsigeo.model.memory import PrototypeMemory
from hsigeo.model.plain import PlainNetwork


@pytest.mark.parametrize(("bands", "heads"), [(1, 1), (7, 2), (64, 4)])
def test_attention_is_what_torch_calls_multi_head_attention(bands, heads):
    torch.manual_seed(0)
    ours, theirs = SpectralAttention(8, heads), nn.MultiheadAttention(8, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.query_key_value.weight)
        theirs.in_proj_bias.copy_(ours.query_key_value.bias)
        theirs.out_proj.weight.copy_(ours.output.weight)
        theirs.out_proj.bias.copy_(ours.output.bias)
    tokens = torch.randn(5, bands, 8)
    torch.testing.assert_close(ours(tokens), theirs(tokens, tokens, tokens, need_weights=False)[0])


@pytest.mark.parametrize(("bands", "heads", "width"), [(1, 1, 8), (31, 2, 8), (64, 4, 64)])
def test_attention_without_tokens_is_attention_over_tokens(bands, heads, width):
    torch.manual_seed(0)
    attention = SpectralAttention(width, heads)
    values, direction, places = torch.randn(9, bands), torch.randn(width), torch.randn(bands, width)
    tokens = values[:, :, None] * direction + places
    without = attention.mean_of_affine(values, direction, places)
    torch.testing.assert_close(without, attention(tokens).mean(dim=1), rtol=1e-5, atol=1e-6)


def test_reading_the_memory_is_a_weighted_mean_of_prototypes():
    memory = PrototypeMemory(4, 3)
    query = torch.randn(6, 3)
    reading = memory(query)
    torch.testing.assert_close(reading.weights.sum(dim=1), torch.ones(6))
    by_hand = torch.exp(query @ memory.prototypes.T / 3**0.5)
    by_hand = by_hand / by_hand.sum(dim=1, keepdim=True)
    torch.testing.assert_close(reading.weights, by_hand)
    torch.testing.assert_close(reading.context, by_hand @ memory.prototypes)


def test_a_query_far_along_one_prototype_reads_that_prototype():
    memory = PrototypeMemory(3, 3)
    memory.prototypes.data = torch.eye(3)
    torch.testing.assert_close(memory(100 * torch.eye(3)).context, torch.eye(3))


def test_huge_values_do_not_overflow():
    network = PlainNetwork(bands=10, classes=3, width=8, heads=2, prototypes=6)
    assert torch.isfinite(network(torch.full((4, 10), 1e4))).all()


def test_gradients_reach_every_weight():
    network = PlainNetwork(bands=10, classes=3, width=8, heads=2, prototypes=6)
    network(torch.randn(16, 10)).square().sum().backward()
    for name, weight in network.named_parameters():
        # The key's bias shifts all scores of a query alike, which softmax does not see.
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_cluster_centres_find_well_separated_groups():
    generator = torch.Generator().manual_seed(0)
    truth = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = truth.repeat_interleave(30, dim=0) + 0.1 * torch.randn(90, 2, generator=generator)
    centres = cluster_centres(points, 3, generator=generator)
    assert torch.cdist(truth, centres).min(dim=1).values.max() < 0.2


def test_cluster_centres_survive_fewer_points_than_clusters():
    generator = torch.Generator().manual_seed(0)
    centres = cluster_centres(torch.ones(3, 2), 5, generator=generator)
    np.testing.assert_array_equal(centres, np.ones((5, 2)))
