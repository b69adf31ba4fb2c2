"""Spectral attention as loops that numba compiles: the kernel ``cpu``.

The strategy: one head at a time and two pixels by turns, a pass over the keys for every two queries, in vectors along
the keys. A pass computes the exponentials of its two rows and their sums, and adds to the answer the pixel's two rows
before, whose sums are known by now; so every row goes through memory once. A sum across a vector and a division take
long: while those of one pixel are under way, the other one's pass is.

No exponential overflows, whatever the input. How far the exponents of a row can be from zero is known for two products
per row, nothing per entry; softmax does not mind what is added to a whole row, so places, keys and values are first
shifted to lie evenly about zero. Where that bound is small, as it is while logits are of usual size, the exponentials
are taken as they are. Else the bound is taken off first, and only where it was so loose that nearly all of the row
vanished, or is sure to, is the true largest exponent looked for.

The interpreter's lock is released and no threads are started here. What a pixel gets depends on that pixel alone.

Legend: `lines` (head, 5, width) and `places` (head, even number of rows, width) are as
`hsigeo.kernels.attention.cpu_layout` has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.attention.cpu_layout import ADDED, KEYS, PRODUCT, QUERIES, REACH, shift
from hsigeo.kernels.compiling import compiled, inlined, part
from hsigeo.kernels.exponential import LEAST, SCALE, in_order, out_of_order, scaled_power
from hsigeo.kernels.vectors import NUMBERS, load, spread, store, total

__all__ = [
    "GRADIENT",
    "GROUP",
    "KEY",
    "ROW",
    "SCRATCH_LINES",
    "TAME",
    "VALUES",
    "attend",
    "bound_of",
    "careful_row",
    "tame_row",
    "turned_of",
]

VALUES, KEY, ROW, GRADIENT, _OTHER, _ANSWER = range(6)
"""Lines of the scratch."""

SCRATCH_LINES = 6

GROUP = 2
"""Pixels taken by turns, each with scratch of its own. Three and four were no faster."""

TAME = np.float32(60.0)
"""Exponents no farther from zero than this need no care: neither they nor sums of them leave float32's range."""

_HOPELESS = np.float32(250.0)
"""A bound beyond which it is not tried whether it is too loose: it nearly always is."""

_VANISHING = np.float32(SCALE * 2.0**-64)
"""A row's sum below which its bound was too loose: those of 512 entries at `LEAST` are 2^-27 of it together."""

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)


@inlined
def _row_below(bound: Any, place: Any, key: Any, values: Any, own: Any, turned: Any, row: Any) -> Any:
    found = _ZERO
    for j in range(len(place)):
        exponent = place[j] + own * key[j] + turned * values[j] - bound
        entry = scaled_power(LEAST if exponent < LEAST else exponent)
        row[j] = entry
        found += entry
    return found


@part()
def careful_row(bound: Any, places: Any, i: Any, factors: Any, scratch: Any, at: Any, bands: Any) -> Any:
    """Exponentials of a row less a bound, or less the true largest exponent where that was too loose; their sum.

    Whole arrays and numbers are passed, no slices: counting references to those would cost more than the call.
    """
    slot, line = at
    place, values, key, row = places[i], scratch[slot, VALUES], scratch[slot, KEY], scratch[slot, line]
    own, turned = factors
    found = _row_below(bound, place, key, values, own, turned, row) if bound < _HOPELESS else _ZERO
    if found < _VANISHING:
        most = in_order(place[0] + own * key[0] + turned * values[0])
        for j in range(1, bands):
            exponent = in_order(place[j] + own * key[j] + turned * values[j])
            most = exponent if exponent > most else most
        largest = out_of_order(most)
        found = _row_below(largest, place[:bands], key[:bands], values[:bands], own, turned, row[:bands])
    return found


@inlined
def _exponents(place: Any, key: Any, values: Any, own: Any, turned: Any, j: Any) -> Any:
    """A vector of a row's exponents. Without a key (`None`) they take a product less."""
    if key is None:
        return load(place, j) + turned * load(values, j)
    return (load(place, j) + own * load(key, j)) + turned * load(values, j)


@inlined
def tame_row(place: Any, key: Any, values: Any, factors: Any, gradient: Any, row: Any) -> Any:
    """Exponentials of a row as they are, their sum, and that of their products with the gradient, if there is one."""
    own, turned = factors
    sums, products = spread(_ZERO), spread(_ZERO)
    for j in range(0, len(place), NUMBERS):
        entries = scaled_power(_exponents(place, key, values, own, turned, j))
        store(row, j, entries)
        sums += entries
        if gradient is not None:
            products += entries * load(gradient, j)
    return total(sums), total(products)


@inlined
def _tame_pair(
    place: Any, other_place: Any, key: Any, values: Any, factors: Any, shares: Any, row: Any, other: Any, answer: Any
) -> Any:
    """Exponentials of two rows as they are, and their sums; the two rows before are added to the answer."""
    own, turned, other_own, other_turned = factors
    share, other_share = shares
    sums, other_sums = spread(_ZERO), spread(_ZERO)
    for j in range(0, len(place), NUMBERS):
        store(answer, j, (load(answer, j) + share * load(row, j)) + other_share * load(other, j))
        entries = scaled_power(_exponents(place, key, values, own, turned, j))
        store(row, j, entries)
        sums += entries
        entries = scaled_power(_exponents(other_place, key, values, other_own, other_turned, j))
        store(other, j, entries)
        other_sums += entries
    return total(sums), total(other_sums)


@part()
def _begin(spectra: Any, pixel: Any, lines: Any, head: Any, scratch: Any, slot: Any) -> Any:
    """Put a pixel into a slot of the scratch; how far its values, as they are there, lie from zero at most."""
    bands = spectra.shape[1]
    for j in range(bands):
        scratch[slot, VALUES, j] = spectra[pixel, j] + lines[head, ADDED, j]
    # A loop over vectors: arrays set to arrays would be checked for their shapes.
    row, other, answer = scratch[slot, ROW], scratch[slot, _OTHER], scratch[slot, _ANSWER]
    for j in range(0, lines.shape[2], NUMBERS):
        store(scratch[slot, KEY], j, load(lines[head, KEYS], j))
        store(row, j, spread(_ZERO))
        store(other, j, spread(_ZERO))
        store(answer, j, spread(_ZERO))
    return shift(scratch[slot, VALUES], bands)


@inlined
def turned_of(own: Any, lines: Any, head: Any, i: Any) -> Any:
    """What the values are multiplied by in a row of exponents."""
    return own * lines[head, PRODUCT, 0] + lines[head, QUERIES, i]


@inlined
def bound_of(own: Any, turned: Any, farthest: Any, lines: Any, head: Any, i: Any) -> Any:
    """How far a row's exponents are from zero at most."""
    return abs(turned) * farthest + abs(own) * lines[head, PRODUCT, 1] + lines[head, REACH, i]


@part()
def _is_tame(spectra: Any, pixel: Any, farthest: Any, lines: Any, head: Any) -> Any:
    tame = True
    for i in range(spectra.shape[1]):
        own = spectra[pixel, i]
        tame &= bound_of(own, turned_of(own, lines, head, i), farthest, lines, head, i) < TAME
    return tame


@part()
def _attend_with_care(
    spectra: Any, pixel: Any, farthest: Any, lines: Any, head: Any, places: Any, scratch: Any, slot: Any, weights: Any
) -> None:
    """The attention of a pixel and head some of whose exponents may be far from zero."""
    bands = spectra.shape[1]
    place, key, values = places[head], scratch[slot, KEY], scratch[slot, VALUES]
    row, answer = scratch[slot, ROW], scratch[slot, _ANSWER]
    for i in range(bands):
        own = spectra[pixel, i]
        turned = turned_of(own, lines, head, i)
        bound = bound_of(own, turned, farthest, lines, head, i)
        if bound < TAME:
            found, _ = tame_row(place[i], key, values, (own, turned), None, row)
        else:
            found = careful_row(bound, place, i, (own, turned), scratch, (slot, ROW), bands)
        share = _ONE / (found * np.float32(bands))
        for j in range(0, places.shape[2], NUMBERS):
            store(answer, j, load(answer, j) + share * load(row, j))
    for j in range(bands):
        weights[pixel, head, j] = answer[j]


@part()
def _attend_by_turns(
    spectra: Any, pixels: Any, count: Any, lines: Any, head: Any, places: Any, scratch: Any, weights: Any, keyless: Any
) -> None:
    """The attention of one or more pixels, with no exponent far from zero, that lie in as many slots."""
    bands = spectra.shape[1]
    shares = np.zeros((GROUP, 2), np.float32)
    for i in range(0, bands, 2):
        for slot in range(count):
            # Of an odd number of bands the last has no neighbour, but a row of padding.
            own, other_own = spectra[pixels[slot], i], spectra[pixels[slot], min(i + 1, bands - 1)]
            turned = turned_of(own, lines, head, i)
            other_turned = turned_of(other_own, lines, head, i + 1)
            found, other_found = _tame_pair(
                places[head, i],
                places[head, i + 1],
                None if keyless is None else scratch[slot, KEY],
                scratch[slot, VALUES],
                (own, turned, other_own, other_turned),
                (shares[slot, 0], shares[slot, 1]),
                scratch[slot, ROW],
                scratch[slot, _OTHER],
                scratch[slot, _ANSWER],
            )
            shares[slot, 0] = _ONE / (found * np.float32(bands))
            shares[slot, 1] = _ONE / (other_found * np.float32(bands)) if i + 1 < bands else _ZERO
    for slot in range(count):
        share, other_share = shares[slot, 0], shares[slot, 1]
        for j in range(bands):
            last = share * scratch[slot, ROW, j] + other_share * scratch[slot, _OTHER, j]
            weights[pixels[slot], head, j] = scratch[slot, _ANSWER, j] + last


@compiled("void(float32[:, ::1], float32[:, :, ::1], float32[:, :, ::1], float32[:, :, ::1], float32[:, :, ::1])")
def attend(spectra: Any, lines: Any, places: Any, scratch: Any, weights: Any) -> None:
    """Mean over the queries of the attention each band gets: weights (pixel, head, band) of spectra (pixel, band)."""
    pixels, heads = spectra.shape[0], lines.shape[0]
    waiting = np.zeros(GROUP, np.intp)
    for head in range(heads):
        keyless, count = lines[head, PRODUCT, 1] == _ZERO, 0
        for pixel in range(pixels):
            farthest = _begin(spectra, pixel, lines, head, scratch, count)
            if _is_tame(spectra, pixel, farthest, lines, head):
                waiting[count] = pixel
                count += 1
            else:
                _attend_with_care(spectra, pixel, farthest, lines, head, places, scratch, count, weights)
            if count == GROUP or (count and pixel == pixels - 1):
                if keyless:
                    _attend_by_turns(spectra, waiting, count, lines, head, places, scratch, weights, None)
                else:
                    _attend_by_turns(spectra, waiting, count, lines, head, places, scratch, weights, True)
                count = 0
