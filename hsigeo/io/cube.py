"""What every reader returns: a header that describes the file, and windows of its stored numbers.

A cube is cheap: it holds a header and no open file, so it can be pickled into a task on another machine that sees the
same path. Files are opened inside `Cube.read`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.errors import SceneNotFoundError
from hsigeo.grid import Grid
from hsigeo.io.geolocation import Geolocation
from hsigeo.io.scaling import Scaling

__all__ = [
    "AnnouncingCube",
    "Cube",
    "CubeHeader",
    "DirectCube",
    "FileStamp",
    "check_window",
    "chunk_shape",
    "open_failure",
    "with_cache",
]

BLOCK_BYTES = 32 << 20
"""Default size of a float32 block. Of half the size, two threads wait for dask for a twentieth of their time
(docs/design/throughput.md)."""

MAX_BLOCK_BYTES = 64 << 20
"""Where one row of the file's own blocks is larger than this, blocks become narrower than the scene."""


@dataclass(frozen=True, kw_only=True)
class FileStamp:
    """Enough to see that a file is still the one that was opened, without reading it."""

    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """The stamp of a file.

        Raises
        ------
        SceneNotFoundError
            There is no such file.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise SceneNotFoundError(f"{path} cannot be opened: {error.strerror}") from error
        return cls(size=status.st_size, modified_ns=status.st_mtime_ns)


@dataclass(frozen=True, kw_only=True, eq=False)
class CubeHeader:
    """All that is known about a scene without reading its pixels.

    Parameters
    ----------
    path
        What the user named: the header of an ENVI scene, or the raster itself.
    data_path
        The file that holds the pixels.
    stamp
        Of the data file, when it was opened.
    format
        ``ENVI``, or GDAL's short name of the driver.
    interleave
        ``bsq``, ``bil`` or ``bip``: in which order the file holds its values.
    dtype
        Type of the stored numbers, in native byte order.
    byte_order
        ``little`` or ``big``, as stored.
    header_offset
        Bytes before the first value.
    compressed
        Whether the file must be decompressed to be read.
    block_shape
        Rows and columns of the file's own blocks; reading less than a block costs as much as reading it.
    block_bands
        Bands of such a block, where readers keep it whole though it may reach beyond the last band: HDF5.
    grid, bands
        Size and georeference; the spectral axis.
    band_names
        One for each band, or none at all.
    scaling
        From stored numbers to reflectance.
    nodata
        The stored number that means "no data", before scaling; `None` where there is none.
    description, sensor
        Free text of the file; may be empty.
    default_bands
        Bands (counted from 1) that the producer shows as red, green and blue, or as gray; may be empty.
    class_names, class_colors
        Of a classification, the class of value 0 first; empty for anything else.
    geolocation
        Where the pixels of a scene in sensor geometry lie; `None` for a scene on a map grid, or of unknown place.
    companions
        Files that belong to the scene, as (kind, path): lookup table, positions, observation geometry.
    repairs
        Every guess and repair of the reader, as sentences.
    cache_bytes
        What a reader may keep in memory of the file's own blocks between two reads; `None` for what suits the file.
    threads
        With how many threads a reader may decompress a window; `None` for what suits the machine.
    reader, reader_reason
        Which reader opened the file, and why this one (the end of "because …"); filled in by `open_cube`.
    """

    path: str
    data_path: str
    stamp: FileStamp
    format: str
    interleave: str
    dtype: np.dtype[Any]
    byte_order: str
    header_offset: int = 0
    compressed: bool = False
    block_shape: tuple[int, int]
    block_bands: int = 1
    grid: Grid
    bands: BandTable
    band_names: tuple[str, ...] = ()
    scaling: Scaling
    nodata: float | int | None = None
    description: str = ""
    sensor: str = ""
    default_bands: tuple[int, ...] = ()
    class_names: tuple[str, ...] = ()
    class_colors: tuple[tuple[int, int, int], ...] = ()
    geolocation: Geolocation | None = None
    companions: tuple[tuple[str, str], ...] = ()
    repairs: tuple[str, ...] = field(default=())
    cache_bytes: int | None = None
    threads: int | None = None
    reader: str = ""
    reader_reason: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, lines, samples."""
        return (self.bands.count, *self.grid.shape)

    @property
    def size_bytes(self) -> int:
        """Size of the data file."""
        return self.stamp.size

    @property
    def is_classification(self) -> bool:
        """Whether the file says that its values are classes."""
        return bool(self.class_names)


class Cube(Protocol):
    """One raster, opened.

    Implementations are frozen dataclasses with a field `header`. They hold no open file, and may be pickled and shared
    by threads.
    """

    @property
    def header(self) -> CubeHeader:
        """What is known without reading pixels."""

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window.

        Parameters
        ----------
        rows, cols, bands
            Slices with step 1 (or none), counted from 0.

        Returns
        -------
        (band, y, x) `header.dtype`, native byte order; not necessarily contiguous

        Raises
        ------
        SceneError
            The file ends early, is damaged, or is no longer the one that was opened.
        """


@runtime_checkable
class DirectCube(Protocol):
    """A cube that reads into memory that is there: nothing is copied, and no new page is touched."""

    def read_into(self, memory: NDArray[np.uint8], rows: slice, cols: slice, bands: slice) -> NDArray[Any]:
        """As `Cube.read`; the window then lies in `memory`, (byte,), which is as large or larger."""


@runtime_checkable
class AnnouncingCube(Protocol):
    """A cube that knows where in its file a window lies, and can have the system fetch it beforehand."""

    def announce(self, rows: slice, cols: slice, bands: slice) -> None:
        """Hint that a window will be read soon. Never fails: the read itself reports what is wrong."""


def with_cache(cube: Cube, size: int, *, threads: int | None = None) -> Cube:
    """The same cube, whose reader keeps so many bytes of the file's own blocks between reads.

    Parameters
    ----------
    threads
        That may decompress a window; by default what suits the machine.
    """
    header = replace(cube.header, cache_bytes=size, threads=threads)
    return cast(Cube, replace(cast(Any, cube), header=header))


def check_window(shape: tuple[int, int, int], bands: slice, rows: slice, cols: slice) -> tuple[range, range, range]:
    """Slices as ranges within the scene.

    Raises
    ------
    IndexError
        A slice has another step than 1.
    """
    ranges = tuple(range(size)[part] for size, part in zip(shape, (bands, rows, cols), strict=True))
    if any(part.step != 1 for part in ranges):
        raise IndexError("a window has no steps: read it, then take every n-th value")
    return ranges[0], ranges[1], ranges[2]


def open_failure(path: str | Path, error: OSError) -> str:
    """The one line that says why a file cannot be opened or read."""
    return f"{path} cannot be read: {error.strerror or error}"


def chunk_shape(header: CubeHeader) -> tuple[int, int]:
    """Rows and columns of the default chunks, all bands deep.

    Full width and about `BLOCK_BYTES` of float32, in whole blocks of the file. Narrower only where one row of the
    file's blocks exceeds `MAX_BLOCK_BYTES`.
    """
    lines, samples = header.grid.shape
    pixel_bytes = 4 * header.bands.count
    block_rows, block_cols = min(header.block_shape[0], lines), min(header.block_shape[1], samples)
    if block_rows * samples * pixel_bytes <= MAX_BLOCK_BYTES:
        rows = BLOCK_BYTES // (samples * pixel_bytes) // block_rows * block_rows
        return min(lines, max(block_rows, rows)), samples
    if block_cols == samples and samples * pixel_bytes <= MAX_BLOCK_BYTES:
        # A strip too high to hold at once: every part of it costs the time of the whole, so the parts are large.
        return max(1, MAX_BLOCK_BYTES // (samples * pixel_bytes)), samples
    cols = MAX_BLOCK_BYTES // (block_rows * pixel_bytes) // block_cols * block_cols
    if cols:
        return block_rows, cols
    rows = max(1, MAX_BLOCK_BYTES // (block_cols * pixel_bytes))
    return min(rows, block_rows), max(1, min(block_cols, MAX_BLOCK_BYTES // pixel_bytes))
