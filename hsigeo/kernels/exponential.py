"""Powers of two for numba's loops, in operations that every processor has as vectors.

``math.exp`` inside a loop keeps it scalar: no vector form of it is at hand without a further library. Here the
exponent's whole part goes into the bits of the result and a polynomial does the rest, so LLVM makes AVX2, AVX-512 or
NEON of it as the machine has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from hsigeo.kernels.compiling import inlined, intrinsic

__all__ = ["LEAST", "LOG2_E", "SCALE", "in_order", "out_of_order", "scaled_power"]

LOG2_E = 1.4426950408889634
"""Logits times this are exponents of two."""

LEAST = np.float32(-100.0)
"""The least exponent to take a power for. Those from -126 on could be had, but shares of them in a sum would be numbers
without all their digits, which processors handle slowly."""

_POLYNOMIAL = (0.001327647203, 0.00967554148, 0.05550713275, 0.2402211972, 0.6931469671, 1.000000072)
"""Least largest relative error of a fifth-degree polynomial for 2^f, f in [-1/2, 1/2]: 7.5e-8, about float32's own
rounding. The fourth degree (2.6e-6) was a twentieth faster."""

SCALE = 1 / _POLYNOMIAL[0]
"""`scaled_power` gives powers of two times this: with 1 before its highest term the polynomial takes a product less,
and a softmax does not mind."""

_DIGITS = 23
"""Of a float32, below its exponent's bits."""

_FOURTH, _THIRD, _SECOND, _FIRST, _WHOLE = (np.float32(SCALE * term) for term in _POLYNOMIAL[1:])


@intrinsic
def _nearest_whole(_context: Any, value: Any) -> Any:
    """LLVM's rint, which is one instruction; NumPy's is a call. Of a float32 or a vector of them."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (kind,) = {argument.type for argument in arguments}
        name = f"llvm.rint.v{kind.count}f32" if isinstance(kind, ir.VectorType) else "llvm.rint.f32"
        return builder.call(builder.module.declare_intrinsic(name, (), ir.FunctionType(kind, [kind])), arguments)

    return value(value), generate


@intrinsic
def _times_power(_context: Any, value: Any, _power: Any) -> Any:
    """A float32, or a vector of them, times two to a whole power, by adding to its exponent's bits."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        factor, power = arguments
        word: Any = ir.IntType(32)
        places = word(_DIGITS)
        if isinstance(factor.type, ir.VectorType):
            word = ir.VectorType(word, factor.type.count)
            places = ir.Constant(word, [_DIGITS] * word.count)
        shifted = builder.shl(builder.fptosi(power, word), places)
        return builder.bitcast(builder.add(builder.bitcast(factor, word), shifted), factor.type)

    return value(value, value), generate


def _ordered(builder: Any, bits: Any) -> Any:
    """Bits of a float32 as a whole number that grows with it, and back: all but the sign of a negative one turned."""
    word = ir.IntType(32)
    return builder.xor(bits, builder.and_(builder.ashr(bits, word(31)), word(0x7FFFFFFF)))


@intrinsic
def in_order(_context: Any, _value: Any) -> Any:
    """A float32 as an int32 that is the greater the greater it is; NaN is beyond infinity.

    The largest of many is found in vectors that way; of numbers that may be NaN it is not.
    """

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _ordered(builder, builder.bitcast(arguments[0], ir.IntType(32)))

    return types.int32(types.float32), generate


@intrinsic
def out_of_order(_context: Any, _value: Any) -> Any:
    """The float32 that `in_order` made an int32 of."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(_ordered(builder, arguments[0]), ir.FloatType())

    return types.float32(types.int32), generate


@inlined
def scaled_power(exponent: Any) -> Any:
    """2^exponent times `SCALE`, float32 or a vector of them; the exponent from `LEAST` to 117. NaN gives NaN."""
    whole = _nearest_whole(exponent)
    rest = exponent - whole
    polynomial = (rest + _FOURTH) * rest + _THIRD
    polynomial = polynomial * rest + _SECOND
    polynomial = polynomial * rest + _FIRST
    return _times_power(polynomial * rest + _WHOLE, whole)
