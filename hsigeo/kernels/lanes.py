"""Arithmetic on many pixels at once, a pixel to a lane of the processor's vectors.

An array is (row, lane): a row holds one number of each of many pixels side by side, so every loop over lanes becomes
vector instructions, whatever their width, without a gather and without a sum across lanes. What happens in a lane does
not depend on the others, nor on their number, to the bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from hsigeo.kernels.compiling import FUSED, intrinsic, part

__all__ = ["LANES", "add_squares", "exponential", "logarithm", "precise_exponential", "softmax"]

LANES = 48
"""Pixels worked on together: a multiple of every block of lanes that `hsigeo.kernels.products` makes, and so few that
200 bands' tokens and the matrices lie in the second-level cache together."""

LEAST = -87.0
"""The exponential of less is that of this: float32 holds little less with all its digits."""


@intrinsic
def _bits(context: Any, value: Any) -> Any:
    """The bits of a float32, as an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


@intrinsic
def _from_bits(context: Any, value: Any) -> Any:
    """The float32 that an int32 holds the bits of."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


@intrinsic
def _times_low_bits(context: Any, value: Any, power: Any) -> Any:
    """A float64 times two to the power that stands in the last bits of another, by adding to its exponent's bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = context.get_value_type(types.int64)
        value, power = (builder.bitcast(argument, word) for argument in arguments)
        raised = builder.add(value, builder.shl(power, word(52)))
        return builder.bitcast(raised, context.get_value_type(types.float64))

    return types.float64(types.float64, types.float64), generate


@part(FUSED)
def logarithm(value: float) -> Any:
    """The natural logarithm of a positive normal number, to 1e-7 where that is larger than one rounding.

    The number is taken apart into a power of two and a factor 1 + f between √½ and √2; the polynomial interpolates
    (log(1 + f) - f + f²/2) / f³ at Chebyshev's points, with an error of 5e-8 in log.
    """
    bits = _bits(np.float32(value))
    power = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    f = _from_bits(bits - (power << np.int32(23))) - np.float32(1.0)
    g = np.float32(0.090487845)
    g = g * f - np.float32(0.14030892)
    g = g * f + np.float32(0.147039)
    g = g * f - np.float32(0.16602719)
    g = g * f + np.float32(0.19984223)
    g = g * f - np.float32(0.25000703)
    g = g * f + np.float32(0.33333415)
    square = f * f
    return np.float32(power) * np.float32(0.6931472) + (f + square * (f * g - np.float32(0.5)))


@part(FUSED)
def exponential(value: float) -> Any:
    """The exponential of a number up to 87, to a relative 1e-7 times the number's size; of very little 2e-38.

    Two to a whole power, by the bits, times two to the rest, from a polynomial that interpolates at Chebyshev's points.
    Unlike `hsigeo.kernels.exponential` it assumes nothing about the order of sums.
    """
    binary = max(np.float32(value), np.float32(LEAST)) * np.float32(1.442695)
    power = np.floor(binary + np.float32(0.5))
    f = binary - power
    g = np.float32(0.00015461445)
    g = g * f + np.float32(0.0013400428)
    g = g * f + np.float32(0.009618057)
    g = g * f + np.float32(0.05550327)
    g = g * f + np.float32(0.2402265)
    g = g * f + np.float32(0.6931472)
    g = g * f + np.float32(1.0)
    return g * _from_bits((np.int32(power) + np.int32(127)) << np.int32(23))


@part(FUSED)
def precise_exponential(value: float) -> Any:
    """The exponential of a float64 from -700 to 0, to a relative 1e-12.

    As `exponential`. What is added to find the nearest whole power leaves it in the last bits, whence it goes into the
    result's exponent: not every processor turns many float64 into integers at once.
    """
    shifted = value * 1.4426950408889634 + 6755399441055744.0
    f = value * 1.4426950408889634 - (shifted - 6755399441055744.0)
    g = 1.3255224878668817e-06
    g = g * f + 1.5310079402249296e-05
    g = g * f + 0.00015403455852453838
    g = g * f + 0.0013333450568000645
    g = g * f + 0.009618129159402558
    g = g * f + 0.05550410941205933
    g = g * f + 0.2402265069581299
    g = g * f + 0.6931471805459335
    return _times_low_bits(g * f + 1.0, shifted)


@part(FUSED)
def softmax(scores: Any, count: int, spare: Any, shares: Any) -> None:
    """Make probabilities, float32 `shares`, of the first `count` float64 `scores`; `spare` is a row of these."""
    for p in range(LANES):
        spare[p] = scores[0, p]
    for k in range(1, count):
        for p in range(LANES):
            spare[p] = max(spare[p], scores[k, p])
    for k in range(count):
        for p in range(LANES):
            shares[k, p] = exponential(np.float32(scores[k, p] - spare[p]))
    for p in range(LANES):
        spare[p] = 0.0
    for k in range(count):
        for p in range(LANES):
            spare[p] += shares[k, p]
    for k in range(count):
        for p in range(LANES):
            shares[k, p] /= np.float32(spare[p])


@part(FUSED)
def add_squares(rows: Any, weights: Any, sums: Any) -> None:
    """Add to `sums` (L,) the squares of rows (number, L) times a weight (number,) each."""
    count = len(weights)
    for row in range(0, count - 3, 4):  # four at a time: sums are stored less often
        a, b, c, d = weights[row], weights[row + 1], weights[row + 2], weights[row + 3]
        for p in range(LANES):
            x, y, z, u = rows[row, p], rows[row + 1, p], rows[row + 2, p], rows[row + 3, p]
            sums[p] += (x * x * a + y * y * b) + (z * z * c + u * u * d)
    for row in range(count - count % 4, count):
        for p in range(LANES):
            sums[p] += rows[row, p] * rows[row, p] * weights[row]
