"""Whether the numbers of a scene are of the kind that the model has learnt from, by the few rows looked at anyway.

A network answers whatever it is shown, and surely: radiance, percent and reflectance times 10000 all become one class
with a probability of 1 where it has learnt from reflectance. So does an undeclared fill value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.cube import CubeHeader
from hsigeo.io.doctor.values import FEWEST_FILLED
from hsigeo.io.fill import describe_fill, find_fill

if TYPE_CHECKING:
    from hsigeo.model import Model

__all__ = ["find_odd_values", "pick_doubts"]

_MARK = "doubtful: "
"""Begins every doubt: here, and in `hsigeo.io.doctor.examination.find_doubts`."""

TIMES_BRIGHTER = 10.0
"""Clouds are that much brighter than a legend of nothing but water; percent is a hundred times reflectance."""

TIMES_DARKER = 50.0
"""A lake alone is twenty times darker than a legend with snow or roofs in it."""

_ENOUGH = 1 << 18
"""Numbers that tell the unit as well as all of them, and sooner."""


def find_odd_values(seen: NDArray[np.float32], header: CubeHeader, model: Model) -> list[str]:
    """Doubts, as sentences: undeclared fill values, and another unit than the model's.

    Parameters
    ----------
    seen : (band, pixel)
        As `hsigeo.io.dead_bands.read_few_rows` gives it.
    """
    good = seen[header.bands.good]
    filled = find_fill(good)
    rest = good[:, ~filled]
    some = rest[:, :: 1 + rest.size // _ENOUGH]
    return [*_fill_doubt(good[:, filled], seen.shape[1], header), *_unit_doubt(some[np.isfinite(some)], model)]


def pick_doubts(repairs: Iterable[str]) -> list[str]:
    """What raises doubt among the things said of a scene, without the word for it."""
    return [text.removeprefix(_MARK) for text in repairs if text.startswith(_MARK)]


def _fill_doubt(filled: NDArray[np.float32], pixels: int, header: CubeHeader) -> list[str]:
    count = filled.shape[1]
    if count < FEWEST_FILLED:
        return []
    first = int(np.argmax(header.bands.good))
    held = describe_fill(filled, gain=header.scaling.gain[first], offset=header.scaling.offset[first])
    return [
        f"{_MARK}{count} of {pixels} pixels looked at hold {held}, which is not declared as no data: they are "
        "classified like other pixels (see `hsigeo info`)"
    ]


def _unit_doubt(values: NDArray[np.float32], model: Model) -> list[str]:
    if model.record is None or not values.size:
        return []
    known = model.record.class_mean + 2 * model.record.class_spread  # (class, band)
    learnt, here = float(np.percentile(known.max(axis=0), 98)), float(np.percentile(values, 98))
    if not learnt > 0 or learnt / TIMES_DARKER < here < learnt * TIMES_BRIGHTER:
        return []
    return [
        f"{_MARK}98 % of its values lie below {here:.3g}, but the training data go up to "
        f"{learnt:.3g}; is it in another unit or scale? (see `hsigeo info`)"
    ]
