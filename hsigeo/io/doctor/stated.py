"""What an ENVI header states about its data file, field by field, where some fields may be missing or nonsense."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from hsigeo.errors import SceneError
from hsigeo.io.envi.header import EnviHeader
from hsigeo.io.envi.header_text import format_list
from hsigeo.io.envi.layout import DATA_TYPES, TRAILING_KEY, Layout
from hsigeo.io.envi.raw import FILE_AXES
from hsigeo.io.numerals import parse_number

__all__ = ["PER_BAND_KEYS", "Stated"]

PER_BAND_KEYS = ("wavelength", "fwhm", "bbl", "data gain values", "data offset values", "band names")


@dataclass(frozen=True, kw_only=True)
class Stated:
    """The fields that say how numbers lie in a file; `None` where the header lacks one or says nothing of sense."""

    header: EnviHeader
    sizes: dict[str, int | None]
    dtype: np.dtype[Any] | None
    interleave: str | None
    byte_order: str | None
    offset: int
    trailing: int
    compressed: bool
    nodata: float | None

    @classmethod
    def of(cls, header: EnviHeader, data_path: Path) -> Stated:
        """Read the fields; the data file's ending stands in for a missing interleave, as in the reader."""
        number = _integer(header, "data type", None)
        order = _integer(header, "byte order", 0 if "byte order" not in header else None)
        interleave = header.text("interleave").lower()
        if not interleave:
            interleave = next((kind for kind in FILE_AXES if data_path.suffix.lower() == f".{kind}"), "bsq")
        return cls(
            header=header,
            sizes={key: _integer(header, key, None, minimum=1) for key in ("bands", "lines", "samples")},
            dtype=None if number is None else DATA_TYPES.get(number),
            interleave=interleave if interleave in FILE_AXES else None,
            byte_order={0: "little", 1: "big"}.get(-1 if order is None else order),
            offset=_integer(header, "header offset", 0) or 0,
            trailing=_integer(header, TRAILING_KEY, 0) or 0,
            compressed=_integer(header, "file compression", 0) != 0,
            nodata=parse_number(header.text("data ignore value")),
        )

    @property
    def missing_sizes(self) -> list[str]:
        """Which of bands, lines and samples are not known."""
        return [key for key, value in self.sizes.items() if value is None]

    @property
    def unsaid(self) -> str:
        """The fields that are missing or make no sense, for messages."""
        rest = {"data type": self.dtype, "interleave": self.interleave, "byte order": self.byte_order}
        return " and ".join(
            f"a valid '{key}' (it says {self.text(key)!r:.40})" if self.text(key) else f"'{key}'"
            for key in [*self.missing_sizes, *(key for key, value in rest.items() if value is None)]
        )

    @property
    def spectrum_length(self) -> int:
        """How many wavelengths, widths or names of bands the header lists; 0 where none."""
        return next((len(items) for key in PER_BAND_KEYS if (items := self.header.items(key))), 0)

    @property
    def layout(self) -> Layout | None:
        """The layout where the header states all of it."""
        return next(self._combine(self.sizes, [self.dtype], [self.interleave], [self.byte_order]), None)

    def text(self, key: str) -> str:
        """The value as it stands."""
        return self.header.text(key)

    def layouts(self, size: int) -> Iterator[Layout]:
        """The stated layout, or all that fill in for what is not stated, for a file of `size` bytes."""
        for dtype in [self.dtype] if self.dtype is not None else list(DATA_TYPES.values()):
            sizes = dict(self.sizes)
            if missing := self.missing_sizes:
                rest = math.prod(value for value in sizes.values() if value is not None) * dtype.itemsize
                sizes[missing[0]] = max(1, (size - self.offset) // rest)
            interleaves = [self.interleave] if self.interleave else list(FILE_AXES)
            orders = [self.byte_order] if self.byte_order else ["little", "big"]
            for layout in self._combine(sizes, [dtype], interleaves, orders):
                is_filled_in = self.dtype is None or bool(missing)
                if not is_filled_in or layout.data_bytes == size:
                    yield layout

    def cut_lists(self, bands: int) -> dict[str, str | None]:
        """The lists of the header that have a value for each band, cut to the first so many."""
        changes: dict[str, str | None] = {}
        for key in PER_BAND_KEYS:
            items = self.header.items(key)
            if len(items) > bands:
                changes[key] = format_list(items[:bands])
        return changes

    def _combine(
        self, sizes: dict[str, int | None], dtypes: list[Any], interleaves: list[Any], orders: list[Any]
    ) -> Iterator[Layout]:
        if None in sizes.values():
            return
        for dtype, interleave, order in product(dtypes, interleaves, orders):
            if dtype is not None and interleave is not None and order is not None:
                yield Layout(
                    **{key: value for key, value in sizes.items() if value is not None},
                    dtype=dtype,
                    interleave=interleave,
                    byte_order=order,
                    offset=self.offset,
                    compressed=self.compressed,
                    trailing=self.trailing,
                )


def _integer(header: EnviHeader, key: str, default: int | None, *, minimum: int = 0) -> int | None:
    if not header.text(key):
        return default
    try:
        return header.integer(key, minimum=minimum)
    except SceneError:
        return None
