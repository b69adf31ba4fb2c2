"""Small synthetic ENVI files for tests, written without GDAL and without hsigeo."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

DATA_TYPES = {
    "uint8": 1,
    "int16": 2,
    "int32": 3,
    "float32": 4,
    "float64": 5,
    "complex64": 6,
    "complex128": 9,
    "uint16": 12,
    "uint32": 13,
    "int64": 14,
    "uint64": 15,
}
_AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}


def make_encoded_cube(bands: int, lines: int, samples: int, dtype: DTypeLike = "int16") -> NDArray[Any]:
    """(band, y, x) whose values say where they are: 10 000·band + 100·row + col (all from 0) where that fits.

    In uint8 the value is taken modulo 251, a prime, so that a slip of a row, column or band still shows.
    """
    band, row, col = np.meshgrid(np.arange(bands), np.arange(lines), np.arange(samples), indexing="ij")
    code = 10_000 * band + 100 * row + col
    dtype = np.dtype(dtype)
    if dtype.kind in "iu" and code.max() > np.iinfo(dtype).max:
        code %= 251 if dtype.itemsize == 1 else 32_749
    return code.astype(dtype)


def header_text(fields: Mapping[str, Any]) -> str:
    """An ENVI header; lists and arrays become ``{a, b}``, text stays as it is."""
    lines = ["ENVI"]
    for key, value in fields.items():
        if value is None:
            continue
        if isinstance(value, list | tuple | np.ndarray):
            value = "{" + ", ".join(str(item) for item in value) + "}"
        lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def write_envi(
    folder: Path,
    name: str,
    array: ArrayLike,
    *,
    interleave: str = "bil",
    dtype: DTypeLike | None = None,
    byte_order: Literal[0, 1] = 0,
    offset: int = 0,
    compressed: bool = False,
    suffix: str = ".img",
    header_extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``name.hdr`` and ``name`` + `suffix`; return the path of the header.

    Parameters
    ----------
    array : (band, y, x)
        Values; `dtype` casts them.
    offset
        Bytes before the data, filled with 0xAB.
    header_extra
        Further header fields, which override the ones written here; `None` leaves a field out.
    """
    cube = np.asarray(array)
    if cube.ndim != 3:
        raise ValueError(f"a cube has three axes (band, y, x); this has {cube.ndim}")
    cube = cube.astype(dtype or cube.dtype)
    bands, lines, samples = cube.shape
    stored = cube.transpose(_AXES[interleave.lower()]).astype(cube.dtype.newbyteorder("<>"[byte_order]))
    content = b"\xab" * offset + stored.tobytes()
    (folder / f"{name}{suffix}").write_bytes(gzip.compress(content) if compressed else content)
    fields: dict[str, Any] = {
        "samples": samples,
        "lines": lines,
        "bands": bands,
        "header offset": offset,
        "file type": "ENVI Standard",
        "data type": DATA_TYPES[cube.dtype.name],
        "interleave": interleave,
        "byte order": byte_order,
        "file compression": 1 if compressed else None,
    }
    fields.update(header_extra or {})
    path = folder / f"{name}.hdr"
    path.write_text(header_text(fields), encoding="utf-8")
    return path
