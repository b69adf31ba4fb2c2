"""ENVI scenes: a text header and a raw file of numbers.

Lines, samples, interleave, bbl and header offset are ENVI's words and stay in here as far as they can.
"""

from __future__ import annotations

from hsigeo.io.envi.reader import open_envi

__all__ = ["open_envi"]
