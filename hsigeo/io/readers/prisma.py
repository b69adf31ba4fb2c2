"""PRISMA L2D (on a map) and L2C (in sensor geometry): HDF-EOS5 with one cube for each of two spectrometers.

Structure: ASI, PRISMA Products Specification Document (issue 2.3), and the readers of EnMAP-Box
(``importprismal2dalgorithm.py``), prismaread and HyperCoast (``prisma.py``).

- Cubes are (line, band, sample). Wavelengths run downwards; 0 marks a band that was not acquired.
- reflectance = minimum + stored / 65535 · (maximum - minimum), for each cube.
- A pixel whose bands are all 0 lies outside the swath. The error matrices mark values that were invalid in L1 with 1.
- Corner coordinates are those of pixel centres or of outer corners, whichever makes pixels of 30 m.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.cube import CubeHeader, FileStamp
from hsigeo.io.geolocation import PixelPositions
from hsigeo.io.readers.hdf5 import BandPart, Hdf5Cube, Hdf5File, Hdf5Plane, contains, opened
from hsigeo.io.readers.products import describe_cube, mark_overlap, wkt_of
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling
from hsigeo.io.wavelengths import make_band_table

__all__ = ["PrismaCube", "PrismaReader"]

_LARGEST = 65_535
_PIXEL = 30.0
_INVALID = 1
_DETECTORS = ("Vnir", "Swir")


@dataclass(frozen=True)
class PrismaCube:
    """A PRISMA scene: its two cubes as one, and what their error matrices hide. Implements `hsigeo.io.cube.Cube`.

    Parameters
    ----------
    header
        What is known of it; its numbers are float32, NaN where there is no data.
    stored
        The cubes as they lie in the file.
    errors
        The error matrices, band by band like `stored`; `None` where the file has none.
    """

    header: CubeHeader
    stored: Hdf5Cube
    errors: Hdf5Cube | None

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window as float32; see `hsigeo.io.cube.Cube.read`."""
        stored = self.stored.read(rows, cols, bands)
        values = stored.astype(np.float32)
        empty = (stored == 0).all(axis=0)
        if empty.any() and len(stored) < self.header.bands.count:
            # Dark in these bands, or outside the swath? Only all bands together can tell.
            empty &= (self.stored.read(rows, cols) == 0).all(axis=0)
        values[:, empty] = np.nan
        if self.errors is not None:
            values[self.errors.read(rows, cols, bands) == _INVALID] = np.nan
        return values


class PrismaReader:
    """PRISMA L2D, and L2C in sensor geometry."""

    name = "prisma"
    title = "PRISMA L2D and L2C reflectance (HE5)"

    def claim(self, probe: Probe) -> str | None:
        """A swath whose name begins with PRS_L."""
        if not contains(probe, "HDFEOS/SWATHS"):
            return None
        with opened(probe.path) as file:
            level = _level(file)
        return None if level is None else f"it holds the swath PRS_{level}_HCO of PRISMA"

    def open(self, path: Path) -> PrismaCube:
        """Open the scene."""
        stamp = FileStamp.of(path)
        with opened(path) as file:
            level = _level(file)
            if level not in ("L2D", "L2C"):
                raise SceneError(
                    f"{path} is {f'PRISMA {level}' if level else 'no PRISMA product'}; "
                    "hsigeo reads reflectance: L2D (on a map) and L2C"
                )
            return _open(file, level, stamp)


def _level(file: Hdf5File) -> str | None:
    """``L1``, ``L2B``, ``L2C`` or ``L2D``."""
    names = file.names("HDFEOS/SWATHS")
    return next((name.split("_")[1] for name in names if name.startswith("PRS_L") and name.endswith("_HCO")), None)


def _open(file: Hdf5File, level: str, stamp: FileStamp) -> PrismaCube:
    fields = f"HDFEOS/SWATHS/PRS_{level}_HCO/Data Fields"
    cubes = {
        name: file.dataset(f"{fields}/{name.upper()}_Cube", f"PRISMA's {name} cube", ndim=3) for name in _DETECTORS
    }
    lines, _, samples = cubes["Vnir"].shape
    if cubes["Swir"].shape[::2] != (lines, samples):
        raise SceneError(
            f"{file.path}: its VNIR and SWIR cubes have the shapes {cubes['Vnir'].shape} and "
            f"{cubes['Swir'].shape}; the file may be damaged"
        )
    found = {name: _acquired_bands(file, name, cubes[name].shape[1]) for name in _DETECTORS}
    index = {name: tuple(int(band) for band in kept) for name, (kept, _, _) in found.items()}
    wavelength, fwhm = (np.concatenate([part[column] for part in found.values()]) for column in (1, 2))
    good = mark_overlap(wavelength, len(index["Vnir"]))
    table, notes = make_band_table(
        len(wavelength), wavelength=wavelength.tolist(), unit="nm", fwhm=fwhm.tolist(), good=good.astype(float).tolist()
    )
    if not good.all():
        notes.append(f"{int((~good).sum())} VNIR bands that overlap the SWIR spectrometer were marked bad")
    limits = [_limits(file, name) for name in _DETECTORS for _ in index[name]]
    grid, positions = _place(file, level, (lines, samples), stamp)
    header = describe_cube(
        file,
        stamp,
        cubes["Vnir"],
        axes="ybx",
        grid=grid,
        bands=table,
        scaling=Scaling(
            gain=np.array([(high - low) / _LARGEST for low, high in limits]),
            offset=np.array([low for low, _ in limits]),
        ),
        description=file.text("/", "Product_Name") or f"PRISMA {level}",
        sensor="PRISMA",
        geolocation=positions,
        repairs=tuple(notes),
    )
    stored = Hdf5Cube(header, _parts(fields, "_Cube", index))
    has_errors = all(f"{fields}/{name.upper()}_PIXEL_L2_ERR_MATRIX" in file for name in _DETECTORS)
    errors = Hdf5Cube(_as(header, np.uint8), _parts(fields, "_PIXEL_L2_ERR_MATRIX", index)) if has_errors else None
    return PrismaCube(_as(header, np.float32), stored, errors)


def _parts(fields: str, suffix: str, index: dict[str, tuple[int, ...]]) -> tuple[BandPart, ...]:
    return tuple(
        BandPart(dataset=f"{fields}/{name.upper()}{suffix}", axes="ybx", bands=bands) for name, bands in index.items()
    )


def _as(header: CubeHeader, dtype: type[np.generic]) -> CubeHeader:
    return replace(header, dtype=np.dtype(dtype))


def _acquired_bands(file: Hdf5File, name: str, count: int) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[Any]]:
    """Which bands of a cube were acquired, by rising wavelength; their wavelengths and widths in nm."""
    lists = {key: file.numbers("/", f"List_{key}_{name}") for key in ("Cw", "Fwhm")}
    flags = file.numbers("/", f"List_Cw_{name}_Flags")
    for key, values in lists.items():
        if values is None or values.shape != (count,):
            size = "no" if values is None else f"{values.size} values in"
            raise SceneError(f"{file.path} has {size} List_{key}_{name} for the {count} bands of its {name} cube")
    wavelength, fwhm = lists["Cw"], lists["Fwhm"]
    acquired = np.asarray(wavelength) > 0
    if flags is not None and flags.shape == (count,):
        acquired &= flags > 0
    kept = np.flatnonzero(acquired)
    kept = kept[np.argsort(np.asarray(wavelength)[kept], kind="stable")]
    return kept, np.asarray(wavelength)[kept], np.asarray(fwhm)[kept]


def _limits(file: Hdf5File, name: str) -> tuple[float, float]:
    """Reflectance of the smallest and the largest stored number."""
    low, high = (file.number("/", f"L2Scale{name}{end}") for end in ("Min", "Max"))
    if low is None or high is None or not high > low:
        raise SceneError(f"{file.path}: L2Scale{name}Min and Max are {low} and {high}, so its values cannot be scaled")
    return low, high


def _place(file: Hdf5File, level: str, shape: tuple[int, int], stamp: FileStamp) -> tuple[Grid, PixelPositions | None]:
    if level == "L2C":
        group = f"HDFEOS/SWATHS/PRS_{level}_HCO/Geolocation Fields"
        lon, lat = (Hdf5Plane.of(file, f"{group}/{name}", "positions", stamp) for name in ("Longitude", "Latitude"))
        wgs84 = CRS.from_epsg(4326).to_wkt()
        return Grid(lines=shape[0], samples=shape[1]), PixelPositions(x=lon, y=lat, crs=wgs84, where=str(file.path))
    epsg = file.number("/", "Epsg_Code")
    names = [f"Product_{corner}corner_{axis}" for corner in ("UL", "LR") for axis in ("easting", "northing")]
    corners = [file.number("/", name) for name in names]
    if epsg is None or None in corners:
        missing = [name for name, value in zip(["Epsg_Code", *names], [epsg, *corners], strict=True) if value is None]
        raise SceneError(f"{file.path} has no georeference: {', '.join(missing)} missing")
    left, top, right, bottom = (float(value) for value in corners if value is not None)
    x, width = _outer(left, right, shape[1])
    y, height = _outer(-top, -bottom, shape[0])
    grid = Grid(
        lines=shape[0],
        samples=shape[1],
        transform=Affine(width, 0, x, 0, -height, -y),
        crs=wkt_of(f"EPSG:{epsg:.0f}", where=str(file.path)),
    )
    return grid, None


def _outer(first: float, last: float, count: int) -> tuple[float, float]:
    """Outer corner and pixel size along an axis, from two corner coordinates.

    Readers disagree on whether these are centres or outer corners; only one of the two makes pixels of 30 m.
    """
    between_centres = (last - first) / (count - 1) if count > 1 else _PIXEL
    whole = (last - first) / count
    if abs(whole - _PIXEL) < abs(between_centres - _PIXEL):
        return first, whole
    return first - between_centres / 2, between_centres
