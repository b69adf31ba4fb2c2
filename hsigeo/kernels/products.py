"""Products of matrices with a pixel to a lane: as many sums at a time as there is room for in the registers.

LLVM makes vectors of loops over lanes, but it does not keep a block of sums in registers while it goes over the rows.
Here that block is spelled out: some sums by three vectors of lanes. Each row is loaded once for all of these sums, each
weight once for all of these lanes, and nothing is stored before the end. How wide a vector is and how many registers
there are is asked of the processor; no instruction of any is named.

A sum is made row by row whatever the block, so its bits do not depend on the processor either, as long as that
multiplies and adds in one step.
"""

from __future__ import annotations

import platform
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from hsigeo.kernels.compiling import FUSED, intrinsic, part
from hsigeo.kernels.lanes import LANES

__all__ = ["ROWS", "Number", "add_part", "add_products", "block_weights", "multiply", "multiply_part"]

ROWS = 8
"""Sums whose weights lie side by side."""

VECTORS = 3
"""Vectors of lanes in a block. With the sums of `_Registers` they, what is loaded and a weight fill the registers."""

Number = TypeVar("Number", bound=np.floating[Any])


class _Registers(NamedTuple):
    """What a block of sums is made for: bytes in a vector, and sums at a time."""

    width: int
    sums: int


def _choose_registers() -> _Registers:
    """For the processor that numba compiles for: this one, or the one that its settings name."""
    if platform.machine() not in ("x86_64", "AMD64", "i686"):
        return _Registers(16, 8)  # NEON: 32 registers
    settings: Any = numba.config
    if settings.CPU_NAME is None and settings.CPU_FEATURES is None:
        features = dict(binding.get_host_cpu_features())
    else:
        features = {part[1:]: part[0] == "+" for part in (settings.CPU_FEATURES or "+avx").split(",")}
    if features.get("avx512f"):
        return _Registers(64, 8)  # 32 registers
    return _Registers(32 if features.get("avx") else 16, 4)  # 16


_REGISTERS = _choose_registers()
_PASSES = ROWS // _REGISTERS.sums
_IN_FLOATS, _IN_DOUBLES = (VECTORS * _REGISTERS.width // size for size in (4, 8))
"""Lanes in a block."""


def block_weights(matrix: NDArray[np.floating[Any]], dtype: type[Number]) -> NDArray[Number]:
    """A matrix (from, to) in the order in which `add_products` reads it, (to / 8, from, 8), filled up with 0."""
    rows, columns = matrix.shape
    padded = np.pad(matrix, ((0, 0), (0, -columns % ROWS)))
    return np.ascontiguousarray(padded.reshape(rows, -1, ROWS).transpose(1, 0, 2), dtype=dtype)


class _Block:
    """Instructions for one block of sums: what `_add_block` is made of.

    Parameters
    ----------
    builder
        Of LLVM's instructions.
    sums, rows
        numba's types of the numbers that are added up and multiplied.
    """

    def __init__(self, builder: Any, sums: Any, rows: Any) -> None:
        kinds = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
        self.builder, self.index = builder, ir.IntType(64)
        self.width = _REGISTERS.width * 8 // sums.bitwidth
        self.vector, self.loaded = (ir.VectorType(kinds[kind], self.width) for kind in (sums, rows))
        self.align, self.loaded_align = sums.bitwidth // 8, rows.bitwidth // 8

    def places(self, pointer: Any, kind: Any) -> list[Any]:
        """Where the vectors of a row begin."""
        starts = [self.builder.gep(pointer, [self.index(number * self.width)]) for number in range(VECTORS)]
        return [self.builder.bitcast(start, kind.as_pointer()) for start in starts]

    def load(self, row: Any) -> list[Any]:
        """A row's vectors, as numbers of the sums' kind."""
        loaded = [self.builder.load(place, align=self.loaded_align) for place in self.places(row, self.loaded)]
        return loaded if self.loaded == self.vector else [self.builder.fpext(part, self.vector) for part in loaded]

    def spread(self, place: Any) -> Any:
        """A weight in every lane."""
        nothing = ir.Constant(self.vector, ir.Undefined)
        order = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        single = self.builder.insert_element(nothing, self.builder.load(place), ir.IntType(32)(0))
        return self.builder.shuffle_vector(single, nothing, order)

    def add(self, total: Any, weight: Any, values: Any) -> None:
        """Add a product to what `total` points to: in a register, as soon as LLVM has seen that nobody else looks."""
        product = self.builder.fmul(weight, values, flags=("contract",))
        self.builder.store(self.builder.fadd(self.builder.load(total), product, flags=("contract",)), total)


def _fill_block(context: Any, builder: Any, signature: Any, arguments: Any, *, added: bool) -> Any:
    """Instructions of `_add_block` and `_set_block`."""
    index = ir.IntType(64)
    weight, row, first_sum = (
        builder.gep(context.make_array(kind)(context, builder, array).data, [start])
        for kind, array, start in zip(signature.args[0:6:2], arguments[0:6:2], arguments[1:7:2], strict=True)
    )
    block = _Block(builder, signature.args[4].dtype, signature.args[2].dtype)
    kept = [
        place
        for number in range(_REGISTERS.sums)
        for place in block.places(builder.gep(first_sum, [index(number * LANES)]), block.vector)
    ]
    totals = [cgutils.alloca_once(builder, block.vector) for _ in kept]  # type: ignore[no-untyped-call]
    for place, total in zip(kept, totals, strict=True):
        before = builder.load(place, align=block.align) if added else ir.Constant(block.vector, [0.0] * block.width)
        builder.store(before, total)
    with cgutils.for_range(builder, arguments[6]) as loop:
        values = block.load(builder.gep(row, [builder.mul(loop.index, index(LANES))]))
        here = builder.gep(weight, [builder.mul(loop.index, index(ROWS))])
        for number in range(_REGISTERS.sums):
            spread = block.spread(builder.gep(here, [index(number)]))
            for part, value in enumerate(values):
                block.add(totals[VECTORS * number + part], spread, value)
    for place, total in zip(kept, totals, strict=True):
        builder.store(builder.load(total), place, align=block.align)
    return context.get_dummy_value()


@intrinsic
def _add_block(_context: Any, weights: Any, at: Any, rows: Any, first: Any, sums: Any, into: Any, count: Any) -> Any:
    """Add to a block of `sums`, from number `into` on, what rows times weights are, all counted in numbers."""
    number = types.intp
    return types.void(weights, number, rows, number, sums, number, number), partial(_fill_block, added=True)


@intrinsic
def _set_block(_context: Any, weights: Any, at: Any, rows: Any, first: Any, sums: Any, into: Any, count: Any) -> Any:
    """As `_add_block`, whatever the sums were before."""
    number = types.intp
    return types.void(weights, number, rows, number, sums, number, number), partial(_fill_block, added=False)


def _over_blocks(fill: Any) -> Any:
    """Products block by block."""

    @part(FUSED)
    def multiply(weights: Any, first: int, last: int, rows: Any, start: int, sums: Any) -> None:
        step = _IN_FLOATS if sums.itemsize == 4 else _IN_DOUBLES
        for block in range(weights.shape[0]):
            for turn in range(_PASSES):
                at = (block * weights.shape[1] + first) * ROWS + turn * _REGISTERS.sums
                to = (block * ROWS + turn * _REGISTERS.sums) * LANES
                for lane in range(0, LANES, step):
                    fill(weights, at, rows, start * LANES + lane, sums, to + lane, last - first)

    return multiply


add_part = _over_blocks(_add_block)
"""As `add_products`, of the weights from a first to before a last one, and of as many rows from a start on."""

multiply_part = _over_blocks(_set_block)
"""As `add_part`, whatever the sums were before."""


@part(FUSED)
def add_products(weights: Any, rows: Any, sums: Any) -> None:
    """Add to `sums` (to, lane) the products of `weights` (to / 8, from, 8) and `rows` (from, lane).

    All have `LANES` lanes and are contiguous. Weights and sums are of one type; rows may be float32 where these are
    float64, and more than the weights are for.
    """
    add_part(weights, 0, weights.shape[1], rows, 0, sums)


@part(FUSED)
def multiply(weights: Any, rows: Any, sums: Any) -> None:
    """As `add_products`, whatever the sums were before."""
    multiply_part(weights, 0, weights.shape[1], rows, 0, sums)
