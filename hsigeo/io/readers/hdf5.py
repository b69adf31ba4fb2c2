"""HDF5 (and NetCDF-4, which is HDF5): what lies in a file, and windows of cubes and planes in it.

The strategy here: h5py lets one thread at a time into the HDF5 library whatever we do, so a process keeps each file
open once, under a lock of our own, with room in HDF5's cache for one row of chunks: strips that are not aligned to
chunks then decompress no chunk twice. Nothing that a cube holds is open, so cubes can be pickled.

HDF5 can point out of a file (external links, external storage, virtual datasets). Such pointers are refused: a scene
from a stranger must not read other files.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.cube import CubeHeader, FileStamp, check_window
from hsigeo.io.readers.protocol import Probe

__all__ = [
    "MAX_BANDS",
    "BandPart",
    "Hdf5Cube",
    "Hdf5File",
    "Hdf5Plane",
    "contains",
    "explain",
    "import_h5py",
    "opened",
]

MAX_BANDS = 65_535
_MAX_LISTED = 12
_OPEN_FILES = 4
_MIN_CACHE, _MAX_CACHE = 1 << 20, 256 << 20

# What h5py raises: OSError where a file or block is damaged, KeyError where an object is missing, RuntimeError and
# ValueError where the structure of the file is broken.
HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError)

_lock = threading.RLock()
_files: OrderedDict[tuple[str, FileStamp, int], Any] = OrderedDict()


def import_h5py() -> ModuleType:
    """h5py, which is an extra.

    Raises
    ------
    SceneError
        It is not installed; the message says what to install.
    """
    try:
        import h5py
    except ImportError as error:
        raise SceneError("HDF5 and NetCDF-4 scenes need h5py: pip install 'hsigeo[sensors]'") from error
    module: ModuleType = h5py
    return module


class Hdf5File:
    """An open file, as readers look at it: every question has an answer or an error of one line.

    Parameters
    ----------
    path
        The file, for messages.
    handle
        What h5py opened.
    """

    def __init__(self, path: Path, handle: Any) -> None:
        self.path = path
        self._handle = handle

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def _find(self, name: str) -> Any:
        """The object of this name; `None` where it is not there, or where it points out of the file."""
        h5py = import_h5py()
        found = self._handle
        try:
            for part in name.strip("/").split("/"):
                if not isinstance(found, h5py.Group) or part not in found:
                    return None
                if isinstance(found.get(part, getlink=True), h5py.ExternalLink):
                    return None
                found = found[part]
        except HDF5_ERRORS:
            return None
        return found

    def names(self, group: str = "/") -> list[str]:
        """What lies in a group; nothing where there is no such group, or it is damaged."""
        found = self._handle if group == "/" else self._find(group)
        try:
            return list(found) if hasattr(found, "keys") else []
        except HDF5_ERRORS:
            return []

    def dataset(self, name: str, what: str, *, ndim: int | None = None) -> Any:
        """A dataset of numbers.

        Parameters
        ----------
        name
            Its path in the file.
        what
            What the product calls it, for messages.
        ndim
            How many axes it must have.

        Raises
        ------
        SceneError
            It is not there, has other axes, or its values lie in another file.
        """
        found = self._find(name)
        if found is None or not hasattr(found, "dtype"):
            raise SceneError(f"{self.path} has no dataset {name}, where {what} should be{self._listing(name)}")
        if found.external or found.is_virtual:
            raise SceneError(
                f"{self.path}: {name} keeps its values in other files; hsigeo reads only self-contained files"
            )
        if ndim is not None and (found.ndim != ndim or 0 in found.shape):
            raise SceneError(f"{self.path}: {name} has the shape {found.shape}; {what} needs {ndim} axes")
        return found

    def values(self, name: str, what: str, *, most: int = MAX_BANDS) -> NDArray[Any]:
        """All values of a short dataset, as one row.

        Raises
        ------
        SceneError
            It is not there, is longer than `most`, or cannot be read.
        """
        found = self.dataset(name, what)
        if found.size > most:
            raise SceneError(f"{self.path}: {name} has {found.size} values; {what} has at most {most}")
        try:
            return np.asarray(found[()]).reshape(-1)
        except HDF5_ERRORS as error:
            raise SceneError(f"{self.path}: {name} cannot be read, the file may be damaged: {_line(error)}") from error

    def attribute(self, name: str, key: str) -> Any:
        """An attribute of an object (``/`` is the file itself), bytes decoded; `None` where it has none."""
        found = self._handle if name == "/" else self._find(name)
        try:
            value = None if found is None else found.attrs.get(key)
        except HDF5_ERRORS:
            return None
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(-1)[0]
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")  # how h5py hands on what is no UTF-8
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def text(self, name: str, key: str) -> str:
        """An attribute that is text; empty where it is missing or something else."""
        value = self.attribute(name, key)
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str, key: str) -> float | None:
        """An attribute that is a number, or text of one; `None` where it is missing or something else."""
        value = self.attribute(name, key)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        return number if math.isfinite(number) else None

    def numbers(self, name: str, key: str) -> NDArray[np.float64] | None:
        """An attribute that is a list of numbers; `None` where it is missing or something else."""
        value = self.attribute(name, key)
        if value is None or np.size(value) > MAX_BANDS:
            return None
        try:
            return np.asarray(value, dtype=np.float64).reshape(-1)
        except (TypeError, ValueError):
            return None

    def _listing(self, name: str) -> str:
        """What lies beside it, for messages."""
        group = name.strip("/").rpartition("/")[0]
        there = self.names(group or "/")
        if not there:
            return f": there is no group /{group}" if group else ""
        shown = ", ".join(there[:_MAX_LISTED]) + (", …" if len(there) > _MAX_LISTED else "")
        return f"; {'/' + group if group else 'it'} holds {shown}"


@contextmanager
def opened(path: Path) -> Iterator[Hdf5File]:
    """A file, open while the block runs, and only this thread in it.

    Raises
    ------
    SceneError
        h5py is not installed, or the file is cut short or no HDF5.
    """
    with _lock, _open(path, _MIN_CACHE) as handle:
        yield Hdf5File(path, handle)


@contextmanager
def _kept_open(path: Path, stamp: FileStamp, cache: int = _MIN_CACHE) -> Iterator[Hdf5File]:
    """The same, but the file stays open for the next block; the least recently used is closed."""
    key = (str(path.absolute()), stamp, cache)
    with _lock:
        if key not in _files:
            if FileStamp.of(path) != stamp:
                raise SceneError(f"{path} has changed since it was opened; start again")
            _files[key] = _open(path, cache)
            while len(_files) > _OPEN_FILES:
                _files.popitem(last=False)[1].close()
        _files.move_to_end(key)
        yield Hdf5File(path, _files[key])


def _open(path: Path, cache: int) -> Any:
    try:
        return import_h5py().File(path, "r", rdcc_nbytes=cache, rdcc_w0=1.0)
    except OSError as error:
        raise SceneError(_open_failure(path, error)) from error


def contains(probe: Probe, *names: str) -> bool:
    """Whether a file is HDF5 and holds all of these; also `False` where h5py is missing or the file is damaged."""
    if not probe.is_hdf5:
        return False
    try:
        with opened(probe.path) as file:
            return all(name in file for name in names)
    except SceneError:
        return False


def explain(path: Path) -> str:
    """Why no reader claims an HDF5 file, as one line."""
    try:
        with opened(path) as file:
            there = ", ".join(file.names()[:_MAX_LISTED]) or "nothing"
    except SceneError as error:
        return str(error)
    return (
        f"{path} is an HDF5 or NetCDF-4 file of no product that hsigeo knows (it holds {there}); write its reflectance "
        "as ENVI or GeoTIFF, or see docs/products.md for the products it reads"
    )


@dataclass(frozen=True, kw_only=True)
class BandPart:
    """Bands of a scene that lie in one dataset.

    Parameters
    ----------
    dataset
        Its path in the file.
    axes
        The order of its axes: ``byx``, ``yxb`` or ``ybx``.
    bands
        Which of its bands (from 0), in the order of the scene.
    """

    dataset: str
    axes: str
    bands: tuple[int, ...]

    def read(self, file: Hdf5File, rows: range, cols: range, bands: range) -> NDArray[Any]:
        """(band, y, x) of a window; `bands` counts within this part."""
        wanted = np.asarray(self.bands, dtype=np.intp)[bands.start : bands.stop]
        low, high = int(wanted.min()), int(wanted.max()) + 1
        span = {"y": slice(rows.start, rows.stop), "x": slice(cols.start, cols.stop), "b": slice(low, high)}
        stored = file.dataset(self.dataset, "the cube")[tuple(span[axis] for axis in self.axes)]
        values: NDArray[Any] = stored.transpose([self.axes.index(axis) for axis in "byx"])
        picked = wanted - low
        return values if np.array_equal(picked, np.arange(len(values))) else values[picked]


@dataclass(frozen=True)
class Hdf5Cube:
    """A scene in an HDF5 file. Implements `hsigeo.io.cube.Cube`.

    Parameters
    ----------
    header
        What is known of it. `header.dtype` holds the values of all parts.
    parts
        Where its bands lie, in the order of the scene.
    no_data_where
        Planes (y, x) of the file; where one of them is not 0, a pixel has no data. `header.nodata` must be given then.
    """

    header: CubeHeader
    parts: tuple[BandPart, ...]
    no_data_where: tuple[str, ...] = ()

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window; see `hsigeo.io.cube.Cube.read`."""
        header = self.header
        band_range, row_range, col_range = check_window(header.shape, bands, rows, cols)
        shape = (len(band_range), len(row_range), len(col_range))
        if 0 in shape:
            return np.empty(shape, dtype=header.dtype)
        path = Path(header.data_path)
        try:
            with _kept_open(path, header.stamp, _cache_bytes(header)) as file:
                values = self._read_parts(file, row_range, col_range, band_range)
                for name in self.no_data_where:
                    window = (slice(row_range.start, row_range.stop), slice(col_range.start, col_range.stop))
                    hidden = file.dataset(name, "a mask")[window] != 0
                    if hidden.any():
                        values = values if values.flags.writeable else values.copy()
                        values[:, hidden] = header.nodata
        except HDF5_ERRORS as error:
            if isinstance(error, SceneError):
                raise
            raise SceneError(f"{path} cannot be read; it may be damaged: {_line(error)}") from error
        return values

    def _read_parts(self, file: Hdf5File, rows: range, cols: range, bands: range) -> NDArray[Any]:
        found = []
        first = 0
        for part in self.parts:
            start, stop = max(bands.start - first, 0), min(bands.stop - first, len(part.bands))
            if start < stop:
                found.append(part.read(file, rows, cols, range(start, stop)))
            first += len(part.bands)
        values = found[0] if len(found) == 1 else np.concatenate(found)
        return values.astype(self.header.dtype, copy=False)


@dataclass(frozen=True, kw_only=True)
class Hdf5Plane:
    """A dataset (y, x) of a file, as `hsigeo.io.geolocation.Plane`."""

    path: str
    stamp: FileStamp
    dataset: str
    shape: tuple[int, int]

    @classmethod
    def of(cls, file: Hdf5File, name: str, what: str, stamp: FileStamp) -> Hdf5Plane:
        """The plane of this name.

        Raises
        ------
        SceneError
            There is none.
        """
        found = file.dataset(name, what, ndim=2)
        return cls(path=str(file.path.absolute()), stamp=stamp, dataset=name, shape=found.shape)

    def read(self, rows: slice, cols: slice) -> NDArray[Any]:
        """Values of a window."""
        try:
            with _kept_open(Path(self.path), self.stamp) as file:
                values: NDArray[Any] = file.dataset(self.dataset, "a plane")[rows, cols]
        except HDF5_ERRORS as error:
            if isinstance(error, SceneError):
                raise
            raise SceneError(f"{self.path} cannot be read; it may be damaged: {_line(error)}") from error
        return values


def _cache_bytes(header: CubeHeader) -> int:
    if header.cache_bytes is not None:
        return header.cache_bytes
    row_of_chunks = header.block_shape[0] * header.grid.samples * header.bands.count * header.dtype.itemsize
    return min(max(_MIN_CACHE, row_of_chunks + row_of_chunks // 4), _MAX_CACHE)


def _open_failure(path: Path, error: OSError) -> str:
    text = _line(error)
    if "truncated" in text or "eof" in text.lower():
        return f"{path} is truncated: download it again ({text})"
    return f"{path} cannot be opened as HDF5: {text}"


def _line(error: BaseException) -> str:
    lines = str(error).strip("'\"").splitlines()
    return f"{lines[0]:.200}" if lines else type(error).__name__
