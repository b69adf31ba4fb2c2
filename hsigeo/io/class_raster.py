"""Rasters whose values are class ids: the maps hsigeo writes, and label rasters of any other program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from hsigeo.classes import MAX_CLASSES, ClassEntry, ClassTable, make_palette
from hsigeo.errors import HsigeoError, LabelError
from hsigeo.grid import Grid
from hsigeo.io.envi.header import EnviHeader, read_header
from hsigeo.io.envi.reader import find_files, open_described
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import grid_of_dataset, open_quietly
from hsigeo.io.map_tag import TAG, read_tag
from hsigeo.io.raster_mask import has_mask, read_mask
from hsigeo.io.sidecars import Category, read_categories
from hsigeo.io.text_encoding import NAME_IT

__all__ = ["ClassRaster", "GdalValues", "open_class_raster", "open_map"]

# How the formats begin that hold their own pixels. GDAL is told which to use: left to itself it would also open a VRT,
# which can name any other file or address.
_MAGIC = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"EHFA_HEADER_TAG": "HFA",
    b"\x89PNG\r\n": "PNG",
}
_STRIP_PIXELS = 1 << 20
_PIECE_PIXELS, _PIECE_COLUMNS = 1 << 24, 1 << 10

Ids = NDArray[np.int32]


class _Values(Protocol):
    """Where the numbers come from: our ENVI reader, or GDAL."""

    def read(self, rows: slice, cols: slice) -> NDArray[Any]: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassRaster:
    """A raster of class ids, opened: its classes are known, its pixels are not in memory.

    Parameters
    ----------
    path
        The file, as given.
    grid
        Size and georeference.
    classes
        The classes the file names, and those it holds without a name.
    metadata
        What `hsigeo.write_map` stored about the map's origin; empty for other files.
    nodata
        A value that means "no class" besides 0; `None` where there is none.
    block_rows
        Rows of the file's own blocks.
    values
        Where the stored numbers come from.
    """

    path: str
    grid: Grid
    classes: ClassTable
    metadata: Mapping[str, Any] = field(default_factory=dict)
    nodata: float | None
    block_rows: int
    values: _Values

    def read(self, rows: slice, cols: slice = slice(None)) -> Ids:
        """Class ids of a window, 0 where there is no class.

        Returns
        -------
        (y, x) int32

        Raises
        ------
        LabelError
            A value is no class id, or the file cannot be read.
        """
        return _to_ids(self.values.read(rows, cols), self.nodata, where=self.path)

    @property
    def _strip_rows(self) -> int:
        """Rows of a few MB. Whole blocks: GDAL decompresses all of a block for one row of it."""
        height = max(1, _STRIP_PIXELS // self.grid.samples)
        return max(height // self.block_rows, 1) * self.block_rows

    def windows(self) -> Iterator[Ids]:
        """All pixels, a few MB at a time: as the strips, and of very wide rasters in pieces of them."""
        height = self._strip_rows
        width = max(_PIECE_COLUMNS, _PIECE_PIXELS // height // _PIECE_COLUMNS * _PIECE_COLUMNS)
        for top in range(0, self.grid.lines, height):
            for left in range(0, self.grid.samples, width):
                yield self.read(
                    slice(top, min(top + height, self.grid.lines)), slice(left, min(left + width, self.grid.samples))
                )

    def strips(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, Ids]]:
        """The rows from `first` to before `stop`, a few MB at a time: (row of the first line, ids)."""
        stop = self.grid.lines if stop is None else stop
        height = self._strip_rows
        start = first
        while start < stop:
            end = min((start // height + 1) * height, stop)
            yield start, self.read(slice(start, end))
            start = end


def open_map(path: str | Path) -> ClassRaster:
    """Open a class map: one that `hsigeo.write_map` wrote, or any raster of class ids.

    Class names come from the map's own tag; for foreign maps from ``.aux.xml``, the colour table or an ENVI
    header, and else from the ids.

    Raises
    ------
    LabelError
        There is no such file, or it is no class map.
    """
    return open_class_raster(str(path), what="a class map")


def open_class_raster(path: str, *, what: str = "a label raster", encoding: str | None = None) -> ClassRaster:
    """Open a GeoTIFF, ENVI or ERDAS raster of class ids.

    Parameters
    ----------
    path
        The raster; for ENVI the header or the data file.
    what
        What the user meant it to be, for messages.
    encoding
        Of the names in an ENVI header that is not UTF-8.

    Raises
    ------
    LabelError
        There is no such file, it holds no class ids, or what it calls them cannot be read with certainty.
    """
    if Path(path).is_dir():
        raise LabelError(f"{path} is a folder; give {what}")
    if not Path(path).is_file():
        raise LabelError(f"{path} does not exist; give {what}")
    if _is_envi(path):
        raster, categories = _open_envi(path, what, encoding)
    elif encoding is not None:
        raise LabelError(f"{path} says itself which encoding its names are in; leave out --encoding")
    else:
        raster, categories = _open_gdal(path, what)
    return raster if categories is None else _with_classes(raster, categories)


@dataclass(frozen=True)
class GdalValues:
    """Pixels that GDAL reads; the file is opened for each read."""

    path: str
    driver: str
    masked: bool = False

    def read(self, rows: slice, cols: slice) -> NDArray[Any]:
        """Stored values of a window, 0 where a mask leaves them out."""
        try:
            with open_quietly(self.path, driver=self.driver) as dataset:
                first, stop, _ = rows.indices(dataset.height)
                left, right, _ = cols.indices(dataset.width)
                window = Window(left, first, right - left, stop - first)
                values: NDArray[Any] = dataset.read(1, window=window)
                if self.masked:
                    values[read_mask(dataset, window)] = 0
                return values
        except GDAL_ERRORS as error:
            raise LabelError(f"{self.path} cannot be read: {reason(error)}") from error


def _open_gdal(path: str, what: str) -> tuple[ClassRaster, dict[int, Category] | None]:
    """The raster, and what its values are called; `None` where its own tag says all."""
    driver = _sniff_driver(path, what)
    try:
        with open_quietly(path, driver=driver) as dataset:
            if dataset.count != 1:
                raise LabelError(f"{path} has {dataset.count} bands; {what} has one, with a class id in every pixel")
            if dataset.dtypes[0].startswith("complex"):
                raise LabelError(f"{path} holds complex numbers; {what} holds whole numbers")
            stored = read_tag(dataset.tags().get(TAG))
            categories = None if stored else _categories_of(dataset, path)
            raster = ClassRaster(
                path=path,
                grid=grid_of_dataset(dataset),
                classes=stored[0] if stored else ClassTable(()),
                metadata=stored[1] if stored else {},
                nodata=dataset.nodata,
                block_rows=int(dataset.block_shapes[0][0]),
                values=GdalValues(path, driver, masked=has_mask(dataset, Path(path), [])),
            )
    except GDAL_ERRORS as error:
        raise LabelError(f"{path} cannot be read as {what}: {reason(error)}") from error
    return raster, categories


def _categories_of(dataset: Any, path: str) -> dict[int, Category]:
    """Names from ``.aux.xml``; colours from there, else from the colour table."""
    categories = read_categories(Path(path))
    if dataset.colorinterp[0] == ColorInterp.palette:
        for number, (red, green, blue, _) in dataset.colormap(1).items():
            known = categories.get(number, Category(name=""))
            categories[number] = Category(name=known.name, color=known.color or (red, green, blue))
    return categories


def _sniff_driver(path: str, what: str) -> str:
    try:
        with Path(path).open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from error
    for magic, driver in _MAGIC.items():
        if start.startswith(magic):
            return driver
    raise LabelError(f"{path} is neither GeoTIFF, ENVI (with its header beside it), ERDAS Imagine nor PNG; give {what}")


@dataclass(frozen=True)
class _EnviValues:
    cube: Any

    def read(self, rows: slice, cols: slice) -> NDArray[Any]:
        values: NDArray[Any] = self.cube.read(rows, cols, slice(0, 1))[0]
        return values


def _is_envi(path: str) -> bool:
    given = Path(path)
    if given.suffix.casefold() == ".hdr":
        return True
    beside = (given.with_name(given.name + ".hdr"), given.with_suffix(".hdr"))
    return given.suffix.casefold() not in (".tif", ".tiff", ".png") and any(header.is_file() for header in beside)


def _open_envi(path: str, what: str, encoding: str | None) -> tuple[ClassRaster, dict[int, Category] | None]:
    try:
        header_path, data_path = find_files(Path(path))
        text = read_header(header_path, encoding=encoding)
        _check_names(text)
        cube = open_described(text, Path(path), data_path=data_path)
    except HsigeoError as error:
        raise LabelError(str(error)) from error
    header = cube.header
    if header.bands.count != 1:
        raise LabelError(f"{path} has {header.bands.count} bands; {what} has one, with a class id for each pixel")
    colors = dict(enumerate(header.class_colors))
    categories = {
        number: Category(name=name, color=colors.get(number)) for number, name in enumerate(header.class_names)
    }
    raster = ClassRaster(
        path=path,
        grid=header.grid,
        classes=ClassTable(()),
        nodata=header.nodata,
        block_rows=header.block_shape[0],
        values=_EnviValues(cube),
    )
    return raster, categories or read_categories(Path(header.data_path))


def _check_names(header: EnviHeader) -> None:
    """Latin-1 is good enough for a description, but not for what classes are called."""
    if header.guessed_text and not header.text("class names").isascii():
        raise LabelError(
            f"{header.where('class names')}: the class names are not UTF-8 text; {NAME_IT}, or save the header as UTF-8"
        )


def _to_ids(values: NDArray[Any], nodata: float | None, *, where: str) -> Ids:
    """0 and below, NaN and nodata are "no class"; anything that is no id up to 65535 is an error."""
    if not values.any():  # most of a label raster is empty
        return np.zeros(values.shape, dtype=np.int32)
    unlabelled = ~(values > 0)  # NaN compares false
    if nodata is not None and not np.isnan(nodata):
        unlabelled |= values == nodata
    kept = np.where(unlabelled, values.dtype.type(0), values)
    if kept.size and kept.max() > MAX_CLASSES:
        raise LabelError(f"{where} holds the value {kept.max()}; class ids go from 1 to {MAX_CLASSES}")
    ids: Ids = kept.astype(np.int32)
    if values.dtype.kind == "f" and not np.array_equal(ids, kept):
        odd = kept[ids != kept][0]
        raise LabelError(f"{where} holds the value {odd}; class ids are whole numbers")
    return ids


def _with_classes(raster: ClassRaster, categories: Mapping[int, Category]) -> ClassRaster:
    """The same raster with a class table of what it names and what it holds."""
    counts = np.zeros(MAX_CLASSES + 1, dtype=np.int64)
    for ids in raster.windows():
        if ids.any():
            counts += np.bincount(ids.ravel(), minlength=len(counts))
    present = set(np.flatnonzero(counts[1:]) + 1)
    named = {number for number, category in categories.items() if category.name and number != raster.nodata}
    numbers = sorted(int(number) for number in (present | named) - {0})
    entries: list[ClassEntry] = []
    taken: set[str] = set()
    for number, fallback in zip(numbers, make_palette(len(numbers)), strict=True):
        category = categories.get(number, Category(name=""))
        name = category.name or str(number)
        # Two values may share a name in the file; a class table has each name once.
        name = f"{name} ({number})" if name in taken else name
        taken.add(name)
        # Black is what tables hold where nobody chose a colour.
        color = fallback if category.color is None or category.color == (0, 0, 0) else category.color
        entries.append(ClassEntry(id=number, name=name, color=color))
    return ClassRaster(
        path=raster.path,
        grid=raster.grid,
        classes=ClassTable(tuple(entries)),
        nodata=raster.nodata,
        block_rows=raster.block_rows,
        values=raster.values,
    )
