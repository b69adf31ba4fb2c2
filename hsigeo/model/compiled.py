"""The default network's constants as the kernel on a processor reads them; see `hsigeo.kernels.consensus`."""

from __future__ import annotations

import itertools
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hsigeo.kernels.consensus import CHUNK, Constants
from hsigeo.kernels.products import ROWS, Number, block_weights
from hsigeo.model.consensus import FALL, ROUNDS, BandConsensus, ConsensusNetwork, KernelMemory
from hsigeo.model.model import Model
from hsigeo.model.novelty import Novelty
from hsigeo.model.spectrum import BOUND, CHANNELS, FLOOR

__all__ = ["constants_of", "lay_out"]

Matrix = NDArray[np.float64]

LEAST_STRETCHES = 3
"""Into which a spectrum is divided to clear it of contradiction. One clears 39 to 100 % of the pixels of real scenes,
two 86 to 100 %, three 92 to 100 %; each costs S² operations a pixel."""

LONGEST_STRETCH = 10
"""Tokens of a stretch: those of more would not stay in the first-level cache until they are read."""

CAUTION = 1.02
"""Contradictions that come out so near 1 are looked at closely: more than rounding makes of one."""

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
    stretches = _divide(tokens)
    parts = [slice(first, last) for first, last in itertools.pairwise(stretches)]
    basis = _in_order(consensus.basis, window, parts)  # (N, W)
    whitening = None if consensus.whitening is None else _double(consensus.whitening)  # (W, W)
    embed = basis if whitening is None else basis @ whitening  # (N, W)
    noise = _in_order(consensus.noise, window, parts)  # (N,)
    shapes = _double(consensus.basis)[..., : consensus.shapes]  # (T, I, S)
    votes = basis[:, : consensus.shapes] / noise[:, None]
    strength, prior = _precisions(consensus)
    settled = np.linalg.inv(prior + strength.sum(axis=0))
    triangle = np.tril_indices(consensus.shapes)
    share = network.linear_share
    linear, of_query = np.split(_double(network.linear.weights) * (share / temperature), [bands])  # (B, K), (·, K)
    # Tokens come without their mean, and the linear evidence expects it.
    usual = _double(consensus.mean)[:, :window].reshape(-1)[:bands]
    bias = _double(network.linear.bias) * (share / temperature) + usual @ linear
    prototypes, evidence = _memory(network.memory, (1 - share) / temperature)
    return Constants(
        sizes=np.array([bands, window, tokens, consensus.shapes, classes, ROUNDS]),
        limits=np.array([FLOOR, BOUND, FALL], dtype=np.float32),
        channel=_channels(network),
        places=_places(window, stretches),
        stretches=stretches,
        agree=block_weights(votes @ settled, np.float32),
        votes=block_weights(votes, np.float32),
        settled=block_weights(settled, np.float32),
        certainty=(1 / noise).astype(np.float32),
        expected=np.stack([block_weights(strength[part].sum(axis=0), np.float32) for part in parts]),
        allowed=np.array([_allow(consensus, part) for part in parts], dtype=np.float32),
        expect=np.stack([block_weights(token.T, np.float32) for token in shapes]),
        doubt=_filled(1 / (_double(consensus.noise) * _double(consensus.usual)[:, None] * inputs), np.float32),
        prior=_filled(prior[triangle], np.float32),
        strength=block_weights(strength[:, triangle[0], triangle[1]], np.float32),
        embed=block_weights(embed, np.float32),
        linear=block_weights(linear, np.float64),
        linear_of_query=block_weights(_followed(of_query, bias, width=basis.shape[1]), np.float64),
        nearness=np.array([1 / _double(network.memory.reach) ** 2]),
        prototypes=prototypes,
        evidence=evidence,
        anchors=_anchors(novelty, basis.shape[1]),
        back=_way_back(whitening if novelty is not None else None, basis.shape[1]),
    )


def _channels(network: ConsensusNetwork) -> NDArray[np.float32]:
    """(3, 3, T·window): of each channel and band mean, reciprocal scale, and the mean of the token's number."""
    told = _double(network.consensus.mean)
    usual = told.reshape(len(told), CHANNELS, -1).swapaxes(0, 1).reshape(CHANNELS, -1)
    band = np.minimum(np.arange(usual.shape[1]), network.bands - 1)  # the last token is filled up with the last band
    mean, scale = (_double(part)[band].T for part in (network.channels.mean, network.channels.scale))
    return np.stack([mean, 1 / scale, usual], axis=1).astype(np.float32, order="C")


def _precisions(consensus: BandConsensus) -> tuple[Matrix, Matrix]:
    """What each token's vote adds to the precision, (T, S, S), and what is there without one, (S, S)."""
    basis = _double(consensus.basis)[..., : consensus.shapes]
    return basis.transpose(0, 2, 1) @ (basis / _double(consensus.noise)[..., None]), np.diag(
        1 / _double(consensus.spread)
    )


def _allow(consensus: BandConsensus, part: slice) -> float:
    """What makes unusual things of some tokens come out as more than 1, whichever token it is that they are of."""
    return float(CAUTION / (consensus.mean.shape[1] * _double(consensus.usual)[part].min()))


def _memory(memory: KernelMemory, share: float) -> tuple[Matrix, Matrix]:
    """Prototypes and their evidence: -|q - p|²/r² is 2 q·p/r² - |p|²/r² - |q|²/r²."""
    nearness, width = 1 / _double(memory.reach) ** 2, memory.prototypes.shape[1]
    prototypes, evidence = _in_chunks(_double(memory.prototypes)), _in_chunks(_double(memory.evidence) * share)
    weights = [_followed(2 * part.T, -(part**2).sum(axis=1), width=width) * nearness for part in prototypes]
    return (
        np.stack([block_weights(part, np.float64) for part in weights]),
        # Prototypes that fill up are evidence for nothing.
        np.stack([block_weights(part, np.float64) for part in evidence]),
    )


def _anchors(novelty: Novelty | None, width: int) -> NDArray[np.float32]:
    """Anchors: |q - a|²/u is - 2 q·a/u + |a|²/u + |q|²/u; those that fill up are repetitions."""
    if novelty is None:
        return np.zeros((0, CHUNK // ROWS, width, ROWS), dtype=np.float32)
    missing = -len(novelty.anchors) % CHUNK
    anchors = _in_chunks(np.pad(_double(novelty.anchors), ((0, missing), (0, 0)), mode="edge"))
    usual = np.pad(_double(novelty.usual), (0, missing), mode="edge").reshape(-1, CHUNK)
    return np.stack(
        [
            block_weights(_followed(-2 * part.T, (part**2).sum(axis=1), np.ones(CHUNK), width=width) / own, np.float32)
            for part, own in zip(anchors, usual, strict=True)
        ]
    )


def _way_back(whitening: Matrix | None, width: int) -> NDArray[np.float32]:
    """From whitened coordinates to those of the basis, in which distances are; none where they are the same."""
    if whitening is None:
        return np.zeros((0, width, ROWS), dtype=np.float32)
    # That of a model from elsewhere may have no inverse, or hold what is no number: then there are no distances.
    inverse = np.full_like(whitening, np.nan)
    if np.isfinite(whitening).all():
        inverse[:] = np.linalg.pinv(whitening)
    return block_weights(_followed(inverse, width=width), np.float32)


def _followed(of_query: Matrix, *more: Matrix, width: int) -> Matrix:
    """Weights (coordinate, to) of a query, filled up, and those of the rows that follow coordinates."""
    filled = -(-width // ROWS) * ROWS
    return np.vstack([np.pad(of_query, ((0, filled - len(of_query)), (0, 0))), *more])


def _divide(tokens: int) -> NDArray[np.int64]:
    """The first token of each stretch, and how many tokens there are."""
    count = min(tokens, max(LEAST_STRETCHES, -(-tokens // LONGEST_STRETCH)))
    return np.arange(count + 1) * tokens // count


def _places(window: int, stretches: NDArray[np.int64]) -> NDArray[np.int64]:
    """(T, 2): the row of each token's first number, and rows between its channels."""
    lengths = np.diff(stretches)
    first = np.repeat(CHANNELS * stretches[:-1] - stretches[:-1], lengths) + np.arange(stretches[-1])
    return window * np.stack([first, np.repeat(lengths, lengths)], axis=1)


def _in_order(values: Tensor, window: int, parts: list[slice]) -> Matrix:
    """(N, ...) of (T, I, ...): stretch by stretch, in each of them channel by channel and band by band."""
    whole = _double(values)
    split = whole.reshape(len(whole), CHANNELS, window, *whole.shape[2:])
    return np.concatenate([split[part].swapaxes(0, 1).reshape(-1, *whole.shape[2:]) for part in parts])


def _in_chunks(rows: Matrix) -> Matrix:
    """(chunk, CHUNK, ...) rows, filled up with 0."""
    padded = np.pad(rows, ((0, -len(rows) % CHUNK), (0, 0)))
    return padded.reshape(-1, CHUNK, rows.shape[1])


def _filled(values: Matrix, dtype: type[Number]) -> NDArray[Number]:
    """Filled up with 0 to a multiple of 8 along the last axis."""
    missing = [(0, 0)] * (values.ndim - 1) + [(0, -values.shape[-1] % ROWS)]
    return np.pad(values, missing).astype(dtype)


def _double(values: Tensor) -> Matrix:
    return values.detach().cpu().double().numpy()
