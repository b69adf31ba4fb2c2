"""Pixels of which no token can be contradicted are told without looking at each token.

The strategy: what a consensus z leaves unexplained of a stretch of tokens follows, by Pythagoras, from how large the
tokens are, how they voted and how strongly, Σ x²/ψ - 2 z·v + zᵀKz: products of S by S instead of N by S, for the votes
have to be counted anyway. No token of the stretch can deviate by more than the whole stretch does, and what is usual of
a token is a multiple of what spectra like those of training show; so three stretches clear nearly all pixels. What is
not cleared is looked at exactly.

Shape legend as in `hsigeo.kernels.consensus`, whose constants these are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.compiling import FUSED, part
from hsigeo.kernels.lanes import LANES, add_squares
from hsigeo.kernels.products import multiply, multiply_part

__all__ = ["count_votes", "screen"]

ROUNDING = 1e-4
"""Of the size of all tokens, in their noise: more than rounding can take from the difference of its parts."""


@part(FUSED)
def count_votes(constants: Any, tile: Any, stretch: int, rows: int) -> None:
    """How a stretch, whose tokens are the tile's first `rows`, votes, and how large it is."""
    first = 3 * constants.sizes[1] * constants.stretches[stretch]
    multiply_part(constants.votes, first, first + rows, tile.tokens, 0, tile.votes[stretch])
    tile.left[stretch] = np.float32(0.0)
    add_squares(tile.tokens, constants.certainty[first : first + rows], tile.left[stretch])


@part(FUSED)
def _subtract_told(consensus: Any, said: Any, votes: Any, left: Any) -> None:
    """Take from squares what a consensus explains of them."""
    for shape in range(consensus.shape[0]):
        for p in range(LANES):
            left[p] += consensus[shape, p] * (said[shape, p] - np.float32(2.0) * votes[shape, p])


@part(FUSED)
def _sum(parts: Any, total: Any) -> None:
    total[:] = np.float32(0.0)
    for number in range(parts.shape[0]):
        for row in range(parts.shape[1]):
            for p in range(LANES):
                total[row, p] += parts[number, row, p]


@part(FUSED)
def screen(constants: Any, tile: Any, most: Any) -> None:
    """What the contradiction of any token is at most, (L,), with something to spare; votes have been counted."""
    left, said = tile.left, tile.said
    _sum(tile.votes, said)
    multiply(constants.settled, said, tile.consensus)
    rounding = tile.rounding
    rounding[:] = np.float32(0.0)
    for stretch in range(left.shape[0]):
        for p in range(LANES):
            rounding[p] += left[stretch, p] * np.float32(ROUNDING)
    most[:] = np.float32(0.0)
    for stretch in range(left.shape[0]):
        multiply(constants.expected[stretch], tile.consensus, said)
        _subtract_told(tile.consensus, said, tile.votes[stretch], left[stretch])
        allowed = constants.allowed[stretch]
        for p in range(LANES):
            most[p] = max(most[p], (left[stretch, p] + rounding[p]) * allowed)
