"""From a path to a lazy scene.

The strategy here: dask holds an array-like that knows the path and reads a window when it is sliced, never an open file
and never a memory map (dask would copy a map into memory, and GDAL's handles break when threads share them). Slicing
a scene slices the read: one band of a bsq file costs one band.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.io.cube import Cube, CubeHeader, chunk_shape
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.geolocation import PixelPositions, Plane
from hsigeo.io.scaling import to_reflectance
from hsigeo.scene import SCENE_DIMS, make_scene

__all__ = ["CubeArray", "cube_behind", "open_scene", "scene_attrs", "scene_of", "stored_numbers"]

Index = slice | int | list[int] | NDArray[np.integer[Any]]


def open_scene(
    path: str | os.PathLike[str], *, chunks: dict[str, int] | None = None, reader: str | None = None
) -> xr.DataArray:
    """Open a scene as a lazy ``DataArray`` with dims ``(band, y, x)``; nothing is read but headers.

    Parameters
    ----------
    path
        A scene as it was delivered; ``docs/formats.md`` lists what is read.
    chunks
        Chunk size for each of ``band``, ``y`` and ``x``; what is left out is as by default, -1 means whole. By
        default blocks are full-width strips of all bands of about 32 MB.
    reader
        Name of the reader to use; by default it is found from what is in the file.

    Returns
    -------
    xarray.DataArray
        float32 reflectance, NaN where there is no data; see `hsigeo.scene`. ``attrs["repairs"]`` lists what the
        reader guessed or repaired. A scene in sensor geometry says so in ``attrs["geolocation"]``; where the product
        has the position of each pixel, lazy coordinates ``longitude`` and ``latitude`` (y, x) hold it.

    Raises
    ------
    SceneNotFoundError
        There is no such file, or one that belongs to it is missing.
    SceneError
        It is not a scene that hsigeo reads, or is damaged; or there is no such reader.
    """
    return scene_of(open_cube(path, reader=reader), chunks=chunks)


def scene_of(cube: Cube, *, chunks: dict[str, int] | None = None) -> xr.DataArray:
    """The scene of a cube that is open already; as `open_scene` otherwise."""
    header = cube.header
    array = CubeArray(cube)
    stamp = (str(Path(header.data_path).resolve()), header.stamp, header.scaling.gain, header.scaling.offset)
    data = da.from_array(
        array,
        chunks=_chunks(header, chunks or {}),
        name=f"scene-{tokenize(*stamp, header.nodata)}",
        meta=np.empty((0, 0, 0), dtype=np.float32),
    )
    scene = make_scene(data, grid=header.grid, bands=header.bands, attrs=scene_attrs(header))
    return scene.assign_coords(_position_coords(header, data.chunks))


def cube_behind(scene: xr.DataArray) -> Cube | None:
    """The cube whose every pixel a scene holds as it was read; `None` where anything was done to its values.

    dask names an array after what is in it, so one that has the name of a cube just opened is that cube.
    """
    array = scene.data
    if not isinstance(array, da.Array):
        return None
    source = array.dask.layers.get(f"original-{array.name}", {}).get(f"original-{array.name}")
    is_whole = isinstance(source, CubeArray) and source.holds == "reflectance" and source.shape == array.shape
    return source.cube if is_whole else None


def stored_numbers(scene: xr.DataArray, cube: Cube) -> da.Array:
    """The numbers (band, y, x) of a scene as its file has them, in the same chunks.

    Parameters
    ----------
    cube
        As `cube_behind` gives it.
    """
    meta = np.empty((0, 0, 0), dtype=cube.header.dtype)
    chunks = scene.data.chunks
    stored: da.Array = da.from_array(
        CubeArray(cube, "stored"), chunks=chunks, name=f"stored-{scene.data.name}", meta=meta
    )
    return stored


def _position_coords(header: CubeHeader, chunks: tuple[tuple[int, ...], ...]) -> dict[str, Any]:
    """Lazy coordinates ``(y, x)`` of each pixel, for a scene in sensor geometry whose positions are known."""
    positions = header.geolocation
    if not isinstance(positions, PixelPositions):
        return {}
    degrees = CRS.from_wkt(positions.crs).is_geographic
    names = ("longitude", "latitude") if degrees else ("easting", "northing")
    coords = {}
    for name, plane in zip(names, (positions.x, positions.y), strict=True):
        lazy = da.from_array(
            PlaneArray(plane),
            chunks=chunks[1:],
            name=f"{name}-{tokenize(header.data_path, header.stamp, positions.where)}",
            meta=np.empty((0, 0), dtype=np.float64),
        )
        coords[name] = (("y", "x"), lazy, {"units": "degree" if degrees else "m"})
    return coords


@dataclass(frozen=True)
class PlaneArray:
    """A plane as an array of float64 that reads what it is sliced to."""

    plane: Plane

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples."""
        return self.plane.shape

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """Always float64."""
        return np.dtype(np.float64)

    def __getitem__(self, key: tuple[Index, ...]) -> NDArray[np.float64]:
        """The values at an index (y, x); see `_picked`."""
        return _picked(key, self.shape, lambda rows, cols: np.asarray(self.plane.read(rows, cols), dtype=np.float64))


@dataclass(frozen=True)
class CubeArray:
    """A cube as an array that reads what it is sliced to.

    Parameters
    ----------
    cube
        Where the values come from.
    holds
        ``reflectance`` (float32, NaN where there is no data), or ``stored``: the numbers of the file.
    """

    cube: Cube
    holds: Literal["reflectance", "stored"] = "reflectance"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, lines, samples."""
        return self.cube.header.shape

    @property
    def ndim(self) -> int:
        """Always 3."""
        return len(SCENE_DIMS)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.dtype(np.float32) if self.holds == "reflectance" else self.cube.header.dtype

    def __getitem__(self, key: tuple[Index, ...]) -> NDArray[Any]:
        """The values at an index (band, y, x); see `_picked`."""
        return _picked(key, self.shape, self._read)

    def _read(self, bands: slice, rows: slice, cols: slice) -> NDArray[Any]:
        header, stored = self.cube.header, self.cube.read(rows, cols, bands)
        if self.holds == "stored":
            return stored
        return to_reflectance(stored, header.scaling.take(bands), header.nodata)


def _picked(key: tuple[Index, ...], shape: tuple[int, ...], read: Callable[..., NDArray[Any]]) -> NDArray[Any]:
    """A window, as `read` gives it; integers drop their axis, steps and lists are taken each along its axis."""
    windows, picks = zip(*(_window(part, size) for part, size in zip(key, shape, strict=True)), strict=True)
    values = read(*windows)
    for axis in reversed(range(len(shape))):
        values = values[(slice(None),) * axis + (picks[axis],)]
    return values


def scene_attrs(header: CubeHeader) -> dict[str, Any]:
    """What a scene's attributes say of its file."""
    attrs: dict[str, Any] = {"source": header.path, "reader": header.reader, "repairs": list(header.repairs)}
    for name in ("description", "sensor"):
        if value := getattr(header, name):
            attrs[name] = value
    if header.geolocation is not None:
        attrs["geolocation"] = header.geolocation.title
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
