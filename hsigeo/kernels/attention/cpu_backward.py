"""The way back through spectral attention, as loops that numba compiles: gradients for training and for explanations.

The gradient of a logit is ``P_ij (g_j - sum_k P_ik g_k) / bands``. P is computed again from the inputs, which is
cheaper than to keep it; nothing of the size of pixels times bands times bands is ever stored. One head at a time, so
that heads can be shared among threads and no sum depends on how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.attention.cpu import GRADIENT, KEY, ROW, TAME, VALUES, careful_row, tame_row
from hsigeo.kernels.attention.cpu_layout import KEYS, PRODUCT, QUERIES, REACH, shift
from hsigeo.kernels.compiling import compiled, inlined
from hsigeo.kernels.vectors import NUMBERS, load, spread, store, total

__all__ = ["attend_backward"]

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)


@inlined
def _pass_back(row: Any, gradient: Any, values: Any, factors: Any, place_gradient: Any, key_gradient: Any) -> Any:
    """From exponentials to gradients of the row's logits, and from there to those of places and keys."""
    own, share, mean = factors
    found = spread(_ZERO)
    for j in range(0, len(place_gradient), NUMBERS):
        logit_gradients = (share * load(row, j)) * (load(gradient, j) - mean)
        store(row, j, logit_gradients)
        store(place_gradient, j, load(place_gradient, j) + logit_gradients)
        store(key_gradient, j, load(key_gradient, j) + own * logit_gradients)
        found += logit_gradients * load(values, j)
    return total(found)


@inlined
def _pass_back_to_values(row: Any, key: Any, turned: Any, value_gradient: Any) -> Any:
    found = spread(_ZERO)
    for j in range(0, len(value_gradient), NUMBERS):
        store(value_gradient, j, load(value_gradient, j) + turned * load(row, j))
        found += load(row, j) * load(key, j)
    return total(found)


@compiled(
    "void(float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, :, ::1], float32[:, ::1],"
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
    values, key, row, gradient = scratch[0, VALUES], scratch[0, KEY], scratch[0, ROW], scratch[0, GRADIENT]
    key[: lines.shape[1]] = lines[KEYS]
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
                found, mean = tame_row(places[i], key, values, (own, turned), gradient, row)
            else:
                found = careful_row(bound, places, i, (own, turned), scratch, (0, ROW), bands)
                mean = _ZERO
                for j in range(bands):
                    mean += row[j] * gradient[j]
            share = _ONE / found
            of_query = _pass_back(row, gradient, values, (own, share, mean * share), places_gradient[i], key_gradient)
            lines_gradient[QUERIES, i] += of_query
            product_gradient += own * of_query
            if wants_values:
                # On a line of its own: it adds to this gradient too.
                found_as_query = _pass_back_to_values(row, key, turned, value_gradient)
                value_gradient[i] += product * of_query + found_as_query
    lines_gradient[PRODUCT, 0] += product_gradient
