"""What GDAL says when something fails, as one line."""

from __future__ import annotations

from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

__all__ = ["GDAL_ERRORS", "reason"]

GDAL_ERRORS: tuple[type[Exception], ...] = (RasterioError, CPLE_BaseError)
"""Everything rasterio raises for GDAL. Some of it passes through under a class without a public name."""


def reason(error: BaseException) -> str:
    """The first line of what went wrong.

    rasterio's "Read failed. See previous exception for details." says nothing; the exception before it does.
    """
    while "previous exception" in str(error) and error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).splitlines()
    return f"{lines[0]:.200}" if lines else type(error).__name__
