"""How the numbers of an ENVI scene lie in its data file, by what the header says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hsigeo.errors import SceneError
from hsigeo.io.envi.header import EnviHeader
from hsigeo.io.envi.raw import FILE_AXES

__all__ = ["DATA_TYPES", "Layout", "read_layout"]

DATA_TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.uint8),
    2: np.dtype(np.int16),
    3: np.dtype(np.int32),
    4: np.dtype(np.float32),
    5: np.dtype(np.float64),
    12: np.dtype(np.uint16),
    13: np.dtype(np.uint32),
    14: np.dtype(np.int64),
    15: np.dtype(np.uint64),
}
COMPLEX_TYPES = (6, 9)
MAX_BANDS = 65_535

TRAILING_KEY = "hsigeo trailing bytes"
"""A field of our own: ENVI has none for bytes after the data, and GDAL does not mind them."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the numbers lie in the data file.

    `offset` bytes come before them and `trailing` bytes after; the latter is known only to headers that `hsigeo info
    --fix` has written.
    """

    bands: int
    lines: int
    samples: int
    dtype: np.dtype[Any]
    interleave: str
    byte_order: str
    offset: int
    compressed: bool
    trailing: int = 0

    @property
    def data_bytes(self) -> int:
        """Length of the data file, decompressed."""
        return self.offset + self.value_count * self.dtype.itemsize + self.trailing

    @property
    def value_count(self) -> int:
        """Numbers in the data file."""
        return self.bands * self.lines * self.samples


def read_layout(header: EnviHeader, path: Path, notes: list[str]) -> Layout:
    """What a header says about the data file; guesses are added to `notes`.

    Parameters
    ----------
    path
        What the user named: its ending stands in for a missing interleave.

    Raises
    ------
    SceneError
        A field that is needed is missing, or makes no sense.
    """
    bands = header.integer("bands", minimum=1)
    if bands > MAX_BANDS:
        raise SceneError(f"{header.where('bands')}: {bands} bands; hsigeo reads at most {MAX_BANDS}")
    if "byte order" not in header:
        notes.append("the header has no 'byte order'; it was taken as 0 (little-endian)")
    byte_order = header.integer("byte order", 0)
    if byte_order not in (0, 1):
        raise SceneError(
            f"{header.where('byte order')}: byte order {byte_order} is not valid; 0 is little-endian, 1 big-endian"
        )
    lines, samples = header.integer("lines", minimum=1), header.integer("samples", minimum=1)
    offset = header.integer("header offset", 0)
    return Layout(
        bands=bands,
        lines=lines,
        samples=samples,
        dtype=_read_dtype(header),
        interleave=_read_interleave(header, path, bands, notes),
        byte_order=("little", "big")[byte_order],
        offset=offset,
        compressed=header.integer("file compression", 0) != 0,
        trailing=header.integer(TRAILING_KEY, 0),
    )


def _read_dtype(header: EnviHeader) -> np.dtype[Any]:
    # GDAL takes a missing data type as bytes and shows noise.
    number = header.integer("data type")
    if number in DATA_TYPES:
        return DATA_TYPES[number]
    what = (
        "complex numbers; hsigeo reads real numbers"
        if number in COMPLEX_TYPES
        else "not an ENVI type that hsigeo reads"
    )
    *most, last = DATA_TYPES
    raise SceneError(
        f"{header.where('data type')}: data type {number} is {what}; it reads {', '.join(map(str, most))} and {last}"
    )


def _read_interleave(header: EnviHeader, path: Path, bands: int, notes: list[str]) -> str:
    interleave = header.text("interleave").lower()
    if not interleave:
        interleave = next((order for order in FILE_AXES if path.suffix.lower() == f".{order}"), "bsq")
        if bands > 1:
            notes.append(f"the header has no 'interleave'; it was taken as {interleave}")
    if interleave not in FILE_AXES:
        raise SceneError(
            f"{header.where('interleave')}: interleave {interleave!r:.40} is not one of {', '.join(FILE_AXES)}"
        )
    return interleave
