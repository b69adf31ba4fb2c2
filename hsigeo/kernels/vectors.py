"""Sixteen float32 at once, as a value of numba's: what a loop works on that must not be left to a compiler's guess.

LLVM makes one AVX-512 register of such a vector, two of AVX2 or four of NEON: no processor's instruction is named
here. Left to itself LLVM turns loops over numbers into loops over two or four of its vectors, and what remains of a row
goes one by one or by fours; and it chooses the order of sums. Here rows go in whole vectors, and sums are made in one
order on every processor.

``+``, ``-`` and ``*`` work among vectors and with a float32, which then stands for sixteen. A product and a sum may
become one step, nothing else is assumed: NaN stays NaN.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, overload, register_model

from hsigeo.kernels.compiling import intrinsic

__all__ = ["NUMBERS", "VECTOR", "load", "spread", "store", "total"]

NUMBERS = 16
"""In a vector: what the widest registers hold. Rows that are made of vectors are padded to a multiple."""

_FLOATS = ir.VectorType(ir.FloatType(), NUMBERS)


class _Vector(types.Type):
    """The type of a vector, to numba."""

    def __init__(self) -> None:
        super().__init__(name="vector of 16 float32")


VECTOR = _Vector()


@register_model(_Vector)
class _Model(models.PrimitiveModel):
    """To LLVM it is a number like any other, so it lives in registers."""

    def __init__(self, manager: Any, front_end_type: Any) -> None:
        super().__init__(manager, front_end_type, _FLOATS)  # type: ignore[no-untyped-call]


def _spread(builder: Any, number: Any) -> Any:
    """A number sixteen times; a vector as it is."""
    if number.type == _FLOATS:
        return number
    nothing, order = ir.Constant(_FLOATS, ir.Undefined), ir.VectorType(ir.IntType(32), NUMBERS)
    first = builder.insert_element(nothing, number, ir.IntType(32)(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(order, [0] * NUMBERS))


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Where the vector begins that an array (first argument) holds from an index (second) on."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), _FLOATS.as_pointer())


@intrinsic
def spread(_context: Any, _number: Any) -> Any:
    """A vector of sixteen times the same float32."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return VECTOR(types.float32), generate


@intrinsic
def load(_context: Any, row: Any, _index: Any) -> Any:
    """The vector that begins at an index of a contiguous row of float32. Nothing is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, arguments), align=4)

    return VECTOR(row, types.intp), generate


@intrinsic
def store(_context: Any, row: Any, _index: Any, _vector: Any) -> Any:
    """Put a vector into a contiguous row of float32, from an index on. Nothing is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(context, builder, signature, arguments), align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, VECTOR), generate


@intrinsic
def total(_context: Any, _vector: Any) -> Any:
    """The sum of a vector's numbers: halves are added until one is left."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (rest,) = arguments
        while rest.type.count > 1:
            half = rest.type.count // 2
            order = ir.VectorType(ir.IntType(32), half)
            halves = [ir.Constant(order, list(range(first, first + half))) for first in (0, half)]
            rest = builder.fadd(*(builder.shuffle_vector(rest, rest, places) for places in halves))
        return builder.extract_element(rest, ir.IntType(32)(0))

    return types.float32(VECTOR), generate


def _teach(function: Callable[..., Any], instruction: str) -> None:
    """Let one of Python's operators work on vectors, by an instruction of LLVM's."""

    @intrinsic
    def compute(_context: Any, left: Any, right: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            both = (_spread(builder, argument) for argument in arguments)
            return getattr(builder, instruction)(*both, flags=("contract",))

        return VECTOR(left, right), generate

    @overload(function, jit_options={"forceinline": True})
    def choose(left: Any, right: Any) -> Any:
        if VECTOR not in (left, right) or not {left, right} <= {VECTOR, types.float32}:
            return None

        # With the hints of the function around it, or numba takes the two for different ones.
        def chosen(left: Any, right: Any) -> Any:
            return compute(left, right)

        return chosen


_teach(operator.add, "fadd")
_teach(operator.iadd, "fadd")
_teach(operator.sub, "fsub")
_teach(operator.isub, "fsub")
_teach(operator.mul, "fmul")
