"""GeoTIFF cubes, and other rasters that GDAL reads from a single local file."""

from __future__ import annotations

import math
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.windows import Window

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.grid import Grid, GroundControlPoint
from hsigeo.io.cube import CubeHeader, FileStamp, check_window
from hsigeo.io.gdal_errors import FAILURES, reason
from hsigeo.io.gdal_threads import gdal_threads
from hsigeo.io.georeference import quiet_about_georeference
from hsigeo.io.numerals import parse_number
from hsigeo.io.raster_mask import count_spectral_bands, has_mask, read_mask
from hsigeo.io.scaling import Scaling, guess_scaling, parse_nodata
from hsigeo.io.sidecars import read_categories
from hsigeo.io.wavelengths import make_band_table

__all__ = ["RASTER_DRIVERS", "TIFF_MAGIC", "RasterCube", "open_raster"]

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Formats of one local file. VRT and the like are left out: they may point anywhere, the network included.
RASTER_DRIVERS = ("GTiff", "HFA", "PCIDSK", "RST", "SAGA", "EHdr", "ERS", "JP2OpenJPEG", "PNG", "GPKG", "BMP")

# Else GDAL leaves a file beside each compressed archive that it reads.
_LEAVE_NO_FILES = {"CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO"}

_MIN_CACHE, _MAX_CACHE = 64 << 20, 512 << 20
_HANDLES_PER_THREAD = 2
_INTERLEAVE = {"band": "bsq", "line": "bil", "pixel": "bip"}

Color = tuple[int, int, int]

_handles = threading.local()


@dataclass(frozen=True)
class RasterCube:
    """A raster that GDAL reads. Implements `hsigeo.io.cube.Cube`.

    Parameters
    ----------
    header
        What is known of it.
    gdal_name
        How GDAL opens it, where that is not the path of its data: a member of an archive.
    masked
        Whether it has a mask, besides a number that means "no data". Its values are then real numbers, NaN where
        the mask leaves them out: any whole number may be one of its own.
    """

    header: CubeHeader
    gdal_name: str = ""
    masked: bool = False

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window; see `hsigeo.io.cube.Cube.read`."""
        header = self.header
        ranges = check_window(header.shape, bands, rows, cols)
        values = np.empty([len(part) for part in ranges], dtype=header.dtype)
        self._fill(values, *ranges)
        return values

    def read_into(self, memory: NDArray[np.uint8], rows: slice, cols: slice, bands: slice) -> NDArray[Any]:
        """A window in memory that is there; see `hsigeo.io.cube.DirectCube`."""
        header = self.header
        ranges = check_window(header.shape, bands, rows, cols)
        shape = [len(part) for part in ranges]
        values = memory[: math.prod(shape) * header.dtype.itemsize].view(header.dtype).reshape(shape)
        self._fill(values, *ranges)
        return values

    def _fill(self, values: NDArray[Any], bands: range, rows: range, cols: range) -> None:
        if not values.size:
            return
        header = self.header
        window = Window(cols.start, rows.start, len(cols), len(rows))
        # rasterio takes this number as bytes; GDAL's environment variable of the same name counts megabytes.
        try:
            with rasterio.Env(GDAL_CACHEMAX=_cache_bytes(header), **_LEAVE_NO_FILES):
                dataset = _dataset_of_this_thread(self.gdal_name or header.data_path, header)
                dataset.read([index + 1 for index in bands], window=window, out=values)
                if self.masked:
                    values[:, read_mask(dataset, window)] = np.nan
        except FAILURES as error:
            raise SceneError(f"{header.data_path} cannot be read; it may be damaged: {reason(error)}") from error


def open_raster(path: Path, *, gdal_name: str = "") -> RasterCube:
    """Open a GeoTIFF, or another raster of one local file.

    Parameters
    ----------
    path
        The file; of a raster within an archive, the archive.
    gdal_name
        How GDAL opens a raster within an archive (``/vsizip/…``).

    Raises
    ------
    SceneNotFoundError
        There is no such file.
    SceneError
        It is not a raster that hsigeo reads.
    """
    stamp = FileStamp.of(path)
    try:
        # Each thread that reads opens the file for itself: one GDAL handle used by two threads gives wrong pixels.
        with rasterio.Env(**_LEAVE_NO_FILES), _open_dataset(gdal_name or str(path.absolute())) as dataset:
            notes: list[str] = []
            masked = not gdal_name and has_mask(dataset, path, notes)
            return RasterCube(_describe(dataset, path, stamp, notes, masked=masked), gdal_name, masked)
    except FAILURES as error:
        if gdal_name:
            raise SceneError(f"the image in {path} cannot be opened, download it again: {reason(error)}") from error
        raise SceneError(f"{path} is not a raster that hsigeo reads (ENVI, GeoTIFF): {reason(error)}") from error


def _open_dataset(name: str, **options: Any) -> DatasetReader:
    # rasterio.open takes one driver or all of them, and all of them include ones that follow links to the network.
    with quiet_about_georeference():
        return DatasetReader(name, driver=list(RASTER_DRIVERS), sharing=False, **options)


def _dataset_of_this_thread(name: str, header: CubeHeader) -> Any:
    """A handle only this thread uses, kept open between blocks; the least recently used is closed."""
    handles: OrderedDict[tuple[str, FileStamp], Any] | None = getattr(_handles, "open", None)
    if handles is None:
        handles = _handles.open = OrderedDict()
    key = (name, header.stamp)
    if key not in handles:
        shares = header.compressed and header.format == "GTiff"
        threads = gdal_threads() if header.threads is None else header.threads
        handles[key] = _open_dataset(name, **({"NUM_THREADS": str(threads)} if shares else {}))
        while len(handles) > _HANDLES_PER_THREAD:
            handles.popitem(last=False)[1].close()
    handles.move_to_end(key)
    return handles[key]


def close_datasets() -> None:
    """Close what this thread keeps open, with the blocks that GDAL keeps of it."""
    for dataset in getattr(_handles, "open", {}).values():
        dataset.close()
    _handles.open = OrderedDict()


def _cache_bytes(header: CubeHeader) -> int:
    """Room for one row of the file's blocks, all bands: less, and a block is decompressed several times."""
    if header.cache_bytes is not None:
        return header.cache_bytes
    block_row = header.block_shape[0] * header.grid.samples * header.bands.count * header.dtype.itemsize
    return min(max(_MIN_CACHE, 2 * block_row), _MAX_CACHE)


def _describe(dataset: Any, path: Path, stamp: FileStamp, notes: list[str], *, masked: bool) -> CubeHeader:
    dtype = _check_dtype(dataset, path)
    count = count_spectral_bands(dataset)
    tags = _Tags(dataset, count)
    bands = _read_bands(dataset, tags, notes)
    nodata, note = parse_nodata(dataset.nodata, dtype)
    if note:
        notes.append(note)
    if len({repr(value) for value in dataset.nodatavals}) > 1:
        notes.append("bands declare different nodata values; that of band 1 was used for all")
    names, colors = _read_classes(dataset, path)
    titles = dataset.descriptions[:count]
    return CubeHeader(
        path=str(path),
        data_path=str(path.absolute()),  # whoever reads may run in another folder
        stamp=stamp,
        format=dataset.driver,
        interleave=_INTERLEAVE.get(dataset.interleaving.name if dataset.interleaving else "band", "bsq"),
        dtype=np.promote_types(dtype, np.float32) if masked else dtype,
        byte_order=sys.byteorder,  # GDAL has swapped already
        compressed=dataset.compression is not None,
        block_shape=dataset.block_shapes[0],
        grid=_read_grid(dataset),
        bands=bands,
        band_names=tuple(name or f"Band {index}" for index, name in enumerate(titles, start=1)) if any(titles) else (),
        scaling=Scaling.constant(bands.count) if names or colors else _read_scaling(dataset, tags, bands, notes),
        nodata=nodata,
        description=tags.text("description") or tags.text("tifftag imagedescription"),
        sensor=tags.text("sensor type") or tags.text("sensor"),
        class_names=names,
        class_colors=colors,
        repairs=tuple(notes),
    )


def _check_dtype(dataset: Any, path: Path) -> np.dtype[Any]:
    kinds = sorted(set(dataset.dtypes))
    if len(kinds) > 1:
        raise SceneError(f"{path}: its bands have different types ({', '.join(kinds)}); hsigeo reads bands of one type")
    dtype = np.dtype(kinds[0]) if not kinds[0].startswith("complex") else np.dtype(np.complex64)
    if dtype.kind not in "iuf":
        raise SceneError(f"{path}: its values are {kinds[0]}; hsigeo reads integers and real numbers")
    return dtype


class _Tags:
    """Tags of a dataset and its bands, keys in lower case with blanks for underscores.

    ``gdal_translate`` keeps the fields of an ENVI header in the namespace ``ENVI``; other writers put them among the
    plain tags.
    """

    def __init__(self, dataset: Any, count: int) -> None:
        self._dataset = _normalised(dataset.tags()) | _normalised(dataset.tags(ns="ENVI"))
        indexes = range(1, count + 1)
        self.bands = [_normalised(dataset.tags(index)) for index in indexes]
        self.imagery = [_normalised(dataset.tags(index, ns="IMAGERY")) for index in indexes]

    def text(self, key: str) -> str:
        """A tag of the dataset; empty where it is missing."""
        return self._dataset.get(key, "")

    def numbers(self, key: str) -> list[float]:
        """A tag of the dataset that is a list, ``{ 1, 2 }`` or ``1 2``; empty where it is not one of numbers."""
        parts = re.split(r"[,\s]+", self.text(key).strip("{}[]() \n"))
        return _all_numbers(parts)

    def per_band(self, *keys: str) -> list[float]:
        """A number from each band's own tags, under the first key that all bands have; else empty."""
        for key in keys:
            if values := _all_numbers([tags.get(key, "") for tags in self.bands]):
                return values
        return []


def _normalised(tags: Mapping[str, str]) -> dict[str, str]:
    return {" ".join(key.lower().replace("_", " ").split()): value for key, value in tags.items()}


def _all_numbers(texts: Sequence[str]) -> list[float]:
    numbers = [parse_number(text) for text in texts]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) else []


def _read_bands(dataset: Any, tags: _Tags, notes: list[str]) -> BandTable:
    """The spectral axis: from band tags, else from dataset tags, else from names, else from the IMAGERY namespace."""
    first = tags.bands[0]
    unit = first.get("wavelength units") or first.get("wavelength unit") or tags.text("wavelength units")
    wavelength = tags.per_band("wavelength", "center wavelength", "wavelength nm")
    fwhm = tags.per_band("fwhm", "bandwidth")
    good = tags.per_band("bbl", "good")
    count = len(tags.bands)
    table, found = make_band_table(
        count,
        wavelength=wavelength or tags.numbers("wavelength") or tags.numbers("wavelengths"),
        unit=unit,
        fwhm=fwhm or tags.numbers("fwhm"),
        good=good or tags.numbers("bbl"),
        names=[name or "" for name in dataset.descriptions[:count]],
    )
    if table.wavelength is None and (
        rounded := _all_numbers([t.get("central wavelength um", "") for t in tags.imagery])
    ):
        found.append("the wavelengths were taken from the IMAGERY tags, which GDAL rounds to 1 nm")
        table, more = make_band_table(
            count,
            wavelength=rounded,
            unit="um",
            fwhm=_all_numbers([t.get("fwhm um", "") for t in tags.imagery]),
            good=good or tags.numbers("bbl"),
        )
        found.extend(more)
    notes.extend(found)
    return table


def _read_grid(dataset: Any) -> Grid:
    points, points_crs = dataset.gcps
    crs = points_crs if points else dataset.crs
    return Grid(
        lines=dataset.height,
        samples=dataset.width,
        transform=dataset.transform,
        crs=_earth_bound(crs),
        ground_control_points=tuple(
            GroundControlPoint(row=point.row, col=point.col, x=point.x, y=point.y, z=point.z or 0.0) for point in points
        ),
    )


def _earth_bound(crs: CRS | None) -> str | None:
    """WKT of a CRS that places things on the Earth; `None` for a local plane (``LOCAL_CS``) or none."""
    return crs.to_wkt() if crs and (crs.is_projected or crs.is_geographic) else None


def _read_scaling(dataset: Any, tags: _Tags, bands: BandTable, notes: list[str]) -> Scaling:
    gain = np.array(dataset.scales[: bands.count], dtype=float)
    offset = np.array(dataset.offsets[: bands.count], dtype=float)
    if not ((gain == 1).all() and (offset == 0).all()):
        if np.isfinite(gain).all() and np.isfinite(offset).all() and (gain != 0).all():
            return Scaling(gain=gain, offset=offset)
        notes.append("the scales or offsets of the bands are 0 or not finite and were ignored")
    factor = parse_number(tags.text("reflectance scale factor"))
    if factor is not None and np.isfinite(factor) and factor > 0:
        return Scaling.constant(bands.count, 1 / factor)
    texts = (tags.text("description"), tags.text("tifftag imagedescription"), tags.text("z plot titles"))
    scaling, note = guess_scaling(
        bands.count, np.dtype(dataset.dtypes[0]), texts=texts, has_wavelengths=bands.wavelength is not None
    )
    if note:
        notes.append(note)
    return scaling


def _read_classes(dataset: Any, path: Path) -> tuple[tuple[str, ...], tuple[Color, ...]]:
    """Names (from the ``.aux.xml`` beside it) and colours of a one-band class map, by value from 0 on."""
    if dataset.count != 1 or np.dtype(dataset.dtypes[0]).kind not in "iu":
        return (), ()
    categories = read_categories(path)
    names = [categories[value].name if value in categories else "" for value in range(max(categories, default=-1) + 1)]
    try:
        palette = dataset.colormap(1)
    except ValueError:  # it has none
        palette = {value: category.color for value, category in categories.items() if category.color}
    colors = [palette.get(value, (0, 0, 0))[:3] for value in range(max(palette, default=-1) + 1)]
    while len(colors) > len(names) and colors[-1] == (0, 0, 0):
        colors.pop()  # GDAL fills a palette to 256 entries
    return tuple(names), tuple((int(red), int(green), int(blue)) for red, green, blue in colors)
