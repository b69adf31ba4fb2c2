"""The default network's constants as the kernel on a processor reads them; see `hsigeo.kernels.consensus`."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hsigeo.kernels.consensus import CHUNK, Constants
from hsigeo.kernels.lanes import Number, block_weights
from hsigeo.model.consensus import FALL, ROUNDS, BandConsensus, ConsensusNetwork, KernelMemory
from hsigeo.model.model import Model
from hsigeo.model.novelty import Novelty
from hsigeo.model.spectrum import BOUND, CHANNELS, FLOOR

__all__ = ["constants_of", "lay_out"]

Matrix = NDArray[np.float64]

_KNOWN: WeakKeyDictionary[Model, Constants] = WeakKeyDictionary()


def constants_of(model: Model) -> Constants:
    """The constants of a model of the default variant, worked out when first asked for."""
    found = _KNOWN.get(model)
    if found is None:
        assert isinstance(model.network, ConsensusNetwork)
        found = lay_out(model.network, temperature=model.card.temperature, novelty=model.novelty)
        _KNOWN[model] = found
    return found


def lay_out(network: ConsensusNetwork, *, temperature: float, novelty: Novelty | None = None) -> Constants:
    """Work out the constants, in double precision, once a model.

    Parameters
    ----------
    temperature
        Of the probabilities.
    novelty
        What distances are measured to; without it there are none.
    """
    consensus, window = network.consensus, network.window
    tokens, inputs = consensus.mean.shape
    bands, classes = network.bands, len(network.linear.bias)
    basis = _by_channel(consensus.basis, window)  # (N, W)
    embed = basis if consensus.whitening is None else basis @ _double(consensus.whitening)  # (N, W)
    shapes = _double(consensus.basis)[..., : consensus.shapes]  # (T, I, S)
    votes = basis[:, : consensus.shapes] / _by_channel(consensus.noise, window)[:, None]
    strength, prior = _precisions(consensus)
    triangle = np.tril_indices(consensus.shapes)
    share = network.linear_share
    linear, of_query = np.split(_double(network.linear.weights) * (share / temperature), [bands])  # (B, K), (·, K)
    # Tokens come without their mean, and the linear evidence expects it.
    bias = _double(network.linear.bias) * (share / temperature) + _by_channel(consensus.mean, window)[:bands] @ linear
    prototypes, prototype_terms, evidence = _memory(network.memory, (1 - share) / temperature)
    anchors, anchor_terms = _anchors(novelty, basis.shape[1])
    return Constants(
        sizes=np.array([bands, window, tokens, consensus.shapes, classes, ROUNDS]),
        limits=np.array([FLOOR, BOUND, FALL], dtype=np.float32),
        channel=_channels(network),
        agree=block_weights(votes @ np.linalg.inv(prior + strength.sum(axis=0)), np.float32),
        votes=block_weights(votes, np.float32),
        expect=np.stack([block_weights(token.T, np.float32) for token in shapes]),
        doubt=_filled(1 / (_double(consensus.noise) * _double(consensus.usual)[:, None] * inputs), np.float32),
        prior=_filled(prior[triangle], np.float32),
        strength=block_weights(strength[:, triangle[0], triangle[1]], np.float32),
        embed=block_weights(embed, np.float32),
        linear=block_weights(linear, np.float64),
        linear_of_query=block_weights(np.pad(of_query, ((0, basis.shape[1] - len(of_query)), (0, 0))), np.float64),
        bias=_filled(bias, np.float64),
        prototypes=prototypes,
        prototype_terms=prototype_terms,
        evidence=evidence,
        anchors=anchors,
        anchor_terms=anchor_terms,
    )


def _channels(network: ConsensusNetwork) -> NDArray[np.float32]:
    """(3, 3, T·window): of each channel and band mean, reciprocal scale, and the mean of the token's number."""
    usual = _by_channel(network.consensus.mean, network.window).reshape(CHANNELS, -1)
    band = np.minimum(np.arange(usual.shape[1]), network.bands - 1)  # the last token is filled up with the last band
    mean, scale = (_double(part)[band].T for part in (network.channels.mean, network.channels.scale))
    return np.stack([mean, 1 / scale, usual], axis=1).astype(np.float32)


def _precisions(consensus: BandConsensus) -> tuple[Matrix, Matrix]:
    """What each token's vote adds to the precision, (T, S, S), and what is there without one, (S, S)."""
    basis = _double(consensus.basis)[..., : consensus.shapes]
    return basis.transpose(0, 2, 1) @ (basis / _double(consensus.noise)[..., None]), np.diag(
        1 / _double(consensus.spread)
    )


def _memory(memory: KernelMemory, share: float) -> tuple[Matrix, Matrix, Matrix]:
    """Prototypes, their terms and their evidence: -|q - p|²/r² is 2 q·p/r² - |q|²/r² - |p|²/r²."""
    nearness = 1 / _double(memory.reach) ** 2
    prototypes, evidence = _in_chunks(_double(memory.prototypes)), _in_chunks(_double(memory.evidence) * share)
    terms = np.stack([np.full(prototypes.shape[:2], -nearness), -nearness * (prototypes**2).sum(axis=2)])
    return (
        np.stack([block_weights(2 * nearness * chunk.T, np.float64) for chunk in prototypes]),
        terms.reshape(2, -1),
        # Prototypes that fill up are evidence for nothing.
        np.stack([block_weights(chunk, np.float64) for chunk in evidence]),
    )


def _anchors(novelty: Novelty | None, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Anchors and their terms: |q - a|²/u is |q|²/u + |a|²/u - 2 q·a/u; those that fill up are repetitions."""
    if novelty is None:
        return np.zeros((0, CHUNK // 4, -(-width // 4) * 4, 4), dtype=np.float32), np.zeros((2, 0), dtype=np.float32)
    missing = -len(novelty.anchors) % CHUNK
    anchors = np.pad(_double(novelty.anchors), ((0, missing), (0, 0)), mode="edge")
    usual = np.pad(_double(novelty.usual), (0, missing), mode="edge")
    return (
        np.stack([block_weights(chunk.T, np.float32) for chunk in _in_chunks(-2 * anchors / usual[:, None])]),
        np.stack([1 / usual, (anchors**2).sum(axis=1) / usual]).astype(np.float32),
    )


def _by_channel(values: Tensor, window: int) -> Matrix:
    """(N, ...) of (T, I, ...), channel by channel and band by band."""
    tokens, inputs, *rest = values.shape
    split = _double(values).reshape(tokens, inputs // window, window, *rest)
    return split.swapaxes(0, 1).reshape(tokens * inputs, *rest)


def _in_chunks(rows: Matrix) -> Matrix:
    """(chunk, CHUNK, ...) rows, filled up with 0."""
    padded = np.pad(rows, ((0, -len(rows) % CHUNK), (0, 0)))
    return padded.reshape(-1, CHUNK, rows.shape[1])


def _filled(values: Matrix, dtype: type[Number]) -> NDArray[Number]:
    """Filled up with 0 to a multiple of 4 along the last axis."""
    missing = [(0, 0)] * (values.ndim - 1) + [(0, -values.shape[-1] % 4)]
    return np.pad(values, missing).astype(dtype)


def _double(values: Tensor) -> Matrix:
    return values.detach().cpu().double().numpy()
