"""How the compiled loops of spectral attention have their numbers before them: lines and places of a head, in rows.

What is added to a whole row of logits does not show in its softmax: keys and places are put evenly about zero, where
exponentials need least care. All but what is added to the values are in exponents of two.

Where that costs no digits, a logit's two products are made one, as a square is completed:
``x_i x_j·a + x_i·u_j + v_i·x_j = (x_i·a + v_i)(x_j + u_j / a) - v_i u_j / a``, whose last term goes into W. A head has
then no keys any more.

Legend: `lines` (head, LINES, width) holds per head, padded with zeros, the keys u, the queries v, how far the places of
each row lie from zero, the product's factor a with how far the keys lie from zero, and what is added to the values.
`places` (head, even number of rows, width) holds W, padded with `LEAST`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.compiling import compiled, part
from hsigeo.kernels.exponential import LEAST, LOG2_E, in_order, out_of_order

__all__ = ["ADDED", "KEYS", "LINES", "PRODUCT", "QUERIES", "REACH", "lay_out", "shift"]

KEYS, QUERIES, REACH, PRODUCT, ADDED = range(5)
"""Lines of a head."""

LINES = 5

_SMALL = 16.0
"""What completing the product may add to places, in exponents of two, or take from them: float32 knows a logit that is
the difference of two such numbers to some 1e-6, and the contract promises 1e-5; and no row is thought to need care that
is twice this from needing it."""

_MOST_ADDED = 1e6
"""And what may be added to values, so that nothing leaves float32's range."""


@part()
def shift(values: Any, count: Any) -> Any:
    """Shift numbers to lie evenly about zero; how far they then are from it at most. NaN where one is."""
    least, most = in_order(values[0]), in_order(values[0])
    for place in range(1, count):
        value = in_order(values[place])
        least = value if value < least else least
        most = value if value > most else most
    middle = np.float32(0.5) * out_of_order(least) + np.float32(0.5) * out_of_order(most)
    for place in range(count):
        values[place] -= middle
    return out_of_order(most) - middle


@part()
def _complete(line: Any, bands: Any) -> Any:
    """Have a head do without keys, by adding to the values, where that costs no digits; whether it does."""
    product = abs(float(line[PRODUCT, 0]))
    farthest_key, farthest_query = 0.0, 0.0
    for j in range(bands):
        farthest_key = max(farthest_key, abs(float(line[KEYS, j])))
        farthest_query = max(farthest_query, abs(float(line[QUERIES, j])))
    if not (farthest_key * farthest_query < _SMALL * product and farthest_key < _MOST_ADDED * product):
        return False
    for j in range(bands):
        line[ADDED, j] = line[KEYS, j] / line[PRODUCT, 0]
        line[KEYS, j] = 0
    return True


@compiled(
    "void(float32[::1], float32[:, ::1], float32[:, ::1], float32[:, :, ::1], boolean, float32[:, :, ::1],"
    " float32[:, :, ::1])"
)
def lay_out(product: Any, keys: Any, queries: Any, places: Any, may_complete: Any, lines: Any, padded: Any) -> None:
    """Fill `lines` and `padded`, the places, which are zeros so far."""
    heads, bands = keys.shape
    for head in range(heads):
        line = lines[head]
        line[PRODUCT, 0] = product[head] * LOG2_E
        for j in range(bands):
            line[KEYS, j] = keys[head, j] * LOG2_E
            line[QUERIES, j] = queries[head, j] * LOG2_E
        farthest_key = shift(line[KEYS], bands)
        if may_complete and _complete(line, bands):
            farthest_key = 0.0
        line[PRODUCT, 1] = farthest_key
        for i in range(bands):
            row, query = padded[head, i], float(line[QUERIES, i])
            for j in range(bands):
                row[j] = places[head, i, j] * LOG2_E - query * line[ADDED, j]
            for j in range(bands, len(row)):
                row[j] = LEAST
            line[REACH, i] = shift(row, bands)
