"""Spectral attention as loops that numba compiles: the kernel ``cpu``.

The strategy: one pixel and head at a time, a pass over the keys for every two queries, vectors along the keys. A pass
computes the exponentials of its two rows and their sums, and adds to the answer the two rows before, whose sums are
known by now; so every row goes through memory once. Rows are padded to whole cache lines.

No exponential overflows, whatever the input. How far the exponents of a row can be from zero is known for two products
per row, nothing per entry; softmax does not mind what is added to a whole row, so places, keys and values are first
shifted to lie evenly about zero. Where that bound is small, as it is while logits are of usual size, the exponentials
are taken as they are. Else the bound is taken off first, and only where it was so loose that nearly all of the row
vanished, or is sure to, is the true largest exponent looked for.

The interpreter's lock is released and no threads are started here. What a pixel gets depends on that pixel alone.

Legend: `lines` (head, 4, width) holds per head, padded with zeros, the keys u, the queries v, how far the places of
each row lie from zero, and in the last line the product's factor a and how far the keys lie from zero. `places`
(head, even number of rows, width) holds W, padded with `LEAST`. All are in exponents of two.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hsigeo.kernels.compiling import FAST_MATH, compiled
from hsigeo.kernels.exponential import LEAST, SCALE, in_order, out_of_order, scaled_power

__all__ = [
    "GRADIENT",
    "KEY",
    "KEYS",
    "PRODUCT",
    "QUERIES",
    "REACH",
    "ROW",
    "SCRATCH_LINES",
    "TAME",
    "VALUES",
    "attend",
    "called",
    "careful_row",
    "inlined",
    "shift",
]

KEYS, QUERIES, REACH, PRODUCT = range(4)
"""Lines of a head."""

VALUES, KEY, ROW, GRADIENT, _OTHER, _ANSWER = range(6)
"""Lines of the scratch."""

SCRATCH_LINES = 6

TAME = np.float32(60.0)
"""Exponents no farther from zero than this need no care: neither they nor sums of them leave float32's range."""

_HOPELESS = np.float32(250.0)
"""A bound beyond which it is not tried whether it is too loose: it nearly always is."""

_VANISHING = np.float32(SCALE * 2.0**-64)
"""A row's sum below which its bound was too loose: those of 512 entries at `LEAST` are 2^-27 of it together."""

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)

inlined = numba.njit(forceinline=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")
called = numba.njit(nogil=True, fastmath=FAST_MATH, error_model="numpy")


@called
def shift(values: Any, count: Any) -> Any:
    """Shift numbers to lie evenly about zero; how far they then are from it at most."""
    least, most = values[0], values[0]
    for place in range(count):
        least = values[place] if values[place] < least else least
        most = values[place] if values[place] > most else most
    middle = np.float32(0.5) * least + np.float32(0.5) * most
    for place in range(count):
        values[place] -= middle
    return most - middle


@inlined
def _row_below(bound: Any, place: Any, key: Any, values: Any, own: Any, turned: Any, row: Any) -> Any:
    total = _ZERO
    for j in range(len(row)):
        exponent = place[j] + own * key[j] + turned * values[j] - bound
        entry = scaled_power(LEAST if exponent < LEAST else exponent)
        row[j] = entry
        total += entry
    return total


@called
def careful_row(bound: Any, places: Any, i: Any, factors: Any, scratch: Any, line: Any, bands: Any) -> Any:
    """Exponentials of a row less a bound, or less the true largest exponent where that was too loose; their sum.

    Whole arrays and numbers are passed, no slices: counting references to those would cost more than the call.
    """
    place, values, key, row = places[i], scratch[VALUES], scratch[KEY], scratch[line]
    own, turned = factors
    total = _row_below(bound, place, key, values, own, turned, row) if bound < _HOPELESS else _ZERO
    if total < _VANISHING:
        most = in_order(place[0] + own * key[0] + turned * values[0])
        for j in range(1, bands):
            exponent = in_order(place[j] + own * key[j] + turned * values[j])
            most = exponent if exponent > most else most
        largest = out_of_order(most)
        total = _row_below(largest, place[:bands], key[:bands], values[:bands], own, turned, row[:bands])
    return total


@inlined
def _tame_pair(
    place: Any, other_place: Any, key: Any, values: Any, factors: Any, shares: Any, row: Any, other: Any, answer: Any
) -> Any:
    """Exponentials of two rows as they are, and their sums; the two rows before are added to the answer."""
    own, turned, other_own, other_turned = factors
    share, other_share = shares
    total, other_total = _ZERO, _ZERO
    for j in range(len(row)):
        answer[j] += share * row[j] + other_share * other[j]
        entry = scaled_power(place[j] + own * key[j] + turned * values[j])
        row[j] = entry
        total += entry
        entry = scaled_power(other_place[j] + other_own * key[j] + other_turned * values[j])
        other[j] = entry
        other_total += entry
    return total, other_total


@compiled("void(float32[:, ::1], float32[:, :, ::1], float32[:, :, ::1], float32[:, ::1], float32[:, :, ::1])")
def attend(spectra: Any, lines: Any, places: Any, scratch: Any, weights: Any) -> None:
    """Mean over the queries of the attention each band gets: weights (pixel, head, band) of spectra (pixel, band)."""
    bands = spectra.shape[1]
    values, key, answer, row, other = scratch[VALUES], scratch[KEY], scratch[_ANSWER], scratch[ROW], scratch[_OTHER]
    for pixel in range(spectra.shape[0]):
        values[:bands] = spectra[pixel]
        farthest = shift(values, bands)
        for head in range(lines.shape[0]):
            key[:] = lines[head, KEYS]
            head_places = places[head]
            product, farthest_key = lines[head, PRODUCT, 0], lines[head, PRODUCT, 1]
            answer[:] = _ZERO
            row[:] = _ZERO
            other[:] = _ZERO
            share, other_share = _ZERO, _ZERO
            for i in range(0, bands, 2):
                # Of an odd number of bands the last has no neighbour, but a row of padding.
                own, other_own = spectra[pixel, i], spectra[pixel, min(i + 1, bands - 1)]
                turned = own * product + lines[head, QUERIES, i]
                other_turned = other_own * product + lines[head, QUERIES, i + 1]
                bound = abs(turned) * farthest + abs(own) * farthest_key + lines[head, REACH, i]
                other_bound = abs(other_turned) * farthest + abs(other_own) * farthest_key + lines[head, REACH, i + 1]
                if bound < TAME and other_bound < TAME:
                    factors = own, turned, other_own, other_turned
                    place, other_place = head_places[i], head_places[i + 1]
                    total, other_total = _tame_pair(
                        place, other_place, key, values, factors, (share, other_share), row, other, answer
                    )
                else:
                    for j in range(len(answer)):
                        answer[j] += share * row[j] + other_share * other[j]
                    total = careful_row(bound, head_places, i, (own, turned), scratch, ROW, bands)
                    factors_of_other = other_own, other_turned
                    other_total = careful_row(other_bound, head_places, i + 1, factors_of_other, scratch, _OTHER, bands)
                share = _ONE / (total * np.float32(bands))
                other_share = _ONE / (other_total * np.float32(bands)) if i + 1 < bands else _ZERO
            for j in range(bands):
                weights[pixel, head, j] = answer[j] + share * row[j] + other_share * other[j]
