"""Spectral libraries: labelled spectra without a place, from ENVI ``.sli`` files and a table of classes beside them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.errors import HsigeoError, LabelError
from hsigeo.io.envi.header import EnviHeader, read_header
from hsigeo.io.labels.columns import choose_column, classes_from_values
from hsigeo.io.labels.table import kind_of, match_rows, read_table
from hsigeo.io.numerals import parse_number
from hsigeo.io.scaling import Scaling, guess_scaling, parse_nodata, to_reflectance
from hsigeo.io.wavelengths import make_band_table

__all__ = ["SpectralLibrary", "is_spectral_library", "open_spectral_library"]

MAX_LIBRARY_BYTES = 4 << 30

_DTYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectralLibrary:
    """Labelled spectra, in memory.

    Parameters
    ----------
    path
        The file, as given.
    spectra
        (spectrum, band) float32, reflectance 0-1, NaN where the library has no value.
    bands
        The spectral axis.
    names
        One for each spectrum.
    class_id
        (spectrum,) int32, ids of `classes`; 0 where the table names no class.
    classes
        The class table.
    group
        (spectrum,) int64: spectra of one group (a polygon, a field visit) are not independent, and validation keeps
        them together. Each spectrum is its own where the table has no column for it.
    notes
        Every guess and repair, as sentences.
    """

    path: str
    spectra: NDArray[np.float32]
    bands: BandTable
    names: tuple[str, ...]
    class_id: NDArray[np.int32]
    classes: ClassTable
    group: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.spectra)


def is_spectral_library(path: str | os.PathLike[str]) -> bool:
    """Whether a file, or the header beside it, says that it is an ENVI spectral library."""
    try:
        header, _ = _find(os.fspath(path))
        return _is_library(read_header(header))
    except HsigeoError:
        return False


def open_spectral_library(
    path: str | os.PathLike[str],
    *,
    field: str | None = None,
    group_field: str | None = None,
    table: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
) -> SpectralLibrary:
    """Read an ENVI spectral library and the CSV of classes beside it (``library.sli``, ``.hdr`` and ``.csv``).

    Rows of the CSV are matched by the names of the spectra where one of its columns holds them all, else by order
    where there are as many rows as spectra.

    Parameters
    ----------
    path
        The library or its header; no file needs to end in ``.sli``.
    field
        Column of the CSV that holds the class; `None` takes the only one possible.
    group_field
        Column that tells which spectra belong together.
    table
        The CSV, where it is not called like the library.
    encoding
        Of CSV and header, where they are not UTF-8.

    Raises
    ------
    LabelError
        It is no spectral library, its files do not fit each other, there is no CSV, no telling which column to use
        (the message lists the columns there are), or in which encoding the text is.
    """
    where = os.fspath(path)
    header_path, data_path = _find(where)
    notes: list[str] = []
    try:
        header = read_header(header_path, encoding=encoding)
        if not _is_library(header):
            kind = header.text("file type") or "missing"
            raise LabelError(f"{where} is not a spectral library: its 'file type' is {kind}")
        notes.extend(header.repairs)
        spectra, bands = _read_spectra(header, data_path, notes)
        names = _read_names(header, len(spectra), notes)
    except LabelError:
        raise
    except HsigeoError as error:
        raise LabelError(str(error)) from error
    table_path = Path(table) if table is not None else _find_table(header_path, data_path)
    columns, name_column = match_rows(
        read_table(table_path, encoding=encoding), names, where=str(table_path), notes=notes
    )
    class_id, classes = _classes(columns, name_column, field, where=str(table_path))
    return SpectralLibrary(
        path=where,
        spectra=spectra,
        bands=bands,
        names=names,
        class_id=class_id,
        classes=classes,
        group=_groups(columns, group_field, len(names), where=str(table_path)),
        notes=tuple(notes),
    )


def _classes(
    columns: dict[str, list[str]], name_column: str | None, field: str | None, *, where: str
) -> tuple[NDArray[np.int32], ClassTable]:
    kinds = {title: kind_of(values) for title, values in columns.items() if title != name_column or title == field}
    chosen = choose_column(kinds, field, where=where)
    texts = columns[chosen]
    if kinds[chosen] == "text":
        values = np.array(texts, dtype=object)
    else:
        values = np.array([float(text) if text else np.nan for text in texts])
    return classes_from_values(values, where=f"{where}, column {chosen!r}")


def _groups(columns: dict[str, list[str]], field: str | None, count: int, *, where: str) -> NDArray[np.int64]:
    if field is None:
        return np.arange(count, dtype=np.int64)
    if field not in columns:
        raise LabelError(f"{where}: no column {field!r} to group by; columns: {', '.join(columns)}")
    return np.unique(np.array(columns[field], dtype=str), return_inverse=True)[1].astype(np.int64)


def _is_library(header: EnviHeader) -> bool:
    return header.text("file type").strip().casefold() == "envi spectral library"


def _find(path: str) -> tuple[Path, Path]:
    """Header and data file of a library named by either."""
    given = Path(path)
    if not given.is_file():
        raise LabelError(f"{path} does not exist; give a spectral library (.sli or its .hdr)")
    if given.suffix.casefold() != ".hdr":
        for header in (given.with_name(given.name + ".hdr"), given.with_suffix(".hdr")):
            if header.is_file():
                return header, given
        raise LabelError(f"{path} has no header beside it: neither {given.name}.hdr nor {given.stem}.hdr is there")
    for suffix in ("", ".sli", ".SLI", ".dat", ".img"):
        data = given.with_name(given.stem + suffix)
        if data.is_file():
            return given, data
    raise LabelError(f"{path}: its data file is not there; tried {given.stem} and {given.stem}.sli")


def _find_table(header_path: Path, data_path: Path) -> Path:
    tried = [
        header_path.with_suffix(".csv"),
        data_path.with_suffix(".csv"),
        data_path.with_name(data_path.name + ".csv"),
    ]
    for path in tried:
        if path.is_file():
            return path
    raise LabelError(
        f"{data_path} has no table of classes beside it: there is no {tried[0].name}; write one with a row for each "
        "spectrum: its name, its class"
    )


def _read_spectra(header: EnviHeader, data_path: Path, notes: list[str]) -> tuple[NDArray[np.float32], BandTable]:
    """(spectrum, band) reflectance, NaN where there is none; and the bands, which ENVI calls samples here."""
    width, count = header.integer("samples", minimum=1), header.integer("lines", minimum=1)
    if header.integer("bands", 1) != 1:
        raise LabelError(f"{header.where('bands')}: a spectral library has 1 band, with its wavelengths as samples")
    dtype = _read_dtype(header)
    offset = header.integer("header offset", 0)
    expected, found = offset + width * count * dtype.itemsize, data_path.stat().st_size
    if found != expected:
        raise LabelError(
            f"{data_path} has {found} bytes; {count} spectra of {width} bands ({dtype.name}) need {expected}"
        )
    if expected > MAX_LIBRARY_BYTES:
        raise LabelError(
            f"{data_path} has {found >> 20} MiB; libraries of up to {MAX_LIBRARY_BYTES >> 20} MiB are read"
        )
    with data_path.open("rb") as file:
        file.seek(offset)
        stored = np.fromfile(file, dtype=dtype, count=width * count).reshape(count, width)
    bands, band_notes = make_band_table(
        width,
        wavelength=header.numbers("wavelength"),
        unit=header.text("wavelength units"),
        fwhm=header.numbers("fwhm"),
        good=header.numbers("bbl"),
    )
    notes.extend(band_notes)
    scaling = _read_scaling(header, width, dtype, notes)
    nodata, note = parse_nodata(parse_number(header.text("data ignore value")), dtype)
    notes.extend([note] if note else [])
    native = stored.astype(dtype.newbyteorder("="), copy=False)
    spectra = to_reflectance(native.T[:, :, None], scaling, nodata)[:, :, 0].T
    return np.ascontiguousarray(spectra), bands


def _read_dtype(header: EnviHeader) -> np.dtype[Any]:
    code = header.integer("data type")
    if code not in _DTYPES:
        known = ", ".join(map(str, _DTYPES))
        raise LabelError(
            f"{header.where('data type')}: data type {code} is not one that hsigeo reads; it reads {known}"
        )
    return np.dtype(_DTYPES[code]).newbyteorder(">" if header.integer("byte order", 0) == 1 else "<")


def _read_scaling(header: EnviHeader, width: int, dtype: np.dtype[Any], notes: list[str]) -> Scaling:
    text = header.text("reflectance scale factor")
    if text:
        factor = parse_number(text)
        if factor is None or not math.isfinite(factor) or factor <= 0:
            raise LabelError(f"{header.where('reflectance scale factor')}: {text!r:.40} is not a factor to divide by")
        return Scaling.constant(width, 1 / factor)
    texts = (header.text("description"), header.text("z plot titles"))
    scaling, note = guess_scaling(width, dtype, texts=texts, has_wavelengths=True)
    notes.extend([note] if note else [])
    return scaling


def _read_names(header: EnviHeader, count: int, notes: list[str]) -> tuple[str, ...]:
    names = header.items("spectra names")
    if len(names) == count:
        return tuple(names)
    if names:
        notes.append(f"the header names {len(names)} spectra, but there are {count}; the names were ignored")
    return tuple(f"spectrum {number}" for number in range(1, count + 1))
