"""Class ids of a map on disk, for steps that need all of it: GDAL reads them row by row from there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from hsigeo.classes import UNCLASSIFIED
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import open_quietly
from hsigeo.io.map_files import CACHE_BYTES

__all__ = ["StagedIds"]


class StagedIds:
    """A file without a name: it is gone when it is closed, however the process ends. A context manager.

    Parameters
    ----------
    folder
        Where it takes its room, compressed.
    shape
        Rows and columns.
    dtype
        ``uint8`` or ``uint16``.

    Raises
    ------
    OSError
        The file cannot be written; likewise from the methods. `hsigeo.atomic.replaced_on_success` knows a full disk.
    """

    def __init__(self, folder: Path, shape: tuple[int, int], dtype: str) -> None:
        self.shape, self.dtype = shape, dtype
        self.pixels = 0
        """Number of pixels with a class."""
        self._files = [_create(folder, shape, dtype)]
        if dtype != "uint8":  # rasterio takes bytes only as a mask
            self._files.append(_create(folder, shape, "uint8"))

    def __enter__(self) -> StagedIds:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._files:
            self._files.pop().close()

    def write(self, first: int, ids: NDArray[Any]) -> None:
        """Write (y, x) ids from a row on, each row once; rows that are not written have no class."""
        known = ids != UNCLASSIFIED
        self.pixels += int(np.count_nonzero(known))
        window = Window(0, first, self.shape[1], len(ids))
        with _working():
            for file, values in zip(self._files, (ids, known), strict=False):
                file.write(values.astype(file.dtypes[0], copy=False), 1, window=window)

    def read(self, first: int, stop: int) -> NDArray[Any]:
        """(y, x) ids of some rows."""
        with _working():
            rows: NDArray[Any] = self._files[0].read(1, window=Window(0, first, self.shape[1], stop - first))
        return rows

    @contextmanager
    def bands(self) -> Iterator[tuple[rasterio.Band, rasterio.Band]]:
        """The ids, and where there is a class, as `rasterio.features` takes them."""
        with _working():
            yield rasterio.band(self._files[0], 1), rasterio.band(self._files[-1], 1)

    def check_pixels(self, count: int) -> None:
        """See that as many pixels with a class were read as written: on a full disk GDAL does not always say so.

        Raises
        ------
        OSError
            There were others.
        """
        if count != self.pixels:
            raise OSError("intermediate class ids do not read back as written; the disk may be full or faulty")


def _create(folder: Path, shape: tuple[int, int], dtype: str) -> Any:
    path = folder / f".hsigeo-{secrets.token_hex(8)}.tif"
    try:
        with _working():
            return open_quietly(
                path, "w+", driver="GTiff", dtype=dtype, count=1, height=shape[0], width=shape[1], compress="deflate",
                zlevel=1, SPARSE_OK=True, BIGTIFF="IF_SAFER",
            )  # fmt: skip
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _working() -> Iterator[None]:
    try:
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
            yield
    except GDAL_ERRORS as error:
        raise OSError(reason(error)) from error
