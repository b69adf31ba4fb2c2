"""What readers of products share: values that must be there, and what to say where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError

from hsigeo.errors import SceneError
from hsigeo.io.readers.hdf5 import Hdf5File
from hsigeo.io.scaling import parse_nodata

__all__ = ["cube_dtype", "fill_value", "require_bands", "wkt_of"]


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
    try:
        with rasterio.Env():  # without it, GDAL prints its own line as well
            crs = CRS.from_user_input(text)
    except CRSError as error:
        raise SceneError(f"{where}: {text!r:.80} is not a CRS") from error
    if not crs:
        raise SceneError(f"{where}: the CRS is empty")
    wkt: str = crs.to_wkt()
    return wkt
