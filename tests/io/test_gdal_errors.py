"""What GDAL and the libraries below it say reaches people once, as an error that hsigeo words."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
import rasterio

from hsigeo.io.gdal_errors import silence_libtiff


def test_libtiff_prints_nothing_of_its_own():
    libraries = sorted(Path(rasterio.__file__).parent.with_name("rasterio.libs").glob("libtiff-*.so*"))
    if not libraries:
        pytest.skip("this rasterio has libtiff built in")
    silence_libtiff()
    for library in libraries:
        setter = ctypes.CDLL(str(library)).TIFFSetErrorHandler
        setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
        assert setter(None) is None  # the handler that was set before
