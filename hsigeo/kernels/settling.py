"""Tokens that are contradicted lose their say and are replaced by what the others expect: `hsigeo.model.consensus`.

Few pixels have any; precision matrices of as many as there are lanes, and one Cholesky decomposition of all of them.

Shape legend as in `hsigeo.kernels.consensus`, whose constants these are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.compiling import FUSED, part
from hsigeo.kernels.lanes import LANES, add_squares, exponential
from hsigeo.kernels.products import ROWS, add_products, multiply
from hsigeo.kernels.vectors import NUMBERS, load, store

__all__ = ["contradict", "settle"]


@part(FUSED)
def _deviate(constants: Any, tokens: Any, consensus: Any, token: int, apart: Any) -> None:
    """What a consensus (S, L) says of a token, less what the token is: (I, L)."""
    window, (first, step) = constants.sizes[1], constants.places[token]
    for channel in range(3):
        for offset in range(window):
            row = first + channel * step + offset
            for p in range(LANES):
                apart[channel * window + offset, p] = -tokens[row, p]
    add_products(constants.expect[token], consensus, apart)


@part(FUSED)
def contradict(constants: Any, tokens: Any, consensus: Any, apart: Any, contradiction: Any) -> None:
    """How far tokens lie from what a consensus says of them: (T, L), above 1 is unusual; `apart` to work in."""
    doubt = constants.doubt
    for token in range(doubt.shape[0]):
        _deviate(constants, tokens, consensus, token, apart)
        sums = contradiction[token]
        sums[:] = np.float32(0.0)
        add_squares(apart, doubt[token], sums)


@part(FUSED)
def _subtract_products(left: Any, first: int, right: Any, other: int, count: int, result: Any, row: int) -> None:
    """Take from a row the products of `count` rows of `left` and of `right`; all lie row after row in one dimension.

    In vectors of their own: as a loop over lanes each product would be stored, and LLVM would ask each time whether
    rows overlap.
    """
    for lane in range(row * LANES, (row + 1) * LANES, 3 * NUMBERS):
        a, b, c = load(result, lane), load(result, lane + NUMBERS), load(result, lane + 2 * NUMBERS)
        x, y = first * LANES + lane - row * LANES, other * LANES + lane - row * LANES
        for k in range(0, count * LANES, LANES):
            a -= load(left, x + k) * load(right, y + k)
            b -= load(left, x + k + NUMBERS) * load(right, y + k + NUMBERS)
            c -= load(left, x + k + 2 * NUMBERS) * load(right, y + k + 2 * NUMBERS)
        store(result, lane, a)
        store(result, lane + NUMBERS, b)
        store(result, lane + 2 * NUMBERS, c)


@part(FUSED)
def _solve(size: int, lower: Any, values: Any) -> None:
    """Solve positive definite systems, one a lane: `lower` (S·(S+1)/2, L) triangles, `values` (S, L); both in place.

    Cholesky, row by row; the diagonal keeps reciprocals.
    """
    flat, flat_values = lower.reshape(-1), values.reshape(-1)
    for i in range(size):
        at_i = i * (i + 1) // 2
        for j in range(i + 1):
            at_j = j * (j + 1) // 2
            _subtract_products(flat, at_i, flat, at_j, j, flat, at_i + j)
            for p in range(LANES):
                if i == j:
                    lower[at_i + j, p] = np.float32(1.0) / np.sqrt(lower[at_i + j, p])
                else:
                    lower[at_i + j, p] *= lower[at_j + j, p]
        _subtract_products(flat, at_i, flat_values, 0, i, flat_values, i)
        for p in range(LANES):
            values[i, p] *= lower[at_i + i, p]
    for i in range(size - 1, -1, -1):
        at_i = i * (i + 1) // 2
        for p in range(LANES):
            values[i, p] *= lower[at_i + i, p]
        for k in range(i):
            for p in range(LANES):
                values[k, p] -= lower[at_i + k, p] * values[i, p]


@part(FUSED)
def _agree_with_say(constants: Any, say: Any, heard: Any, precision: Any, consensus: Any) -> None:
    """The consensus (S, L) of tokens (N, L) that were multiplied by their say (T, L).

    `precision` is (S·(S+1)/2, L) to work in.
    """
    for row in range(precision.shape[0]):
        precision[row] = constants.prior[row]
    add_products(constants.strength, say, precision)
    multiply(constants.votes, heard, consensus)
    _solve(constants.sizes[3], precision, consensus)


@part(FUSED)
def _hear(constants: Any, tokens: Any, say: Any, heard: Any) -> None:
    """Tokens (N, L) times their say (T, L)."""
    window = constants.sizes[1]
    for token in range(constants.sizes[2]):
        first, step = constants.places[token]
        for channel in range(3):
            for row in range(first + channel * step, first + channel * step + window):
                for p in range(LANES):
                    heard[row, p] = tokens[row, p] * say[token, p]


@part(FUSED)
def settle(constants: Any, tokens: Any, consensus: Any, apart: Any) -> None:
    """Replace tokens (N, L), as far as they lose their say, by what the others expect; `BandConsensus._settle`."""
    count = constants.sizes[2]
    fall, one = constants.limits[2], np.float32(1.0)
    say, heard = np.zeros((constants.strength.shape[1], LANES), np.float32), np.zeros_like(tokens)
    precision = np.empty((ROWS * constants.strength.shape[0], LANES), np.float32)
    for turn in range(constants.sizes[5] + 1):
        contradict(constants, tokens, consensus, apart, say)
        for token in range(count):
            for p in range(LANES):
                beyond = max(say[token, p], one)
                say[token, p] = one / (beyond * beyond) if turn == 0 else exponential(fall * (one - beyond))
        _hear(constants, tokens, say, heard)
        _agree_with_say(constants, say, heard, precision, consensus)
    window = constants.sizes[1]
    for token in range(count):
        _deviate(constants, tokens, consensus, token, apart)
        first, step = constants.places[token]
        for channel in range(3):
            for offset in range(window):
                row, number = first + channel * step + offset, channel * window + offset
                for p in range(LANES):
                    tokens[row, p] += (one - say[token, p]) * apart[number, p]
