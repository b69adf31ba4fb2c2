"""Open rasters, up to a limit: a campaign has more files than a process may hold open."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray
from rasterio.windows import Window

from hsigeo.errors import LabelError
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import open_quietly

__all__ = ["Handles"]

MOST_OPEN = 48
"""Two or three for each of the lines that meet at a place, with room for the lines of the next block."""


class Handles:
    """Keeps the rasters that were used last open; a context manager, for one thread.

    Parameters
    ----------
    limit
        How many may be open at a time.
    """

    def __init__(self, limit: int = MOST_OPEN) -> None:
        self._limit = limit
        self._open: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def __enter__(self) -> Handles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def __len__(self) -> int:
        return len(self._open)

    def read(self, path: str | Path, bands: int | list[int], rows: slice, cols: slice, driver: str) -> NDArray[Any]:
        """Stored values of a window.

        Raises
        ------
        LabelError
            The file cannot be read.
        """
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        try:
            values: NDArray[Any] = self._dataset(str(path), driver).read(bands, window=window)
        except GDAL_ERRORS as error:
            raise LabelError(f"{path} cannot be read: {reason(error)}; it may be damaged") from error
        return values

    def read_coarse(self, path: str | Path, shape: tuple[int, int], driver: str) -> NDArray[Any]:
        """The first band in fewer pixels, from overviews where the file has them.

        Raises
        ------
        LabelError
            The file cannot be read.
        """
        try:
            values: NDArray[Any] = self._dataset(str(path), driver).read(1, out_shape=shape)
        except GDAL_ERRORS as error:
            raise LabelError(f"{path} cannot be read: {reason(error)}; it may be damaged") from error
        return values

    def _dataset(self, path: str, driver: str) -> Any:
        key = (path, driver)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        while len(self._open) >= self._limit:
            self._open.popitem(last=False)[1].close()
        # Not shared with other handles of the same file: those may belong to other threads.
        self._open[key] = open_quietly(path, driver=driver, sharing=False)
        return self._open[key]
