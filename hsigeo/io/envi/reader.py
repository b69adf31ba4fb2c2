"""Open an ENVI scene: header, data file, grid, bands and scale brought together, every guess recorded."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hsigeo.errors import SceneError
from hsigeo.io.cube import Cube, CubeHeader, FileStamp
from hsigeo.io.envi.datafile import check_size, find_header, resolve_data_file
from hsigeo.io.envi.header import EnviHeader, read_header
from hsigeo.io.envi.inflate import open_inflated
from hsigeo.io.envi.layout import Layout, read_layout
from hsigeo.io.envi.mapinfo import read_grid
from hsigeo.io.envi.raw import RawCube
from hsigeo.io.geotiff import TIFF_MAGIC, open_raster
from hsigeo.io.numerals import parse_number
from hsigeo.io.scaling import Scaling, guess_scaling, parse_nodata
from hsigeo.io.wavelengths import make_band_table

__all__ = [
    "DATA_FILE_KEY",
    "FILL_KEY",
    "REPAIRS_KEY",
    "find_files",
    "named_data_file",
    "open_described",
    "open_envi",
]

# Fields of our own, in headers that `hsigeo info --fix` writes. ENVI and GDAL pass over fields they do not know.
DATA_FILE_KEY = "hsigeo data file"
REPAIRS_KEY = "hsigeo repairs"
FILL_KEY = "hsigeo ignore values"

_NOT_SCENES = {
    "envi spectral library": "a spectral library, not a scene; it can serve as labels (--labels)",
    "envi meta file": "a list of other files; open those",
    "envi virtual mosaic": "a list of other files; make the mosaic in ENVI or GDAL and open that",
}


def open_envi(path: Path) -> Cube:
    """Open an ENVI scene by its header or by its data file.

    Raises
    ------
    SceneNotFoundError
        The header or its data file is not there.
    SceneError
        The header is broken, describes what hsigeo does not read, or does not fit the data file.
    """
    header_path, data_path = find_files(path)
    return open_described(read_header(header_path), path, data_path=data_path)


def find_files(path: Path) -> tuple[Path, Path | None]:
    """Header of a scene named by its header or its data file, and the data file if that is what was named.

    Raises
    ------
    SceneError
        A data file has no header beside it.
    """
    if path.suffix.lower() == ".hdr":
        return path, None
    header_path = find_header(path)
    if header_path is None:
        raise SceneError(f"{path} has no ENVI header beside it: neither {path.name}.hdr nor {path.stem}.hdr is there")
    return header_path, path


def open_described(header: EnviHeader, path: Path, *, data_path: Path | None = None) -> Cube:
    """Open an ENVI scene by a header that was read, or changed, already.

    Parameters
    ----------
    path
        What the user named, a header or a data file.
    data_path
        The data file; `None` looks for it beside the header at `path`.

    Raises
    ------
    SceneNotFoundError, SceneError
        As `open_envi`.
    """
    _check_file_type(header)
    notes = [*_earlier_repairs(header), *header.repairs]
    if header.guessed_text:
        notes.append("the header is not UTF-8 text and was read as Latin-1")
    layout = read_layout(header, path, notes)
    if data_path is None:
        data_path = _find_data(header, path, layout)
    if _is_tiff(data_path):
        return _open_tiff(path, data_path, header, layout, notes)
    stamp = FileStamp.of(data_path)
    if layout.compressed:
        open_inflated(data_path, stamp, layout.data_bytes)
    else:
        check_size(data_path, layout.data_bytes, Path(header.source))
    return RawCube(_describe(header, layout, path, data_path, stamp, notes))


def _check_file_type(header: EnviHeader) -> None:
    file_type = " ".join(header.text("file type").lower().split())
    if file_type in _NOT_SCENES:
        raise SceneError(f"{header.where('file type')}: this is {_NOT_SCENES[file_type]}")


def _find_data(header: EnviHeader, header_path: Path, layout: Layout) -> Path:
    if (named := named_data_file(header, header_path)) is not None:
        return named
    return resolve_data_file(header_path, layout.data_bytes, compressed=layout.compressed)


def named_data_file(header: EnviHeader, header_path: Path) -> Path | None:
    """The data file that a header written by `hsigeo info --fix` names, in the header's own folder.

    `None` where it names none, or anything but a file there: a header must not lead out of its folder.
    """
    name = header.text(DATA_FILE_KEY)
    if not name or "/" in name or "\\" in name or name in (".", ".."):
        return None
    path = header_path.with_name(name)
    return path if path.is_file() else None


def _earlier_repairs(header: EnviHeader) -> list[str]:
    """What `hsigeo info --fix` corrected when it wrote this header: maps must tell of it as of any other repair."""
    lines = (" ".join(line.split()) for line in header.text(REPAIRS_KEY).split("\n"))
    return [line for line in lines if line]


def _is_tiff(data_path: Path) -> bool:
    with data_path.open("rb") as file:
        return file.read(4) in TIFF_MAGIC


def _describe(
    header: EnviHeader, layout: Layout, path: Path, data_path: Path, stamp: FileStamp, notes: list[str]
) -> CubeHeader:
    """Everything the header says, as values with rules."""
    grid, grid_notes = read_grid(header, lines=layout.lines, samples=layout.samples)
    notes.extend(grid_notes)
    names = _read_band_names(header, layout.bands, notes)
    bands, band_notes = make_band_table(
        layout.bands,
        wavelength=header.numbers("wavelength"),
        unit=header.text("wavelength units"),
        fwhm=header.numbers("fwhm"),
        good=header.numbers("bbl"),
        names=names,
    )
    notes.extend(band_notes)
    return CubeHeader(
        path=str(path),
        data_path=str(data_path.absolute()),  # whoever reads may run in another folder
        stamp=stamp,
        format="ENVI",
        interleave=layout.interleave,
        dtype=layout.dtype,
        byte_order=layout.byte_order,
        header_offset=layout.offset,
        compressed=layout.compressed,
        # Each row of a compressed bsq file takes a pass over all of it.
        block_shape=(layout.lines if layout.compressed and layout.interleave == "bsq" else 1, layout.samples),
        grid=grid,
        bands=bands,
        band_names=names,
        scaling=replace(
            _read_scaling(header, layout, bands.wavelength is not None, notes), fill=_read_fill(header, layout, notes)
        ),
        nodata=_read_nodata(header, layout, notes),
        description=" ".join(header.text("description").split()),
        sensor=_read_sensor(header),
        default_bands=_read_default_bands(header, layout.bands, notes),
        class_names=tuple(header.items("class names")),
        class_colors=_read_class_colors(header, notes),
        repairs=tuple(notes),
    )


def _read_band_names(header: EnviHeader, bands: int, notes: list[str]) -> tuple[str, ...]:
    names = header.items("band names")
    if len(names) != bands:
        # A name may itself hold a comma; then one name a line tells them apart.
        by_line = [line.strip().rstrip(",") for line in header.text("band names").splitlines()]
        names_by_line = [name for name in by_line if name]
        if len(names_by_line) == bands:
            return tuple(names_by_line)
        if names:
            notes.append(f"the header names {len(names)} bands, but there are {bands}; the names were ignored")
        return ()
    return tuple(names)


def _read_scaling(header: EnviHeader, layout: Layout, has_wavelengths: bool, notes: list[str]) -> Scaling:
    gain = _per_band(header, "data gain values", layout.bands, notes)
    offset = _per_band(header, "data offset values", layout.bands, notes)
    factor = parse_number(header.text("reflectance scale factor"))
    if "reflectance scale factor" in header and (factor is None or not math.isfinite(factor) or factor <= 0):
        text = header.text("reflectance scale factor")
        raise SceneError(f"{header.where('reflectance scale factor')}: {text!r:.40} is not a factor to divide by")
    if gain is not None or offset is not None:
        gain = np.ones(layout.bands) if gain is None else gain
        if factor is not None and factor != 1 and not np.allclose(gain * factor, 1.0, rtol=1e-6):
            notes.append(
                f"the header has data gain or offset values and a reflectance scale factor of {factor:g}; "
                "only the gains and offsets were used"
            )
        return Scaling(gain=gain, offset=np.zeros(layout.bands) if offset is None else offset)
    if factor is not None:
        return Scaling.constant(layout.bands, 1 / factor)
    if header.items("class names"):
        return Scaling.constant(layout.bands)
    texts = (header.text("description"), header.text("z plot titles"))
    scaling, note = guess_scaling(layout.bands, layout.dtype, texts=texts, has_wavelengths=has_wavelengths)
    if note:
        notes.append(note)
    return scaling


def _per_band(header: EnviHeader, key: str, bands: int, notes: list[str]) -> Any:
    """(band,) float64, or `None` where the header does not have as many finite values as bands."""
    values = np.array(header.numbers(key), dtype=np.float64)
    if values.size == 0:
        return None
    if values.shape != (bands,) or not np.isfinite(values).all():
        notes.append(f"'{key}' has {values.size} values, not a finite one for each of {bands} bands, and was ignored")
        return None
    return values


def _read_nodata(header: EnviHeader, layout: Layout, notes: list[str]) -> float | int | None:
    items = header.items("data ignore value")
    if not items:
        return None
    value = parse_number(items[0])
    if value is None or len(items) > 1:
        notes.append(f"the data ignore value {', '.join(items)!r:.40} is not a number and was ignored")
        return None
    exact = int(items[0]) if layout.dtype.kind in "iu" and items[0].lstrip("+-").isdecimal() else value
    nodata, note = parse_nodata(exact, layout.dtype)
    if note:
        notes.append(note)
    return nodata


def _read_fill(header: EnviHeader, layout: Layout, notes: list[str]) -> Any:
    """(band,) in the stored type: a fill value that was scaled band by band; `None` where there is none."""
    values = _per_band(header, FILL_KEY, layout.bands, notes)
    return None if values is None else values.astype(layout.dtype)


def _read_sensor(header: EnviHeader) -> str:
    sensor = header.text("sensor type")
    return "" if sensor.lower() == "unknown" else sensor


def _read_default_bands(header: EnviHeader, bands: int, notes: list[str]) -> tuple[int, ...]:
    numbers = header.numbers("default bands")
    if not numbers:
        return ()
    if len(numbers) not in (1, 3) or any(number not in range(1, bands + 1) for number in numbers):
        notes.append(f"'default bands' does not name 1 or 3 bands between 1 and {bands} and was ignored")
        return ()
    return tuple(int(number) for number in numbers)


def _read_class_colors(header: EnviHeader, notes: list[str]) -> tuple[tuple[int, int, int], ...]:
    numbers = header.numbers("class lookup")
    names = header.items("class names")
    if not numbers or not names:
        return ()
    if len(numbers) != 3 * len(names) or any(number not in range(256) for number in numbers):
        notes.append(
            f"'class lookup' does not hold three values 0-255 for each of {len(names)} classes and was ignored"
        )
        return ()
    channels = [int(number) for number in numbers]
    return tuple(zip(channels[0::3], channels[1::3], channels[2::3], strict=True))


def _open_tiff(path: Path, data_path: Path, header: EnviHeader, layout: Layout, notes: list[str]) -> Cube:
    """A TIFF with an ENVI header beside it (ENVI's file type TIFF, DESIS): each says what the other does not."""
    tiff = open_raster(data_path)
    if tiff.header.shape != (layout.bands, layout.lines, layout.samples):
        raise SceneError(
            f"{data_path} has {tiff.header.shape} bands, lines and samples; {Path(header.source).name} describes "
            f"{(layout.bands, layout.lines, layout.samples)}"
        )
    said = _describe(header, layout, path, data_path, tiff.header.stamp, notes)
    merged = replace(
        tiff.header,
        path=str(path),
        grid=tiff.header.grid if tiff.header.grid.has_transform else said.grid,
        bands=said.bands if said.bands.wavelength is not None else tiff.header.bands,
        band_names=said.band_names or tiff.header.band_names,
        scaling=said.scaling if tiff.header.scaling.is_identity else tiff.header.scaling,
        nodata=said.nodata if tiff.header.nodata is None else tiff.header.nodata,
        description=said.description or tiff.header.description,
        sensor=said.sensor,
        default_bands=said.default_bands,
        class_names=said.class_names,
        class_colors=said.class_colors or tiff.header.class_colors,
        repairs=(*tiff.header.repairs, *said.repairs),
    )
    return replace(tiff, header=merged)
