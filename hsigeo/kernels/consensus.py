"""The default network on a processor's vectors: what `hsigeo.model.consensus` does, with a pixel to a lane.

The strategy: a tile of pixels is taken through the whole network while it lies in the cache. What is constant is worked
out beforehand (`hsigeo.model.compiled`): with all the say, the consensus is one matrix; scales, noise and temperature
are parts of the matrices; and logarithms of sums are never taken, for they drop out of the probabilities.

Both votes are counted in float64: what prototypes say is large, of either sign, and all but cancels.

Pixels in which a token may be contradicted (`hsigeo.kernels.screening`) are put aside. They are looked at closely
afterwards, and those in which one is are settled (`hsigeo.kernels.settling`), as many at a time as there are lanes.

Shape legend: B bands, N numbers of all tokens, stretch by stretch and in it channel by channel, T tokens, I numbers of
a token, S shapes, W width, M prototypes, A anchors, K classes, L lanes, R stretches of tokens; what is summed up, in
matrices, is filled up to a multiple of 8, M and A to one of 16.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from hsigeo.kernels.compiling import FUSED, compiled, part
from hsigeo.kernels.lanes import LANES, precise_exponential, softmax
from hsigeo.kernels.products import ROWS, add_part, add_products, multiply
from hsigeo.kernels.screening import count_votes, screen
from hsigeo.kernels.settling import contradict, settle
from hsigeo.kernels.tokens import find_finite, gather, make_tokens, take_logarithms

__all__ = ["Constants", "answer"]

CHUNK = 16
"""Prototypes or anchors whose likeness is worked out before it is read: they stay in the first-level cache."""

LINE = 64
"""Bytes in a line of the cache, and in the widest vector."""

AHEAD = 5 * LANES
"""Pixels that are looked through for what is not finite before they are worked on: so they are read in one go, and lie
in the second-level cache when they are gathered."""

LEAST = -700.0
"""The exponential of less is that of this: nothing, but with all its digits."""

Weights = NDArray[np.float32]
Precise = NDArray[np.float64]


class Constants(NamedTuple):
    """The network's constants, as the kernel reads them; matrices as `hsigeo.kernels.products.block_weights` lays them.

    Parameters
    ----------
    sizes
        (6,) int64: bands, window, tokens, shapes, classes, rounds of settling.
    limits
        (3,) float32: floor of the logarithm, standard deviations to which channels are held, fall of a token's say.
    channel
        (3, 3, T·window): of each channel and band mean, reciprocal scale, and what is usual of the standardised value.
    places
        (T, 2) int64: the row of a token's first number, and rows from channel to channel.
    stretches
        (R + 1,) int64: the first token of each stretch, and how many tokens there are.
    agree
        (S/8, N, 8): from tokens to their consensus, all with all their say.
    votes
        (S/8, N, 8): from tokens to the sum of their votes.
    settled
        (S/8, S, 8): from the sum of votes to their consensus, the same.
    certainty
        (N,): reciprocal of noise.
    expected
        (R, S/8, S, 8): the precision that the votes of each stretch add.
    allowed
        (R,): reciprocal of the least that is unusual of a token times I, and somewhat more; all 0 where nothing is.
    expect
        (T, I/8, S, 8): from a consensus to the numbers of a token.
    doubt
        (T, I): reciprocal of noise times what is usual times I.
    prior
        (S·(S+1)/2,): the lower triangle, row by row, of the precision that is there without a vote.
    strength
        (S·(S+1)/16, T, 8): the precision that each token's vote adds.
    embed
        (W/8, N, 8): from tokens to coordinates.
    linear
        (K/8, B, 8) float64: from reflectance to scores, times their share, over the temperature.
    linear_of_query
        (K/8, W + 1, 8) float64: from coordinates to scores, the same; and, for the 1 that comes after them, the bias.
    nearness
        (1,) float64: reciprocal of the squared reach.
    prototypes
        (M/16, 2, W + 1, 8) float64: twice the prototypes times nearness; and, for the 1, their squared length times it.
    evidence
        (M/16, K/8, 16, 8) float64: times the memory's share, over the temperature.
    anchors
        (A/16, 2, W + 2, 8): minus twice the anchors over their reach; and, for the 1 and the square that come after
        coordinates, their own square and 1 over it; there are none where distances are not known.
    back
        (W/8, W, 8): from whitened coordinates to those in which distances are; there are none where they are the same.
    """

    sizes: NDArray[np.int64]
    channel: Weights
    limits: Weights
    places: NDArray[np.int64]
    stretches: NDArray[np.int64]
    agree: Weights
    votes: Weights
    settled: Weights
    certainty: Weights
    expected: Weights
    allowed: Weights
    expect: Weights
    doubt: Weights
    prior: Weights
    strength: Weights
    embed: Weights
    linear: Precise
    linear_of_query: Precise
    nearness: Precise
    prototypes: Precise
    evidence: Precise
    anchors: Weights
    back: Weights


class Tile(NamedTuple):
    """Room to work in for as many pixels as there are lanes; what each row holds is in the legend."""

    reflectance: Weights  # (B, L)
    logs: Weights  # (B, L)
    tokens: Weights  # (N, L)
    consensus: Weights  # (S, L)
    votes: Weights  # (R, S, L)
    said: Weights  # (S, L)
    rounding: Weights  # (L,)
    left: Weights  # (R, L)
    apart: Weights  # (I, L)
    contradiction: Weights  # (T, L)
    query: Weights  # (W + 2, L)
    unwhitened: Weights  # (W + 2, L)
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
        *(_ARRAYS[n] for n in (3, 1)),
        types.int64[:, ::1],
        types.int64[::1],
        *(_ARRAYS[n] for n in (3, 3, 3, 1, 4, 1, 4, 2, 1, 3, 3)),
        *(_PRECISE[n] for n in (3, 3, 1, 4, 4)),
        *(_ARRAYS[n] for n in (4, 3)),
    ],
    Constants,
)


@part(FUSED)
def _hear(constants: Any, tile: Any, stretch: int, start: int) -> Any:
    """Add to coordinates and scores what a stretch, whose tokens begin at row `start`, adds to them; its rows."""
    window, first, last = constants.sizes[1], constants.stretches[stretch], constants.stretches[stretch + 1]
    add_part(constants.embed, 3 * window * first, 3 * window * last, tile.tokens, start, tile.query)
    end = min(window * last, constants.sizes[0])
    add_part(constants.linear, window * first, end, tile.tokens, start, tile.scores)
    return 3 * window * (last - first)


@part(FUSED)
def _complete_query(query: Any, square: Any) -> None:
    """A row of ones and a row of squared lengths after coordinates; the latter also, precisely, in `square`."""
    width = query.shape[0] - 2
    square[:] = 0.0
    for row in range(width):
        for p in range(LANES):
            square[p] += np.float64(query[row, p]) * np.float64(query[row, p])
    for p in range(LANES):
        query[width, p] = np.float32(1.0)
        query[width + 1, p] = np.float32(square[p])


@part(FUSED)
def _liken(products: Any, square: Any, nearness: float) -> None:
    """Likeness to prototypes, in place of products with them that lack the query's own squared length."""
    for row in range(CHUNK):
        for p in range(LANES):
            exponent = products[row, p] - square[p] * nearness
            products[row, p] = precise_exponential(max(min(exponent, 0.0), LEAST))


@part(FUSED)
def _remember(constants: Any, tile: Any) -> None:
    """Class probabilities, (K, L), from coordinates and what the linear evidence says of tokens."""
    query, square, likeness, scores = tile.query, tile.square, tile.likeness, tile.scores
    _complete_query(query, square)
    add_products(constants.linear_of_query, query, scores)
    for chunk in range(constants.prototypes.shape[0]):
        multiply(constants.prototypes[chunk], query, likeness)
        _liken(likeness, square, constants.nearness[0])
        add_products(constants.evidence[chunk], likeness, scores)
    softmax(scores, constants.sizes[4], tile.most, tile.shares)


@part(FUSED)
def _keep_nearest(distance: Any, nearest: Any) -> None:
    for row in range(CHUNK):
        for p in range(LANES):
            nearest[p] = min(nearest[p], distance[row, p])


@part(FUSED)
def _measure(constants: Any, tile: Any) -> None:
    """Distance of the last query from the nearest anchor, (L,), into the tile's spare row."""
    nearest, query = tile.spare, tile.query
    if len(constants.back):
        query = tile.unwhitened
        multiply(constants.back, tile.query, query)
        _complete_query(query, tile.square)
    nearest[:] = np.float32(np.inf)
    for chunk in range(constants.anchors.shape[0]):
        multiply(constants.anchors[chunk], query, tile.distance)
        _keep_nearest(tile.distance, nearest)
    for p in range(LANES):
        nearest[p] = np.sqrt(max(nearest[p], np.float32(0.0)))


@part()
def _make_room(rows: int, dtype: Any) -> Any:
    """(rows, L) zeros, so placed that no vector lies across two lines of the cache."""
    room = np.zeros(rows * LANES + LINE, dtype)
    first = -room.ctypes.data % LINE // room.itemsize
    return room[first : first + rows * LANES].reshape((rows, LANES))


@part()
def _make_tile(constants: Any) -> Any:
    sizes, zero, precise = constants.sizes, np.float32, np.float64
    stretches, shapes = len(constants.allowed), ROWS * constants.agree.shape[0]
    width, classes = ROWS * constants.embed.shape[0], ROWS * constants.linear.shape[0]
    return Tile(
        _make_room(sizes[0], zero),
        _make_room(sizes[0], zero),
        _make_room(constants.embed.shape[1], zero),
        _make_room(shapes, zero),
        _make_room(stretches * shapes, zero).reshape((stretches, shapes, LANES)),
        _make_room(shapes, zero),
        _make_room(1, zero)[0],
        _make_room(stretches, zero),
        _make_room(constants.doubt.shape[1], zero),
        _make_room(constants.strength.shape[1], zero),
        _make_room(width + 2, zero),
        _make_room(width + 2, zero),
        _make_room(CHUNK, zero),
        _make_room(CHUNK, precise),
        _make_room(classes, precise),
        _make_room(classes, zero),
        _make_room(1, precise)[0],
        _make_room(1, precise)[0],
        _make_room(1, zero)[0],
    )


@part()
def _look(constants: Any, spectra: Any, by_band: Any, pixels: Any, tile: Any) -> None:
    gather(spectra, by_band, pixels, tile.reflectance)
    take_logarithms(constants, tile.reflectance, tile.logs)
    tile.query[:] = np.float32(0.0)
    tile.scores[:] = 0.0


@part()
def _listen(constants: Any, tile: Any, screened: bool) -> None:
    """Coordinates and linear evidence, and what `screen` needs, a stretch at a time: its tokens stay in the cache."""
    for stretch in range(len(constants.allowed)):
        make_tokens(constants, stretch, tile.reflectance, tile.logs, tile.tokens)
        rows = _hear(constants, tile, stretch, 0)
        if screened:
            count_votes(constants, tile, stretch, rows)


@part()
def _contradict(constants: Any, tile: Any, worst: Any) -> None:
    """The largest contradiction of any token, (L,); all tokens and their consensus are left in the tile."""
    for stretch in range(len(constants.allowed)):
        first = 3 * constants.sizes[1] * constants.stretches[stretch]
        make_tokens(constants, stretch, tile.reflectance, tile.logs, tile.tokens[first:])
    multiply(constants.agree, tile.tokens, tile.consensus)
    contradict(constants, tile.tokens, tile.consensus, tile.apart, tile.contradiction)
    worst[:] = np.float32(0.0)
    for token in range(constants.sizes[2]):
        for p in range(LANES):
            worst[p] = max(worst[p], tile.contradiction[token, p])


@part()
def _put_aside(worst: Any, chosen: Any, aside: Any, count: int) -> int:
    """Add to `aside`, which holds `count` pixels, those that are above 1 at worst; how many it holds then."""
    for lane in range(len(chosen)):
        if worst[lane] > 1:
            aside[count] = chosen[lane]
            count += 1
    return count


@part()
def _tell(constants: Any, tile: Any, pixels: Any, answers: Any) -> None:
    """What the tile's pixels are, into their columns of `answers`."""
    classes = constants.sizes[4]
    _remember(constants, tile)
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
    count = len(spectra) + by_band.shape[1]
    pixels, doubtful, odd = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    found, done, doubtful_count, odd_count = 0, 0, 0, 0
    tile, may_be_odd = _make_tile(constants), constants.allowed.any()
    for first in range(0, count, AHEAD):
        last = min(first + AHEAD, count)
        found = find_finite(spectra, by_band, first, last, pixels, found)
        while found - done >= LANES or (last == count and found > done):
            chosen = pixels[done : min(done + LANES, found)]
            done += len(chosen)
            _look(constants, spectra, by_band, chosen, tile)
            _listen(constants, tile, may_be_odd)
            if may_be_odd:
                screen(constants, tile, tile.spare)
                doubtful_count = _put_aside(tile.spare, chosen, doubtful, doubtful_count)
            _tell(constants, tile, chosen, answers)
    for first in range(0, doubtful_count, LANES):
        chosen = doubtful[first : min(first + LANES, doubtful_count)]
        _look(constants, spectra, by_band, chosen, tile)
        _contradict(constants, tile, tile.spare)
        odd_count = _put_aside(tile.spare, chosen, odd, odd_count)
    for first in range(0, odd_count, LANES):
        chosen = odd[first : min(first + LANES, odd_count)]
        _look(constants, spectra, by_band, chosen, tile)
        _contradict(constants, tile, tile.spare)
        settle(constants, tile.tokens, tile.consensus, tile.apart)
        start = 0
        for stretch in range(len(constants.allowed)):
            start += _hear(constants, tile, stretch, start)
        _tell(constants, tile, chosen, answers)
