"""What a network can say about its own decision, behind one protocol that any architecture may fill.

Explanations need three things of a network that only it knows: how much each stretch of the spectrum counted, which
prototypes were read, and what each of them said. `account_for` asks a network for them; an architecture that cannot
answer gives `None`, and explanations do without (evidence by wavelength needs nothing of it: `hsigeo.model.evidence`).

Shape legend: P pixels, B bands, T tokens, E members, M prototypes (of all members), K classes.
"""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hsigeo.model.consensus import ConsensusNetwork
from hsigeo.model.gated import GatedNetwork
from hsigeo.model.plain import PlainNetwork
from hsigeo.model.spectrum import make_tokens

__all__ = ["Account", "account_for", "reference_of"]


class Account(NamedTuple):
    """What a network says about some pixels.

    Parameters
    ----------
    attention : (P, B)
        How much each band counted, mean one over the bands of a pixel.
    reading : (P, M)
        How much each prototype was read; rows sum to 1.
    votes : (M, K)
        What each prototype says for each class when it is read whole, in logits.
    """

    attention: Tensor
    reading: Tensor
    votes: Tensor


@singledispatch
def account_for(network: nn.Module, spectra: Tensor) -> Account | None:
    """The network's account of spectra (P, B), reflectance; `None` from one that gives none."""
    return None


@singledispatch
def reference_of(network: nn.Module) -> Tensor | None:
    """(B,) reflectance about which the network knows nothing to say: the mean of its training; `None` if unknown."""
    return None


@account_for.register
@torch.no_grad()
def _(network: ConsensusNetwork, spectra: Tensor) -> Account:
    tokens = network.tokens(spectra)  # (P, T, I)
    say, healed = network.consensus(tokens)  # (P, T), (P, T, I)
    likeness = network.recall(healed).weights  # (P, M)
    return Account(
        attention=_spread_over_bands(
            say / say.mean(dim=1, keepdim=True).clamp(min=1e-12), spectra.shape[1], network.window, network.window
        ),
        reading=likeness / likeness.sum(dim=1, keepdim=True).clamp(min=1e-12),
        votes=network.memory.evidence,
    )


@account_for.register
@torch.no_grad()
def _(network: GatedNetwork, spectra: Tensor) -> Account:
    tokens = network.tokens(spectra)  # (P, T, I)
    weights = network.attention(tokens, network.code).mean(dim=1)  # (P, T), mean over heads
    reading = network.memory(network.embed(tokens)).weights  # (E, P, M/E)
    votes = network.memory.prototypes @ network.head  # (E, M/E, K)
    members = len(reading)
    return Account(
        attention=_spread_over_bands(weights, spectra.shape[1], network.window, network.stride),
        reading=reading.permute(1, 0, 2).flatten(1) / members,
        votes=votes.flatten(0, 1),
    )


@account_for.register
@torch.no_grad()
def _(network: PlainNetwork, spectra: Tensor) -> Account:
    tokens = network.value(network.standardise(spectra)[:, :, None]) + network.position  # (P, B, W)
    attention, heads = network.attention, network.attention.heads
    stacked = attention.query_key_value(tokens).unflatten(-1, (3, heads, -1))  # (P, B, 3, H, W/H)
    query, key, _ = stacked.permute(2, 0, 3, 1, 4)  # each (P, H, B, W/H)
    weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)  # (P, H, B, B)
    return Account(
        attention=weights.mean(dim=(1, 2)) * spectra.shape[1],
        reading=network.memory(network.embed(spectra)).weights,
        votes=network.memory.prototypes @ network.head.weight.T,
    )


@reference_of.register
def _(network: ConsensusNetwork) -> Tensor:
    return network.channels.mean[:, 0]


@reference_of.register
def _(network: GatedNetwork) -> Tensor:
    return network.channels.mean[:, 0]


@reference_of.register
def _(network: PlainNetwork) -> Tensor:
    return network.standardise.mean


def _spread_over_bands(weights: Tensor, bands: int, window: int, stride: int) -> Tensor:
    """From weights of tokens (P, T) to weights of bands (P, B), each the mean over the tokens that hold it."""
    place = torch.arange(bands, dtype=torch.float32)[None, :, None]
    held = make_tokens(place, window, stride)[0].long()  # (T, window), the bands of each token
    total = torch.zeros(len(weights), bands, device=weights.device)
    count = torch.zeros(bands, device=weights.device)
    for offset in range(held.shape[1]):
        band = held[:, offset].to(weights.device)
        total.index_add_(1, band, weights)
        count.index_add_(0, band, torch.ones_like(band, dtype=count.dtype))
    return total / count.clamp(min=1)
