"""All checks on one scene: `examine` for one that can be opened, `examine_header` for an ENVI scene that cannot.

Checks build on each other: while the layout is wrong, the values mean nothing, and fill values would spoil what is
said about scale and bands. So what is found first is set right, in thought, before the next is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.doctor.layout import check_layout
from hsigeo.io.doctor.place import check_map_info, check_place
from hsigeo.io.doctor.sample import Sample, read_sample
from hsigeo.io.doctor.spectral import check_bands, check_wavelengths, may_be_inverted
from hsigeo.io.doctor.text import check_numbers, check_text, close_braces
from hsigeo.io.doctor.values import check_fill, check_rows, check_scale, check_sign, may_lack_sign
from hsigeo.io.envi.datafile import find_header, likely_data_file
from hsigeo.io.envi.header import EnviHeader, is_envi_header, parse_header, read_header
from hsigeo.io.envi.raw import RawCube
from hsigeo.io.envi.reader import named_data_file

__all__ = ["Examination", "examine", "examine_header", "examine_unreadable", "find_doubts", "header_of"]

_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, kw_only=True, eq=False)
class Examination:
    """What was found, and what it was found in.

    Parameters
    ----------
    findings
        Errors first.
    sample
        What was looked at; `None` where nothing could be read.
    values : (band, pixel)
        The sample as reflectance; empty where nothing could be read.
    """

    findings: tuple[Finding, ...]
    sample: Sample | None = None
    values: NDArray[np.float32]


def examine(cube: Cube, *, header: EnviHeader | None = None) -> Examination:
    """Look at a bounded sample of a scene, and at what its file says.

    Parameters
    ----------
    header
        Of an ENVI scene; `None` reads it from the file, where there is one.

    Raises
    ------
    SceneError
        The pixels cannot be read.
    """
    found: list[Finding] = []
    if isinstance(cube, RawCube):
        found += _check_description(cube, header_of(cube.header) if header is None else header)
    sample = read_sample(cube)
    if not _has_error(found):
        found += _check_values(cube, sample)
    if cube.header.geolocation is None:
        found += check_place(cube.header.grid)
    if not isinstance(cube, RawCube):
        found = [replace(finding, changes={}) for finding in found]  # there is no header that could be changed
    return Examination(findings=_sorted(found), sample=sample, values=sample.reflectance(cube.header))


def find_doubts(cube: Cube) -> list[str]:
    """Errors of an ENVI scene that opens all the same, as sentences: what is read is not what was measured.

    Other formats say how their numbers lie, and are not doubted.

    Raises
    ------
    SceneError
        The pixels cannot be read.
    """
    if not isinstance(cube, RawCube):
        return []
    found = _check_description(cube, header_of(cube.header))
    # Of what `examine` says about values nothing else is an error, and few scenes can have these.
    if not _has_error(found) and (may_lack_sign(cube.header) or may_be_inverted(cube.header.bands)):
        found += _check_values(cube, read_sample(cube))
    errors = [finding for finding in found if finding.severity == "error"]
    return [f"doubtful: {finding.message} (see `hsigeo info`)" for finding in errors]


def examine_unreadable(path: Path) -> Examination:
    """Say why an ENVI scene cannot be opened; without findings where it is none, or not even a header can be read."""
    header_path = path if path.suffix.lower() == ".hdr" else find_header(path)
    nothing = np.empty((0, 0), dtype=np.float32)
    if header_path is None or not is_envi_header(header_path):
        return Examination(findings=(), values=nothing)
    header, found = read_leniently(header_path)
    data_path = find_data(header, path, header_path)
    if data_path is not None:
        found += examine_header(header, data_path)
    return Examination(findings=_sorted(found), values=nothing)


def examine_header(header: EnviHeader, data_path: Path) -> list[Finding]:
    """What keeps an ENVI scene from being opened."""
    found = [*check_text(header), *check_numbers(header), *check_map_info(header)]
    return [*found, *check_layout(header, data_path)]


def read_leniently(header_path: Path) -> tuple[EnviHeader, list[Finding]]:
    """A header whose open braces, if it has any, are closed.

    Raises
    ------
    SceneError
        It is no ENVI header.
    """
    try:
        header = read_header(header_path)
    except SceneError:
        text = header_path.read_bytes().decode("utf-8", errors="replace")
        closed, found = close_braces(text)
        if not found:
            raise
        return parse_header(closed, str(header_path)), found
    closed, found = close_braces(header.raw)
    return (parse_header(closed, str(header_path)), found) if found else (header, [])


def find_data(header: EnviHeader, path: Path, header_path: Path) -> Path | None:
    """The data file that a header is meant for, fitting or not."""
    if path != header_path:
        return path
    return named_data_file(header, header_path) or likely_data_file(header_path)


def header_of(cube: CubeHeader) -> EnviHeader | None:
    """The ENVI header that a scene was read by; `None` where that is not to be found."""
    path = Path(cube.path)
    header_path = path if path.suffix.lower() == ".hdr" else find_header(path)
    if header_path is None or not is_envi_header(header_path):
        return None
    try:
        return read_header(header_path)
    except SceneError:
        return None


def _check_description(cube: RawCube, header: EnviHeader | None) -> list[Finding]:
    """What is wrong with a header, by itself and as a description of the data file."""
    if header is None:
        return []
    found = [*check_text(header), *check_map_info(header)]
    return found if cube.header.is_classification else [*found, *check_layout(header, Path(cube.header.data_path))]


def _has_error(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _check_values(cube: Cube, sample: Sample) -> list[Finding]:
    header = cube.header
    if header.is_classification or header.bands.count < 2:
        return []
    if sign := check_sign(header, sample):
        return sign
    fill = check_fill(header, sample)
    values = _without_fill(header, sample, fill)
    spectral = header.bands.wavelength is not None
    return [
        *fill,
        *check_wavelengths(header.bands),
        *(check_bands(header.bands, values) if spectral else []),
        *check_scale(header, values),
        *(check_rows(cube) if spectral else []),
    ]


def _without_fill(header: CubeHeader, sample: Sample, fill: list[Finding]) -> NDArray[np.float32]:
    """Reflectance, the fill values that were found left out."""
    stated: Any = next((finding.changes.get("data ignore value") for finding in fill), None)
    nodata = header.nodata if stated is None else header.dtype.type(float(stated)).item()
    values = sample.reflectance(replace(header, nodata=nodata))
    spectra = sample.spectra
    if any(finding.code in ("scaled-fill", "second-fill-value") for finding in fill):
        values[:, (spectra <= 0).all(axis=0)] = np.nan
    return values


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))
