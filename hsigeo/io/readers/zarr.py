"""Zarr stores as xarray writes them: one cube, with coordinates for bands and pixels.

What is read: the variable ``reflectance``, else the only one with three dims; dims by their names; ``wavelength``,
``fwhm`` and ``good`` along the spectral dim; CF's ``scale_factor``, ``add_offset`` and ``_FillValue``; the CRS and
transform of the grid mapping, as rioxarray writes them, and the coordinates that keep the place of a cut. Versions 2
and 3 of the format, in a folder of this machine.

A store can name codecs that run code when they decode (numcodecs' pickle). Only codecs that compress or reorder numbers
are let through.
"""

from __future__ import annotations

import base64
import math
import struct
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.cube import CubeHeader, FileStamp, check_window
from hsigeo.io.numerals import parse_number
from hsigeo.io.readers.products import wkt_of
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling, guess_scaling, parse_nodata
from hsigeo.io.wavelengths import make_band_table

__all__ = ["ZarrCube", "ZarrReader"]

_MARKS = ("zarr.json", ".zgroup", ".zmetadata")
_Y = ("y", "lat", "latitude", "northing", "line", "lines", "row")
_X = ("x", "lon", "longitude", "easting", "sample", "samples", "column")
_MAX_COORDINATE = 1 << 24
_MAX_CHUNK_BYTES = 1 << 30
_COMPRESSION = ("blosc", "gzip", "zlib", "zstd", "lz4", "lzma", "bz2", "sharding_indexed")
_REORDERING = ("bytes", "transpose", "shuffle", "delta", "bitround", "fixedscaleoffset", "quantize", "astype")
_CHECKSUMS = ("crc32c", "crc32", "adler32", "fletcher32")
_SAFE_CODECS = frozenset((*_COMPRESSION, *_REORDERING, *_CHECKSUMS))
_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError)


@dataclass(frozen=True)
class ZarrCube:
    """A variable of a Zarr store. Implements `hsigeo.io.cube.Cube`.

    Parameters
    ----------
    header
        What is known of it.
    variable
        Its name.
    axes
        The order of its dims: ``byx``, ``yxb`` or ``ybx``.
    """

    header: CubeHeader
    variable: str
    axes: str

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window; see `hsigeo.io.cube.Cube.read`."""
        header = self.header
        parts = dict(zip("byx", check_window(header.shape, bands, rows, cols), strict=True))
        if not all(len(part) for part in parts.values()):
            return np.empty([len(part) for part in parts.values()], dtype=header.dtype)
        try:
            array = _open_group(header.data_path, header.stamp.modified_ns)[self.variable]
            stored = np.asarray(array[tuple(slice(parts[axis].start, parts[axis].stop) for axis in self.axes)])
        except _ERRORS as error:
            raise SceneError(f"{header.data_path} cannot be read; it may be damaged: {error!s:.200}") from error
        return stored.transpose([self.axes.index(axis) for axis in "byx"]).astype(header.dtype, copy=False)


class ZarrReader:
    """Zarr written by xarray."""

    name = "zarr"
    title = "Zarr store written by xarray (folder)"

    def claim(self, probe: Probe) -> str | None:
        """The file that makes a folder a Zarr group."""
        if not probe.is_folder:
            return None
        mark = next((mark for mark in _MARKS if (probe.path / mark).is_file()), None)
        return None if mark is None else f"it holds {mark}"

    def open(self, path: Path) -> ZarrCube:
        """Open the store."""
        try:
            group = _open_group(str(path.absolute()), FileStamp.of(path).modified_ns)
            variables = dict(group.arrays())
            return _open(path, variables)
        except SceneError:
            raise
        except _ERRORS as error:
            raise SceneError(f"{path} cannot be opened as Zarr; it may be truncated: {error!s:.200}") from error


@lru_cache(maxsize=8)
def _open_group(path: str, _modified_ns: int) -> Any:
    try:
        import zarr
    except ImportError as error:
        raise SceneError("Zarr stores need zarr: pip install 'hsigeo[zarr]'") from error
    with warnings.catch_warnings(action="ignore"):  # of consolidated metadata and of codecs that are no standard yet
        return zarr.open_group(path, mode="r", use_consolidated=False)


def _open(path: Path, variables: dict[str, Any]) -> ZarrCube:
    cubes = [name for name, array in variables.items() if array.ndim == 3 and np.dtype(array.dtype).kind in "iuf"]
    name = "reflectance" if "reflectance" in cubes else cubes[0] if len(cubes) == 1 else None
    if name is None:
        raise SceneError(
            f"{path} holds {len(cubes)} variables of numbers with three dims ({', '.join(cubes):.80}); "
            "a scene is one, or the one that is named reflectance"
        )
    cube = variables[name]
    _check_codecs(path, name, cube)
    dims, axes = _axes(path, name, cube)
    along = dict(zip(axes, cube.shape, strict=True))
    if math.prod(cube.chunks) * np.dtype(cube.dtype).itemsize > _MAX_CHUNK_BYTES:
        raise SceneError(f"{path}: {name} has chunks of {cube.chunks}, which are too large to read one at a time")
    chunk = dict(zip(axes, cube.chunks, strict=True))
    notes: list[str] = []
    spectral = {key: _coordinate(path, variables, dims["b"], names) for key, names in _SPECTRAL.items()}
    unit = next((_text(variables[n].attrs, "units") for n in _SPECTRAL["wavelength"] if n in variables), "")
    table, found = make_band_table(
        along["b"],
        wavelength=spectral["wavelength"],
        unit=unit or ("nm" if spectral["wavelength"] else ""),
        fwhm=spectral["fwhm"],
        good=spectral["good"],
    )
    notes.extend(found)
    attrs = dict(cube.attrs)
    dtype = np.dtype(cube.dtype).newbyteorder("=")
    header = CubeHeader(
        path=str(path),
        data_path=str(path.absolute()),
        stamp=FileStamp(size=int(cube.nbytes), modified_ns=FileStamp.of(path).modified_ns),
        format=f"Zarr {cube.metadata.zarr_format}",
        interleave={"byx": "bsq", "ybx": "bil", "yxb": "bip"}[axes],
        dtype=dtype,
        byte_order="little",
        compressed=True,
        block_shape=(chunk["y"], chunk["x"]),
        grid=_read_grid(path, variables, cube, dims, (along["y"], along["x"])),
        bands=table,
        scaling=_scaling(attrs, along["b"], dtype, table.wavelength is not None, notes),
        nodata=_nodata(cube, attrs, dtype, notes),
        description=_text(attrs, "description") or _text(attrs, "long_name"),
        sensor=_text(attrs, "sensor"),
        repairs=tuple(notes),
    )
    return ZarrCube(header, name, axes)


_SPECTRAL = {
    "wavelength": ("wavelength", "wavelengths"),
    "fwhm": ("fwhm",),
    "good": ("good", "good_wavelengths", "bbl"),
}


def _check_codecs(path: Path, name: str, array: Any) -> None:
    """Refuse codecs that do more than compress and reorder."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            codec = value.get("id") or (value.get("name") if "configuration" in value else None)
            if isinstance(codec, str):
                found.append(codec)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                walk(inner)

    document = array.metadata.to_dict()
    walk([document.get(key) for key in ("codecs", "compressor", "filters")])
    unsafe = [codec for codec in found if codec.removeprefix("numcodecs.").lower() not in _SAFE_CODECS]
    if unsafe or np.dtype(array.dtype).kind == "O":
        raise SceneError(
            f"{path}: {name} is stored with {', '.join(unsafe) or 'objects'}, which hsigeo does not decode"
        )


def _axes(path: Path, name: str, array: Any) -> tuple[dict[str, str], str]:
    """Names of the dims by what they are, and their order."""
    dims = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    found = {}
    for dim in dims:
        kind = "y" if str(dim).lower() in _Y else "x" if str(dim).lower() in _X else "b"
        found[kind] = str(dim)
    axes = "".join(kind for dim in dims for kind, known in found.items() if known == dim)
    if len(dims) != 3 or axes not in ("byx", "ybx", "yxb"):
        raise SceneError(
            f"{path}: {name} has the dims {tuple(dims)}; a scene has y and x (or lat and lon, northing and easting) in "
            "this order, and one for the bands"
        )
    return found, axes


def _values(path: Path, name: str, array: Any) -> NDArray[np.float64]:
    if array.size > _MAX_COORDINATE:
        raise SceneError(f"{path}: the coordinate {name} has {array.size} values, which are too many")
    _check_codecs(path, name, array)
    return np.asarray(array[...], dtype=np.float64).reshape(-1)


def _coordinate(path: Path, variables: dict[str, Any], dim: str, names: tuple[str, ...]) -> list[float]:
    """Values along the spectral dim, from the first variable of these names; empty where there is none."""
    for name in names:
        array = variables.get(name)
        if array is not None and array.ndim == 1 and np.dtype(array.dtype).kind in "iufb":
            dims = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
            if tuple(dims) == (dim,):
                return [float(value) for value in _values(path, name, array)]
    return []


def _read_grid(path: Path, variables: dict[str, Any], cube: Any, dims: dict[str, str], shape: tuple[int, int]) -> Grid:
    """By the rules for arrays in memory: a store may hold a cut of a scene, whose transform is still the whole's."""
    import xarray as xr  # not above: who asks which reader opens a file needs no xarray

    from hsigeo.scene import TRANSFORM_AS_OPENED, grid_of

    mapping = _text(cube.attrs, "grid_mapping")
    names = [mapping, *("spatial_ref", "crs", "transverse_mercator")]
    attrs = next((dict(variables[name].attrs) for name in names if name in variables), {})
    text = _text(attrs, "crs_wkt") or _text(attrs, "spatial_ref")
    crs = wkt_of(text, where=str(path)) if text else None
    stated = {key: _text(attrs, key) for key in ("GeoTransform", TRANSFORM_AS_OPENED) if _is_transform(attrs, key)}
    coords: dict[str, Any] = {"spatial_ref": ((), 0, stated)}
    for axis, index, length in (("y", "row", shape[0]), ("x", "column", shape[1])):
        for name, variable in ((index, index), (axis, dims[axis])):
            if variable in variables and variables[variable].shape == (length,):
                coords[name] = (axis, _values(path, variable, variables[variable]))
    nothing = np.broadcast_to(np.uint8(0), shape)
    try:
        grid = grid_of(xr.DataArray(nothing, dims=("y", "x"), coords=coords))
    except SceneError as error:
        raise SceneError(f"{path}: {error}") from error
    return replace(grid, crs=crs)


def _is_transform(attrs: dict[str, Any], key: str) -> bool:
    terms = [parse_number(term) for term in _text(attrs, key).split()]
    return len(terms) == 6 and all(term is not None and math.isfinite(term) for term in terms)


def _scaling(
    attrs: dict[str, Any], bands: int, dtype: np.dtype[Any], has_wavelengths: bool, notes: list[str]
) -> Scaling:
    factor, offset = _number(attrs, "scale_factor"), _number(attrs, "add_offset")
    if factor is not None or offset is not None:
        return Scaling(gain=np.full(bands, factor or 1.0), offset=np.full(bands, offset or 0.0))
    scaling, note = guess_scaling(bands, dtype, texts=(), has_wavelengths=has_wavelengths)
    notes.extend([note] if note else [])
    return scaling


def _nodata(cube: Any, attrs: dict[str, Any], dtype: np.dtype[Any], notes: list[str]) -> float | int | None:
    """``_FillValue`` or ``missing_value``; in version 2, the array's own fill value, as xarray has it."""
    stated = _number(attrs, "_FillValue")
    if (encoded := _text(attrs, "_FillValue")) and len(encoded) == 12:
        # In version 3 xarray writes a real number as its eight bytes in base64.
        stated = struct.unpack("<d", base64.b64decode(encoded))[0]
    if stated is None:
        stated = _number(attrs, "missing_value")
    if stated is None and cube.metadata.zarr_format == 2 and cube.fill_value is not None:
        stated = float(cube.fill_value)
    nodata, note = parse_nodata(stated, dtype)
    notes.extend([note] if note else [])
    return nodata


def _text(attrs: Any, key: str) -> str:
    value = attrs.get(key)
    return value.strip() if isinstance(value, str) else ""


def _number(attrs: Any, key: str) -> float | None:
    value = attrs.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
