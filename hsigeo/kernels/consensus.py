"""The default network on a processor's vectors: what `hsigeo.model.consensus` does, with a pixel to a lane.

The strategy: a tile of pixels is taken through the whole network while it lies in the cache. What is constant is worked
out beforehand (`hsigeo.model.compiled`): with all the say, the consensus is one matrix; scales, noise and temperature
are parts of the matrices; and logarithms of sums are never taken, for they drop out of the probabilities.

Both votes are counted in float64: what prototypes say is large, of either sign, and all but cancels.

Pixels in which a token is contradicted are put aside and settled afterwards, a few at a time: precision matrices of as
many pixels as there are lanes, and one Cholesky decomposition of all of them.

Shape legend: B bands, N numbers of all tokens, channel by channel, T tokens, I numbers of a token, S shapes, W width,
M prototypes, A anchors, K classes, L lanes; in matrices all are filled up to multiples of 4, M and A of 16.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from hsigeo.kernels.compiling import FUSED, compiled, part
from hsigeo.kernels.lanes import FEW, LANES, add_products, exponential, precise_exponential, softmax
from hsigeo.kernels.tokens import find_finite, gather, make_tokens

__all__ = ["Constants", "answer"]

CHUNK = 16
"""Prototypes or anchors whose likeness is worked out before it is read: they stay in the first-level cache."""

LEAST = -700.0
"""The exponential of less is that of this: nothing, but with all its digits."""

Weights = NDArray[np.float32]
Precise = NDArray[np.float64]


class Constants(NamedTuple):
    """The network's constants, as the kernel reads them; matrices as `hsigeo.kernels.lanes.block_weights` lays them.

    Parameters
    ----------
    sizes
        (6,) int64: bands, window, tokens, shapes, classes, rounds of settling.
    limits
        (3,) float32: floor of the logarithm, standard deviations to which channels are held, fall of a token's say.
    channel
        (3, 3, T·window): of each channel and band mean, reciprocal scale, and what is usual of the standardised value.
    agree
        (S/4, N, 4): from tokens to their consensus, all with all their say.
    votes
        (S/4, N, 4): from tokens to the sum of their votes.
    expect
        (T, I/4, S, 4): from a consensus to the numbers of a token.
    doubt
        (T, I): reciprocal of noise times what is usual times I; all 0 where nothing is ever odd.
    prior
        (S·(S+1)/2,): the lower triangle, row by row, of the precision that is there without a vote.
    strength
        (S·(S+1)/8, T, 4): the precision that each token's vote adds.
    embed
        (W/4, N, 4): from tokens to coordinates.
    linear
        (K/4, B, 4) float64: from reflectance to scores, times their share, over the temperature.
    linear_of_query
        (K/4, W, 4) float64: from coordinates to scores, the same.
    bias
        (K,) float64
    prototypes
        (M/16, 4, W, 4) float64: twice the prototypes over the squared reach.
    prototype_terms
        (2, M) float64: what to multiply a query's square by, and what to add.
    evidence
        (M/16, K/4, 16, 4) float64: times the memory's share, over the temperature.
    anchors, anchor_terms
        (A/16, 4, W, 4) and (2, A), the same for distances; there are none where distances are not known.
    """

    sizes: NDArray[np.int64]
    channel: Weights
    limits: Weights
    agree: Weights
    votes: Weights
    expect: Weights
    doubt: Weights
    prior: Weights
    strength: Weights
    embed: Weights
    linear: Precise
    linear_of_query: Precise
    bias: Precise
    prototypes: Precise
    prototype_terms: Precise
    evidence: Precise
    anchors: Weights
    anchor_terms: Weights


class Tile(NamedTuple):
    """Room to work in for as many pixels as there are lanes; what each row holds is in the legend."""

    reflectance: Weights  # (B, L)
    logs: Weights  # (B, L)
    tokens: Weights  # (N, L)
    consensus: Weights  # (S, L)
    apart: Weights  # (I, L)
    contradiction: Weights  # (T, L)
    query: Weights  # (W, L)
    distance: Weights  # (CHUNK, L)
    likeness: Precise  # (CHUNK, L)
    scores: Precise  # (K, L)
    shares: Weights  # (K, L)
    square: Precise  # (L,)
    most: Precise  # (L,)
    spare: Weights  # (L,)


_ARRAYS = {1: types.float32[::1], 2: types.float32[:, ::1], 3: types.float32[:, :, ::1], 4: types.float32[:, :, :, ::1]}
_PRECISE = {
    1: types.float64[::1],
    2: types.float64[:, ::1],
    3: types.float64[:, :, ::1],
    4: types.float64[:, :, :, ::1],
}
_CONSTANTS = types.NamedTuple(  # type: ignore[no-untyped-call]
    [
        types.int64[::1],
        *(_ARRAYS[n] for n in (3, 1, 3, 3, 4, 2, 1, 3, 3)),
        *(_PRECISE[n] for n in (3, 3, 1, 4, 2, 4)),
        *(_ARRAYS[n] for n in (4, 2)),
    ],
    Constants,
)


@part(FUSED)
def _deviate(constants: Any, tokens: Any, consensus: Any, token: int, apart: Any) -> None:
    """What a consensus (S, L) says of a token, less what the token is: (I, L)."""
    window, rows = constants.sizes[1], constants.sizes[1] * constants.sizes[2]
    for channel in range(3):
        for offset in range(window):
            row = channel * rows + token * window + offset
            for p in range(apart.shape[1]):
                apart[channel * window + offset, p] = -tokens[row, p]
    add_products(constants.expect[token], consensus, 0, apart)


@part(FUSED)
def _contradict(constants: Any, tokens: Any, consensus: Any, apart: Any, contradiction: Any) -> None:
    """How far tokens lie from what a consensus says of them: (T, L), above 1 is unusual; `apart` to work in."""
    doubt = constants.doubt
    for token in range(doubt.shape[0]):
        _deviate(constants, tokens, consensus, token, apart)
        sums = contradiction[token]
        sums[:] = np.float32(0.0)
        for number in range(doubt.shape[1]):
            weight = doubt[token, number]
            for p in range(len(sums)):
                sums[p] += apart[number, p] * apart[number, p] * weight


@part(FUSED)
def _solve(size: int, lower: Any, values: Any) -> None:
    """Solve positive definite systems, one a lane: `lower` (S·(S+1)/2, L) triangles, `values` (S, L); both in place.

    Cholesky, row by row; the diagonal keeps reciprocals.
    """
    lanes = lower.shape[1]
    for i in range(size):
        at_i = i * (i + 1) // 2
        for j in range(i + 1):
            at_j = j * (j + 1) // 2
            for k in range(j):
                for p in range(lanes):
                    lower[at_i + j, p] -= lower[at_i + k, p] * lower[at_j + k, p]
            for p in range(lanes):
                if i == j:
                    lower[at_i + j, p] = np.float32(1.0) / np.sqrt(lower[at_i + j, p])
                else:
                    lower[at_i + j, p] *= lower[at_j + j, p]
        for k in range(i):
            for p in range(lanes):
                values[i, p] -= lower[at_i + k, p] * values[k, p]
        for p in range(lanes):
            values[i, p] *= lower[at_i + i, p]
    for i in range(size - 1, -1, -1):
        at_i = i * (i + 1) // 2
        for p in range(lanes):
            values[i, p] *= lower[at_i + i, p]
        for k in range(i):
            for p in range(lanes):
                values[k, p] -= lower[at_i + k, p] * values[i, p]


@part(FUSED)
def _agree_with_say(constants: Any, say: Any, heard: Any, precision: Any, consensus: Any) -> None:
    """The consensus (S, L) of tokens (N, L) that were multiplied by their say (T, L).

    `precision` is (S·(S+1)/2, L) to work in.
    """
    for row in range(precision.shape[0]):
        precision[row] = constants.prior[row]
    add_products(constants.strength, say, 0, precision)
    consensus[:] = np.float32(0.0)
    add_products(constants.votes, heard, 0, consensus)
    _solve(constants.sizes[3], precision, consensus)


@part(FUSED)
def _hear(constants: Any, tokens: Any, say: Any, heard: Any) -> None:
    """Tokens (N, L) times their say (T, L)."""
    window, count = constants.sizes[1], constants.sizes[2]
    for row in range(3 * window * count):
        token = row % (window * count) // window
        for p in range(tokens.shape[1]):
            heard[row, p] = tokens[row, p] * say[token, p]


@part(FUSED)
def _settle(constants: Any, tokens: Any, consensus: Any, apart: Any) -> None:
    """Replace tokens (N, L), as far as they lose their say, by what the others expect; `BandConsensus._settle`."""
    count, lanes = constants.sizes[2], tokens.shape[1]
    fall, one = constants.limits[2], np.float32(1.0)
    say, heard = np.zeros((constants.strength.shape[1], lanes), np.float32), np.zeros_like(tokens)
    precision = np.empty((4 * constants.strength.shape[0], lanes), np.float32)
    for turn in range(constants.sizes[5] + 1):
        _contradict(constants, tokens, consensus, apart, say)
        for token in range(count):
            for p in range(lanes):
                beyond = max(say[token, p], one)
                say[token, p] = one / (beyond * beyond) if turn == 0 else exponential(fall * (one - beyond))
        _hear(constants, tokens, say, heard)
        _agree_with_say(constants, say, heard, precision, consensus)
    window, rows = constants.sizes[1], constants.sizes[1] * count
    for token in range(count):
        _deviate(constants, tokens, consensus, token, apart)
        for number in range(3 * window):
            row = number // window * rows + token * window + number % window
            for p in range(lanes):
                tokens[row, p] += (one - say[token, p]) * apart[number, p]


@part(FUSED)
def _compare(weights: Any, terms: Any, tile: Any, found: Any) -> None:
    """(CHUNK, L) products of queries and some prototypes, and what has to be added to make distances of them."""
    square = tile.square
    for row in range(CHUNK):
        times, plus = terms[0, row], terms[1, row]
        for p in range(len(square)):
            found[row, p] = square[p] * times + plus
    add_products(weights, tile.query, 0, found)


@part(FUSED)
def _vote(constants: Any, tile: Any) -> None:
    """Class probabilities, (K, L), of tokens; and the query, with its square, that the memory was asked."""
    query, square, likeness, scores = tile.query, tile.square, tile.likeness, tile.scores
    lanes = query.shape[1]
    query[:] = np.float32(0.0)
    add_products(constants.embed, tile.tokens, 0, query)
    square[:] = 0.0
    for row in range(query.shape[0]):
        for p in range(lanes):
            square[p] += np.float64(query[row, p]) * np.float64(query[row, p])
    for k in range(scores.shape[0]):
        scores[k] = constants.bias[k]
    add_products(constants.linear, tile.tokens, 0, scores)
    add_products(constants.linear_of_query, query, 0, scores)
    for chunk in range(constants.prototypes.shape[0]):
        _compare(constants.prototypes[chunk], constants.prototype_terms[:, CHUNK * chunk :], tile, likeness)
        for row in range(CHUNK):
            for p in range(lanes):
                likeness[row, p] = precise_exponential(max(min(likeness[row, p], 0.0), LEAST))
        add_products(constants.evidence[chunk], likeness, 0, scores)
    softmax(scores, constants.sizes[4], tile.most, tile.shares)


@part(FUSED)
def _measure(constants: Any, tile: Any) -> None:
    """Distance of the last query from the nearest anchor, (L,), into the tile's spare row."""
    nearest, distance = tile.spare, tile.distance
    nearest[:] = np.float32(np.inf)
    for chunk in range(constants.anchors.shape[0]):
        _compare(constants.anchors[chunk], constants.anchor_terms[:, CHUNK * chunk :], tile, distance)
        for row in range(CHUNK):
            for p in range(len(nearest)):
                nearest[p] = min(nearest[p], distance[row, p])
    for p in range(len(nearest)):
        nearest[p] = np.sqrt(max(nearest[p], np.float32(0.0)))


@part()
def _make_tile(constants: Any, lanes: int) -> Any:
    sizes, zero, precise = constants.sizes, np.float32, np.float64
    return Tile(
        np.zeros((sizes[0], lanes), zero),
        np.zeros((sizes[0], lanes), zero),
        np.zeros((constants.embed.shape[1], lanes), zero),
        np.zeros((4 * constants.agree.shape[0], lanes), zero),
        np.zeros((constants.doubt.shape[1], lanes), zero),
        np.zeros((constants.strength.shape[1], lanes), zero),
        np.zeros((4 * constants.embed.shape[0], lanes), zero),
        np.zeros((CHUNK, lanes), zero),
        np.zeros((CHUNK, lanes), precise),
        np.zeros((len(constants.bias), lanes), precise),
        np.zeros((len(constants.bias), lanes), zero),
        np.zeros(lanes, precise),
        np.zeros(lanes, precise),
        np.zeros(lanes, zero),
    )


@part()
def _look(constants: Any, spectra: Any, by_band: Any, pixels: Any, tile: Any) -> bool:
    """Tokens, consensus and contradiction of some pixels; whether there may be a contradiction at all."""
    gather(spectra, by_band, pixels, tile.reflectance)
    make_tokens(constants, tile.reflectance, tile.logs, tile.tokens)
    if not constants.doubt.any():
        return False
    tile.consensus[:] = np.float32(0.0)
    add_products(constants.agree, tile.tokens, 0, tile.consensus)
    _contradict(constants, tile.tokens, tile.consensus, tile.apart, tile.contradiction)
    return True


@part()
def _worst(contradiction: Any, tokens: int, worst: Any) -> None:
    """The largest contradiction of any token, (L,)."""
    worst[:] = np.float32(0.0)
    for token in range(tokens):
        for p in range(len(worst)):
            worst[p] = max(worst[p], contradiction[token, p])


@part()
def _tell(constants: Any, tile: Any, pixels: Any, answers: Any) -> None:
    """What the tile's pixels are, into their columns of `answers`."""
    classes = constants.sizes[4]
    _vote(constants, tile)
    for k in range(classes):
        for lane in range(len(pixels)):
            answers[k, pixels[lane]] = tile.shares[k, lane]
    if answers.shape[0] > classes:
        _measure(constants, tile)
        for lane in range(len(pixels)):
            answers[classes, pixels[lane]] = tile.spare[lane]


@compiled(types.void(_CONSTANTS, _ARRAYS[2], _ARRAYS[2], types.float32[:, :]))
def answer(constants: Any, spectra: Any, by_band: Any, answers: Any) -> None:
    """Fill in what pixels are.

    Parameters
    ----------
    constants
        `Constants`.
    spectra : (pixel, band) float32
        Reflectance of the model's bands; no pixels at all if they are in `by_band`.
    by_band : (band, pixel) float32
        The same, a row for each band; no pixels if they are in `spectra`.
    answers : (class, pixel) or (class + 1, pixel) float32
        Takes the class probabilities and, if there is room, the distance; NaN for a pixel that is not finite.
    """
    answers[:] = np.float32(np.nan)
    pixels = find_finite(spectra, by_band)
    count = len(pixels)
    odd = np.empty(count, np.int64)
    odd_count, first = 0, 0
    wide, narrow = _make_tile(constants, LANES), _make_tile(constants, FEW)
    while first < count:
        tile = wide if count - first > LANES // 2 else narrow
        chosen = pixels[first : min(first + tile.tokens.shape[1], count)]
        first += len(chosen)
        if _look(constants, spectra, by_band, chosen, tile):
            _worst(tile.contradiction, constants.sizes[2], tile.spare)
            for lane in range(len(chosen)):
                if tile.spare[lane] > 1:
                    odd[odd_count] = chosen[lane]
                    odd_count += 1
        _tell(constants, tile, chosen, answers)
    first = 0
    while first < odd_count:
        tile = wide if odd_count - first > LANES // 2 else narrow
        chosen = odd[first : min(first + tile.tokens.shape[1], odd_count)]
        first += len(chosen)
        _look(constants, spectra, by_band, chosen, tile)
        _settle(constants, tile.tokens, tile.consensus, tile.apart)
        _tell(constants, tile, chosen, answers)
