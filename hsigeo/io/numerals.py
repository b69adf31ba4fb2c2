"""Numbers as headers and tags write them."""

from __future__ import annotations

import math
import re

__all__ = ["parse_number"]

# What Windows C libraries print for NaN and infinity.
_C_RUNTIME = {"#ind": math.nan, "#qnan": math.nan, "#snan": math.nan, "#inf": math.inf}


def parse_number(text: str) -> float | None:
    """A number as ENVI, IDL, Python or a Windows C library prints it; `None` if it is none of these.

    >>> parse_number("1.5d+03"), parse_number("-1.#IND"), parse_number("12 nm")
    (1500.0, nan, None)
    """
    cleaned = text.strip().lower()
    for mark, value in _C_RUNTIME.items():
        if cleaned.lstrip("+-").startswith("1.") and cleaned.endswith(mark):
            return -value if cleaned.startswith("-") else value
    if "_" in cleaned:  # float() takes 1_000; a header does not mean that
        return None
    try:
        return float(re.sub(r"(?<=[\d.])d(?=[+-]?\d)", "e", cleaned))
    except ValueError:
        return None
