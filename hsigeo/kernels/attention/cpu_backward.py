"""The way back through spectral attention, as loops that numba compiles: gradients for training and for explanations.

The gradient of a logit is ``P_ij (g_j - sum_k P_ik g_k) / bands``. P is computed again from the inputs, which is
cheaper than to keep it; nothing of the size of pixels times bands times bands is ever stored. One head at a time, so
that heads can be shared among threads and no sum depends on how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.attention.cpu import (
    GRADIENT,
    KEY,
    KEYS,
    PRODUCT,
    QUERIES,
    REACH,
    ROW,
    TAME,
    VALUES,
    careful_row,
    inlined,
    shift,
)
from hsigeo.kernels.compiling import compiled
from hsigeo.kernels.exponential import scaled_power

__all__ = ["attend_backward"]

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)


@inlined
def _tame_row(place: Any, key: Any, values: Any, factors: Any, gradient: Any, row: Any) -> Any:
    """Exponentials of a row as they are, their sum, and the sum of their products with the gradient."""
    own, turned = factors
    total, product = _ZERO, _ZERO
    for j in range(len(row)):
        entry = scaled_power(place[j] + own * key[j] + turned * values[j])
        row[j] = entry
        total += entry
        product += entry * gradient[j]
    return total, product


@inlined
def _pass_back(row: Any, gradient: Any, values: Any, factors: Any, place_gradient: Any, key_gradient: Any) -> Any:
    """From exponentials to gradients of the row's logits, and from there to those of places and keys."""
    own, share, mean = factors
    found = _ZERO
    for j in range(len(row)):
        logit_gradient = share * row[j] * (gradient[j] - mean)
        row[j] = logit_gradient
        place_gradient[j] += logit_gradient
        key_gradient[j] += own * logit_gradient
        found += logit_gradient * values[j]
    return found


@inlined
def _pass_back_to_values(row: Any, key: Any, turned: Any, value_gradient: Any) -> Any:
    found = _ZERO
    for j in range(len(row)):
        value_gradient[j] += turned * row[j]
        found += row[j] * key[j]
    return found


@compiled(
    "void(float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1],"
    " float32[:, ::1], float32[:, ::1], boolean)"
)
def attend_backward(
    spectra: Any,
    gradients: Any,
    lines: Any,
    places: Any,
    scratch: Any,
    lines_gradient: Any,
    places_gradient: Any,
    values_gradient: Any,
    wants_values: Any,
) -> None:
    """Gradients of one head's `lines` (the REACH line is left alone) and `places`, and of spectra if wanted.

    The gradient of a logit is ``P_ij (g_j - sum_k P_ik g_k) / bands``; it is made anew from the inputs, never stored.
    """
    bands = spectra.shape[1]
    values, key, row, gradient = scratch[VALUES], scratch[KEY], scratch[ROW], scratch[GRADIENT]
    key[:] = lines[KEYS]
    product, farthest_key = lines[PRODUCT, 0], lines[PRODUCT, 1]
    key_gradient = lines_gradient[KEYS]
    product_gradient = 0.0
    for pixel in range(spectra.shape[0]):
        values[:bands] = spectra[pixel]
        farthest = shift(values, bands)
        for j in range(bands):
            gradient[j] = gradients[pixel, j] / np.float32(bands)
        value_gradient = values_gradient[pixel] if wants_values else values_gradient[0]
        for i in range(bands):
            own = spectra[pixel, i]
            turned = own * product + lines[QUERIES, i]
            bound = abs(turned) * farthest + abs(own) * farthest_key + lines[REACH, i]
            if bound < TAME:
                total, mean = _tame_row(places[i], key, values, (own, turned), gradient, row)
            else:
                total = careful_row(bound, places, i, (own, turned), scratch, ROW, bands)
                mean = _ZERO
                for j in range(bands):
                    mean += row[j] * gradient[j]
            share = _ONE / total
            found = _pass_back(row, gradient, values, (own, share, mean * share), places_gradient[i], key_gradient)
            lines_gradient[QUERIES, i] += found
            product_gradient += own * found
            if wants_values:
                # On a line of its own: it adds to this gradient too.
                found_as_query = _pass_back_to_values(row, key, turned, value_gradient)
                value_gradient[i] += product * found + found_as_query
    lines_gradient[PRODUCT, 0] += product_gradient
