"""From a path to a lazy scene.

The strategy here: dask holds an array-like that knows the path and reads a window when it is sliced, never an open file
and never a memory map (dask would copy a map into memory, and GDAL's handles break when threads share them). Slicing
a scene slices the read: one band of a bsq file costs one band.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize
from numpy.typing import NDArray

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.cube import Cube, CubeHeader, chunk_shape, open_failure
from hsigeo.io.envi import open_envi
from hsigeo.io.envi.datafile import find_header
from hsigeo.io.geotiff import TIFF_MAGIC, open_raster
from hsigeo.io.scaling import to_reflectance
from hsigeo.scene import SCENE_DIMS, make_scene

__all__ = ["ReflectanceArray", "open_cube", "open_scene"]

Index = slice | int | list[int] | NDArray[np.integer[Any]]

# What the first bytes of formats look like that are known and not read (yet), and what would do.
_NOT_READ = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 or NetCDF-4 file", "convert its reflectance to ENVI or GeoTIFF"),
    (b"CDF", "a NetCDF file", "convert its reflectance to ENVI or GeoTIFF"),
    (b"MATLAB 5.0", "a MATLAB file, which has no georeference", "write its cube as ENVI or GeoTIFF"),
    (b"<VRTDataset", "a GDAL VRT, which may point anywhere", "make a GeoTIFF of it (gdal_translate)"),
)


def open_cube(path: str | os.PathLike[str]) -> Cube:
    """Open a scene as headers and stored numbers, without xarray.

    Parameters
    ----------
    path
        An ENVI header or data file, or a GeoTIFF.

    Raises
    ------
    SceneNotFoundError
        There is no such file, or an ENVI header has no data file.
    SceneError
        It is not a scene that hsigeo reads, or is damaged.
    """
    path = Path(path)
    if path.is_dir():
        raise SceneError(f"{path} is a folder; name a scene in it (an ENVI .hdr or a GeoTIFF)")
    if path.suffix.lower() == ".hdr":
        return open_envi(path)
    start = _first_bytes(path)
    if start[:4] in TIFF_MAGIC:
        return open_raster(path)
    for magic, what, remedy in _NOT_READ:
        if start.startswith(magic):
            raise SceneError(f"{path} is {what}; hsigeo does not read these: {remedy}")
    return open_envi(path) if find_header(path) is not None else open_raster(path)


def open_scene(path: str | os.PathLike[str], *, chunks: dict[str, int] | None = None) -> xr.DataArray:
    """Open a scene as a lazy ``DataArray`` with dims ``(band, y, x)``; nothing is read but headers.

    Parameters
    ----------
    path
        An ENVI header or data file, or a GeoTIFF.
    chunks
        Chunk size for each of ``band``, ``y`` and ``x``; what is left out is as by default, -1 means whole. By
        default blocks are full-width strips of all bands of about 16 MB.

    Returns
    -------
    xarray.DataArray
        float32 reflectance, NaN where there is no data; see `hsigeo.scene`. ``attrs["repairs"]`` lists what the
        reader guessed or repaired.

    Raises
    ------
    SceneNotFoundError
        There is no such file, or an ENVI header has no data file.
    SceneError
        It is not a scene that hsigeo reads, or is damaged.
    """
    cube = open_cube(path)
    header = cube.header
    array = ReflectanceArray(cube)
    stamp = (str(Path(header.data_path).resolve()), header.stamp, header.scaling.gain, header.scaling.offset)
    data = da.from_array(
        array,
        chunks=_chunks(header, chunks or {}),
        name=f"scene-{tokenize(*stamp, header.nodata)}",
        meta=np.empty((0, 0, 0), dtype=np.float32),
    )
    return make_scene(data, grid=header.grid, bands=header.bands, attrs=scene_attrs(header))


@dataclass(frozen=True)
class ReflectanceArray:
    """A cube as an array of float32 reflectance that reads what it is sliced to."""

    cube: Cube

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, lines, samples."""
        return self.cube.header.shape

    @property
    def ndim(self) -> int:
        """Always 3."""
        return len(SCENE_DIMS)

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Always float32."""
        return np.dtype(np.float32)

    def __getitem__(self, key: tuple[Index, ...]) -> NDArray[np.float32]:
        """Read a window; integers drop their axis. Steps and lists are taken, each along its axis, after reading."""
        windows, picks = zip(*(_window(part, size) for part, size in zip(key, self.shape, strict=True)), strict=True)
        bands, rows, cols = windows
        header = self.cube.header
        values = to_reflectance(self.cube.read(rows, cols, bands), header.scaling.take(bands), header.nodata)
        for axis in reversed(range(self.ndim)):
            values = values[(slice(None),) * axis + (picks[axis],)]
        return values


def scene_attrs(header: CubeHeader) -> dict[str, Any]:
    """What a scene's attributes say of its file."""
    attrs: dict[str, Any] = {"source": header.path, "repairs": list(header.repairs)}
    for name in ("description", "sensor"):
        if value := getattr(header, name):
            attrs[name] = value
    if header.nodata is not None:
        attrs["source_nodata"] = header.nodata
    return attrs


def _chunks(header: CubeHeader, asked: dict[str, int]) -> tuple[int, int, int]:
    if unknown := set(asked) - set(SCENE_DIMS):
        raise ValueError(f"chunks names {sorted(unknown)}; a scene has the dims {SCENE_DIMS}")
    sizes = {"band": header.bands.count, "y": header.grid.lines, "x": header.grid.samples}
    usual = dict(zip(SCENE_DIMS, (sizes["band"], *chunk_shape(header)), strict=True))
    chosen = {dim: sizes[dim] if asked.get(dim) == -1 else asked.get(dim, usual[dim]) for dim in SCENE_DIMS}
    return chosen["band"], chosen["y"], chosen["x"]


def _window(part: Index, size: int) -> tuple[slice, Index]:
    """The slice with step 1 to read, and what to take of it."""
    wanted = range(size)[part] if isinstance(part, slice) else np.arange(size)[part]
    if isinstance(wanted, range):
        if not wanted:
            return slice(0, 0), slice(None)
        first, last = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
        return slice(first, last + 1), slice(None, None, wanted.step)
    if wanted.ndim == 0:
        return slice(int(wanted), int(wanted) + 1), 0
    if wanted.size == 0:
        return slice(0, 0), wanted
    return slice(int(wanted.min()), int(wanted.max()) + 1), wanted - wanted.min()


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError as error:
        raise SceneNotFoundError(f"{path}: there is no such file") from error
    except OSError as error:
        raise SceneError(open_failure(path, error)) from error
