"""Spectral attention in Triton: the kernel ``cuda``, forward and backward, in float32.

The strategy: a program takes a few pixels and one head, so that W, which all pixels share, is read once for all of
them, and goes through the queries in blocks; the answer stays in registers. On the way back one kernel does the same
for the gradients of the values. Another takes a block of queries and one head, goes through a share of the pixels and
keeps the gradients of W in registers. Nothing is added atomically, so the same inputs give the same bits.

Exponents are taken less the largest of their row: here the exponentials are the limit, not the comparisons.

With ``TRITON_INTERPRET=1`` in the environment the same programs run on a CPU, slowly; so they are tested without a GPU.

Shape legend: P pixels, H heads, B bands, S shares of the pixels, Q blocks of queries.
"""

# Triton writes what is known at compile time in capitals, and types its arguments itself.
# ruff: noqa: N803
# mypy: allow-untyped-defs, allow-untyped-decorators, allow-incomplete-defs
from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from hsigeo.kernels.attention.plain import plain_weights

__all__ = ["cuda_gradients", "cuda_weights", "works"]

_LOG2_E = 1.4426950408889634
_TILE = 8192
"""Logits a program holds at once: 64 for each of 128 threads."""

_OPTIONS = {"num_warps": 4, "enable_fp_fusion": True}

_SHARES = 8
"""Parts the pixels are divided into where W's gradient is summed, or programs would be too few for a large GPU."""


@triton.jit
def _softmax(own, values, key, turned, place, inside):
    """Softmax over the keys (last axis) of exponents of two."""
    exponent = place + own * key + turned * values
    exponent = tl.where(inside, exponent, float("-inf"))
    largest = tl.max(exponent, axis=2)
    entry = tl.exp2(exponent - largest[:, :, None])
    return entry / tl.sum(entry, axis=2)[:, :, None]


@triton.jit
def _attend(
    spectra,
    product,
    keys,
    queries,
    places,
    weights,
    pixels,
    bands,
    heads,
    PIXELS: tl.constexpr,
    ROWS: tl.constexpr,
    WIDTH: tl.constexpr,
):
    head = tl.program_id(1)
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    band = tl.arange(0, WIDTH)
    is_pixel, is_band = pixel < pixels, band < bands
    is_value = is_pixel[:, None] & is_band[None, :]
    values = tl.load(spectra + pixel[:, None] * bands + band[None, :], mask=is_value, other=0.0)
    key = tl.load(keys + head * bands + band, mask=is_band, other=0.0)
    factor = tl.load(product + head)
    answer = tl.zeros((PIXELS, WIDTH), dtype=tl.float32)
    for start in range(0, bands, ROWS):
        row = start + tl.arange(0, ROWS)
        is_row = row < bands
        own = tl.load(
            spectra + pixel[:, None] * bands + row[None, :], mask=is_pixel[:, None] & is_row[None, :], other=0.0
        )
        turned = own * factor + tl.load(queries + head * bands + row, mask=is_row, other=0.0)[None, :]
        place = tl.load(
            places + (head * bands + row[:, None]) * bands + band[None, :],
            mask=is_row[:, None] & is_band[None, :],
            other=0.0,
        )
        share = _softmax(
            own[:, :, None],
            values[:, None, :],
            key[None, None, :],
            turned[:, :, None],
            place[None, :, :],
            is_band[None, None, :],
        )
        answer += tl.sum(tl.where(is_row[None, :, None], share, 0.0), axis=1)
    tl.store(weights + (pixel[:, None] * heads + head) * bands + band[None, :], answer / bands, mask=is_value)


@triton.jit
def _pass_back_to_values(
    spectra,
    product,
    keys,
    queries,
    places,
    gradient,
    as_key,
    as_query,
    pixels,
    bands,
    heads,
    PIXELS: tl.constexpr,
    ROWS: tl.constexpr,
    WIDTH: tl.constexpr,
):
    head = tl.program_id(1)
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    band = tl.arange(0, WIDTH)
    is_pixel, is_band = pixel < pixels, band < bands
    is_value = is_pixel[:, None] & is_band[None, :]
    values = tl.load(spectra + pixel[:, None] * bands + band[None, :], mask=is_value, other=0.0)
    answer = (pixel[:, None] * heads + head) * bands
    wanted = tl.load(gradient + answer + band[None, :], mask=is_value, other=0.0) / bands
    key = tl.load(keys + head * bands + band, mask=is_band, other=0.0)
    factor = tl.load(product + head)
    found = tl.zeros((PIXELS, WIDTH), dtype=tl.float32)
    for start in range(0, bands, ROWS):
        row = start + tl.arange(0, ROWS)
        is_row = row < bands
        is_own = is_pixel[:, None] & is_row[None, :]
        own = tl.load(spectra + pixel[:, None] * bands + row[None, :], mask=is_own, other=0.0)
        turned = own * factor + tl.load(queries + head * bands + row, mask=is_row, other=0.0)[None, :]
        place = tl.load(
            places + (head * bands + row[:, None]) * bands + band[None, :],
            mask=is_row[:, None] & is_band[None, :],
            other=0.0,
        )
        share = _softmax(
            own[:, :, None],
            values[:, None, :],
            key[None, None, :],
            turned[:, :, None],
            place[None, :, :],
            is_band[None, None, :],
        )
        mean = tl.sum(share * wanted[:, None, :], axis=2)
        logit = tl.where(is_row[None, :, None], share * (wanted[:, None, :] - mean[:, :, None]), 0.0)
        found += tl.sum(logit * turned[:, :, None], axis=1)
        query = tl.sum(logit * (factor * values[:, None, :] + key[None, None, :]), axis=2)
        tl.store(as_query + answer + row[None, :], query, mask=is_own)
    tl.store(as_key + answer + band[None, :], found, mask=is_value)


@triton.jit
def _pass_back_to_weights(
    spectra,
    product,
    keys,
    queries,
    places,
    gradient,
    to_products,
    to_keys,
    to_queries,
    to_places,
    pixels,
    bands,
    heads,
    each,
    ROWS: tl.constexpr,
    WIDTH: tl.constexpr,
):
    block, head, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    row, band = block * ROWS + tl.arange(0, ROWS), tl.arange(0, WIDTH)
    is_row, is_band = row < bands, band < bands
    is_place = is_row[:, None] & is_band[None, :]
    key = tl.load(keys + head * bands + band, mask=is_band, other=0.0)
    query = tl.load(queries + head * bands + row, mask=is_row, other=0.0)
    factor = tl.load(product + head)
    place = tl.load(places + (head * bands + row[:, None]) * bands + band[None, :], mask=is_place, other=0.0)
    to_place = tl.zeros((ROWS, WIDTH), dtype=tl.float32)
    to_key = tl.zeros((WIDTH,), dtype=tl.float32)
    to_query = tl.zeros((ROWS,), dtype=tl.float32)
    to_product = tl.zeros((ROWS,), dtype=tl.float32)
    for pixel in range(part * each, tl.minimum(pixels, (part + 1) * each)):
        values = tl.load(spectra + pixel * bands + band, mask=is_band, other=0.0)
        own = tl.load(spectra + pixel * bands + row, mask=is_row, other=0.0)
        wanted = tl.load(gradient + (pixel * heads + head) * bands + band, mask=is_band, other=0.0) / bands
        turned = own * factor + query
        share = tl.reshape(
            _softmax(
                own[None, :, None],
                values[None, None, :],
                key[None, None, :],
                turned[None, :, None],
                place[None, :, :],
                is_band[None, None, :],
            ),
            (ROWS, WIDTH),
        )
        mean = tl.sum(share * wanted[None, :], axis=1)
        logit = tl.where(is_row[:, None], share * (wanted[None, :] - mean[:, None]), 0.0)
        found = tl.sum(logit * values[None, :], axis=1)
        to_place += logit
        to_key += tl.sum(logit * own[:, None], axis=0)
        to_query += found
        to_product += found * own
    line = (part * heads + head) * bands
    tl.store(to_places + (line + row[:, None]) * bands + band[None, :], to_place, mask=is_place)
    tl.store(to_queries + line + row, to_query, mask=is_row)
    tl.store(to_products + line + row, to_product, mask=is_row)
    blocks = tl.num_programs(0)
    tl.store(to_keys + ((part * heads + head) * blocks + block) * bands + band, to_key, mask=is_band)


def cuda_weights(values: Tensor, product: Tensor, keys: Tensor, queries: Tensor, places: Tensor) -> Tensor:
    """As `hsigeo.kernels.attention.attention_weights`, for float32 on a CUDA device."""
    (pixels, bands), heads = values.shape, len(product)
    inputs = _in_powers_of_two(values, product, keys, queries, places)
    weights = values.new_empty(pixels, heads, bands)
    tile = _tile(bands)
    with _on(values):
        _attend[(triton.cdiv(pixels, tile["PIXELS"]), heads)](
            *inputs, weights, pixels, bands, heads, **tile, **_OPTIONS
        )
    return weights


def cuda_gradients(
    values: Tensor,
    product: Tensor,
    keys: Tensor,
    queries: Tensor,
    places: Tensor,
    *,
    gradient: Tensor,
    wants_values: bool,
) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of values (`None` if not wanted), product, keys, queries and places, from that of the weights."""
    (pixels, bands), heads = values.shape, len(product)
    inputs = _in_powers_of_two(values, product, keys, queries, places)
    gradient = gradient.contiguous()
    tile = _tile(bands)
    found_values = None
    with _on(values):
        if wants_values:
            as_key, as_query = torch.empty_like(gradient), torch.empty_like(gradient)
            grid = (triton.cdiv(pixels, tile["PIXELS"]), heads)
            _pass_back_to_values[grid](*inputs, gradient, as_key, as_query, pixels, bands, heads, **tile, **_OPTIONS)
            found_values = (as_key + as_query).sum(dim=1) / _LOG2_E
        tile = _tile(bands, pixels=1)
        blocks, parts = triton.cdiv(bands, tile["ROWS"]), min(_SHARES, pixels)
        to_product, to_queries = (values.new_empty(parts, heads, bands) for _ in range(2))
        to_keys = values.new_empty(parts, heads, blocks, bands)
        to_places = values.new_empty(parts, heads, bands, bands)
        _pass_back_to_weights[(blocks, heads, parts)](
            *inputs,
            gradient,
            to_product,
            to_keys,
            to_queries,
            to_places,
            pixels,
            bands,
            heads,
            triton.cdiv(pixels, parts),
            ROWS=tile["ROWS"],
            WIDTH=tile["WIDTH"],
            **_OPTIONS,
        )
    return (
        found_values,
        to_product.sum(dim=(0, 2)),
        to_keys.sum(dim=(0, 2)),
        to_queries.sum(dim=0),
        to_places.sum(dim=0),
    )


def works() -> bool:
    """Whether Triton can compile and run here: it needs a C compiler, and a device new enough."""
    if not torch.cuda.is_available():
        return False
    values = torch.linspace(-1, 1, 6, device="cuda").view(2, 3)
    logits = values.new_ones(1), values[:1], values[1:], values.new_ones(1, 3, 3)
    try:
        found = cuda_weights(values, *logits)
    except (triton.TritonError, RuntimeError, OSError, ValueError):
        return False
    return bool(torch.allclose(found, plain_weights(values, *logits), atol=1e-5))


def _in_powers_of_two(values: Tensor, *logits: Tensor) -> tuple[Tensor, ...]:
    return values.detach().contiguous(), *((_LOG2_E * part.detach()).contiguous() for part in logits)


def _tile(bands: int, pixels: int = 4) -> dict[str, int]:
    width = triton.next_power_of_2(bands)
    return {"PIXELS": pixels, "ROWS": max(1, min(16, _TILE // (pixels * width))), "WIDTH": width}


def _on(values: Tensor) -> Any:
    """Triton starts its programs on the current device."""
    device_of: Any = torch.cuda.device_of
    return device_of(values)
