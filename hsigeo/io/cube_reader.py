"""From a path to a cube: which reader a file is for. Without xarray and dask, so that it starts at once."""

from __future__ import annotations

import os
from pathlib import Path

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.cube import Cube, open_failure
from hsigeo.io.envi import open_envi
from hsigeo.io.envi.datafile import find_header
from hsigeo.io.envi.header import is_envi_header
from hsigeo.io.geotiff import TIFF_MAGIC, open_raster

__all__ = ["open_cube"]

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
    if path.suffix == ".safetensors":
        raise SceneError(f"{path} is a model, not a scene; use it with `hsigeo classify SCENE --model {path}`")
    header_path = find_header(path)
    is_envi = header_path is not None and is_envi_header(header_path)
    return open_envi(path) if is_envi else open_raster(path)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError as error:
        raise SceneNotFoundError(f"{path}: there is no such file") from error
    except OSError as error:
        raise SceneError(open_failure(path, error)) from error
