"""GDAL errors as one line."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

__all__ = ["FAILURES", "GDAL_ERRORS", "reason", "silence_libtiff"]

GDAL_ERRORS: tuple[type[Exception], ...] = (RasterioError, CPLE_BaseError)
"""Everything rasterio raises for GDAL. Some of it passes through under a class without a public name."""

FAILURES: tuple[type[Exception], ...] = (OSError, *GDAL_ERRORS)
"""Everything that may go wrong while a file is read or written through GDAL."""


def reason(error: BaseException) -> str:
    """The first line of what went wrong.

    rasterio's "Read failed. See previous exception for details." says nothing; the exception before it does.
    """
    while "previous exception" in str(error) and error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).splitlines()
    return f"{lines[0]:.200}" if lines else type(error).__name__


@cache
def silence_libtiff() -> None:
    """Keep rasterio's libtiff from printing ``_tiffSeekProc: No space left on device.`` beside the error GDAL raises.

    GDAL hears of libtiff's errors through handlers of its own; a few without a file go to one that prints. It is a
    library of its own in rasterio's wheels; where it is built in elsewhere, the lines stay.
    """
    for library in Path(rasterio.__file__).parent.with_name("rasterio.libs").glob("libtiff-*.so*"):
        handle = ctypes.CDLL(str(library))
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            setter = handle[name]
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            setter(None)
