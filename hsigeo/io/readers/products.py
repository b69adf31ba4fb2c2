"""What readers of products share: required values, and the errors where they are missing."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.cube import CubeHeader, FileStamp
from hsigeo.io.georeference import find_crs
from hsigeo.io.readers.hdf5 import Hdf5File
from hsigeo.io.scaling import parse_nodata

__all__ = ["cube_dtype", "describe_cube", "fill_value", "mark_overlap", "require_bands", "wkt_of"]

FloatArray = NDArray[np.float64]

_INTERLEAVE = {"byx": "bsq", "ybx": "bil", "yxb": "bip"}


def cube_dtype(file: Hdf5File, cube: Any) -> np.dtype[Any]:
    """The type of a cube's numbers, in native byte order.

    Raises
    ------
    SceneError
        They are no real numbers.
    """
    dtype = np.dtype(cube.dtype)
    if dtype.kind not in "iuf":
        raise SceneError(f"{file.path}: the values of {cube.name} are {dtype}; hsigeo reads integers and real numbers")
    native: np.dtype[Any] = dtype.newbyteorder("=")
    return native


def require_bands(file: Hdf5File, name: str, bands: int) -> NDArray[np.float64]:
    """A dataset with one number for each band.

    Raises
    ------
    SceneError
        It is not there, or has another length.
    """
    values = np.asarray(file.values(name, "a number for each band"), dtype=np.float64)
    if values.shape != (bands,):
        raise SceneError(f"{file.path}: {name} has {values.size} values for {bands} bands; the file may be damaged")
    return values


def fill_value(file: Hdf5File, name: str, cube: Any, default: float | None) -> float | int | None:
    """``_FillValue`` of a dataset in its own type, else what the product's documents give."""
    stated = file.number(name, "_FillValue")
    return parse_nodata(default if stated is None else stated, np.dtype(cube.dtype))[0]


def wkt_of(text: str, *, where: str) -> str:
    """WKT of a CRS in any spelling.

    Raises
    ------
    SceneError
        PROJ does not know it.
    """
    crs = find_crs(text)
    if crs is None:
        raise SceneError(f"{where}: {text!r:.80} is not a CRS")
    wkt: str = crs.to_wkt()
    return wkt


def describe_cube(file: Hdf5File, stamp: FileStamp, cube: Any, *, axes: str, **known: Any) -> CubeHeader:
    """The header of a cube in an HDF5 file; what its storage says is filled in.

    Parameters
    ----------
    cube
        The dataset; where there are several, one that is stored like the others.
    axes
        The order of its axes, such as ``yxb``.
    known
        All other fields of `CubeHeader`, `grid`, `bands` and `scaling` among them.
    """
    along = dict(zip(axes, cube.shape, strict=True))
    chunk = dict(zip(axes, cube.chunks or (1,) * 3, strict=True))
    stored: dict[str, Any] = {
        "dtype": cube_dtype(file, cube),
        "compressed": cube.compression is not None,
        "block_shape": (chunk["y"], chunk["x"] if cube.chunks else along["x"]),
        "block_bands": chunk["b"],
        "format": "HDF5",
    }
    return CubeHeader(
        path=str(file.path),
        data_path=str(file.path.absolute()),  # whoever reads may run in another folder
        stamp=stamp,
        interleave=_INTERLEAVE[axes],
        byte_order=sys.byteorder,  # HDF5 has swapped already
        **(stored | known),
    )


def mark_overlap(wavelength: FloatArray, first_of_second: int) -> NDArray[np.bool_]:
    """Good bands of two detectors: those of the first that lie beyond the first band of the second are not good.

    The end of the first (silicon) detector is the noisier of the two, and the good bands are then in order.

    Parameters
    ----------
    wavelength : (band,) nm, ascending within each detector
    first_of_second
        Position of the second detector's first band.
    """
    good = np.ones(len(wavelength), dtype=bool)
    if 0 < first_of_second < len(wavelength):
        good[:first_of_second] = wavelength[:first_of_second] < wavelength[first_of_second]
    return good
