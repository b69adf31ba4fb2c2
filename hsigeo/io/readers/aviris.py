"""AVIRIS-3 and AVIRIS-5 (and AVIRIS-NG in the same form) L2A reflectance: NetCDF-4, on a map or in sensor geometry.

Structure: the files as JPL and ORNL DAAC deliver them since 2023 (``AV3…_L2A_OE_…_RFL_ORT.nc``); emit-sds/SpectralUtil
``spec_io.py`` and EnSpec/hytools ``netcdf.py`` read the same groups.

- ``/reflectance/reflectance`` (wavelength, northing, easting), ``/reflectance/wavelength`` and ``fwhm`` in nm.
- On a map: ``/easting`` and ``/northing`` of pixel centres, and a grid mapping (``/transverse_mercator`` or
  ``/projection``) with ``spatial_ref`` and ``GeoTransform``.
- In sensor geometry: ``/geolocation_lookup_table`` with ``sample`` and ``line``, counted from 1, in the file or in the
  OBS file of the flight line; or ``/lon`` and ``/lat``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.cube import FileStamp
from hsigeo.io.geolocation import Geolocation, LookupTable, PixelPositions
from hsigeo.io.readers.flight_line import flight_line_of
from hsigeo.io.readers.hdf5 import BandPart, Hdf5Cube, Hdf5File, Hdf5Plane, contains, opened
from hsigeo.io.readers.products import describe_cube, fill_value, require_bands, wkt_of
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling
from hsigeo.io.wavelengths import make_band_table

__all__ = ["AvirisReader"]

_CUBE = "reflectance/reflectance"
_TABLE = "geolocation_lookup_table"
_MAPPINGS = ("transverse_mercator", "projection", "crs", "spatial_ref")
_MAX_SIBLINGS = 100_000


class AvirisReader:
    """AVIRIS-3, -5 and -NG NetCDF."""

    name = "aviris"
    title = "AVIRIS-3, AVIRIS-5 and AVIRIS-NG L2A reflectance (NetCDF), on a map or in sensor geometry"

    def claim(self, probe: Probe) -> str | None:
        """The group of the reflectance, or that of the radiance of the same line."""
        if contains(probe, _CUBE, "reflectance/wavelength"):
            return "it holds /reflectance/reflectance and its wavelength, as AVIRIS-3 files do"
        if contains(probe, "radiance/radiance", "radiance/wavelength"):
            return "it holds /radiance/radiance, as AVIRIS-3 files do"
        return None

    def open(self, path: Path) -> Hdf5Cube:
        """Open a flight line."""
        stamp = FileStamp.of(path)
        with opened(path) as file:
            return _open(file, stamp)


def _open(file: Hdf5File, stamp: FileStamp) -> Hdf5Cube:
    if _CUBE not in file and "radiance/radiance" in file:
        raise SceneError(
            f"{file.path} holds AVIRIS radiance (L1B), not reflectance; give the file …_L2A_…_RFL… of the line"
        )
    cube = file.dataset(_CUBE, "AVIRIS reflectance", ndim=3)
    bands, lines, samples = cube.shape
    group = "reflectance"
    wavelength = require_bands(file, f"{group}/wavelength", bands)
    unit = file.text(f"{group}/wavelength", "units") or file.text(f"{group}/wavelength", "unit") or "nm"
    good = next((name for name in ("good_wavelength", "good_wavelengths", "bbl") if f"{group}/{name}" in file), None)
    table, notes = make_band_table(
        bands,
        wavelength=wavelength.tolist(),
        unit=unit,
        fwhm=require_bands(file, f"{group}/fwhm", bands).tolist() if f"{group}/fwhm" in file else (),
        good=() if good is None else file.values(f"{group}/{good}", "the list of good bands").tolist(),
    )
    grid = _map_grid(file, (lines, samples), notes)
    geolocation = None if grid.has_transform else _geolocation(file, (lines, samples), stamp, notes)
    header = describe_cube(
        file,
        stamp,
        cube,
        axes="byx",
        format="NetCDF-4",
        grid=grid,
        bands=table,
        scaling=Scaling.constant(bands),
        nodata=fill_value(file, _CUBE, cube, -9999.0),
        description=file.text("/", "title"),
        sensor=file.text("/", "sensor") or file.text("/", "instrument") or "AVIRIS",
        geolocation=geolocation,
        repairs=tuple(notes),
    )
    return Hdf5Cube(header, (BandPart(dataset=_CUBE, axes="byx", bands=tuple(range(bands))),))


def _map_grid(file: Hdf5File, shape: tuple[int, int], notes: list[str]) -> Grid:
    """The grid of an orthorectified file: by its coordinates, else by its GeoTransform; else one without a place."""
    unplaced = Grid(lines=shape[0], samples=shape[1])
    for prefix in ("", "reflectance/"):
        if f"{prefix}easting" in file and f"{prefix}northing" in file:
            x = np.asarray(file.values(f"{prefix}easting", "eastings", most=1 << 24), dtype=np.float64)
            y = np.asarray(file.values(f"{prefix}northing", "northings", most=1 << 24), dtype=np.float64)
            if (len(y), len(x)) == shape:
                mapping, crs = _mapping(file)
                return Grid(lines=shape[0], samples=shape[1], transform=_transform(x, y, mapping, notes), crs=crs)
    return unplaced


def _mapping(file: Hdf5File) -> tuple[Affine | None, str | None]:
    """The transform and CRS of the grid mapping; each `None` where the file does not state it."""
    for name in _MAPPINGS:
        if name not in file:
            continue
        text = file.text(name, "spatial_ref") or file.text(name, "crs_wkt")
        terms = file.text(name, "GeoTransform").split()
        try:
            transform = Affine.from_gdal(*(float(term) for term in terms)) if len(terms) == 6 else None
        except ValueError:
            transform = None
        return transform, wkt_of(text, where=f"{file.path}, {name}") if text else None
    return None, None


def _transform(x: NDArray[np.float64], y: NDArray[np.float64], stated: Affine | None, notes: list[str]) -> Affine:
    """From pixel centres; the stated transform where the two agree, which is exact."""
    dx = (x[-1] - x[0]) / (len(x) - 1) if len(x) > 1 else (stated.a if stated is not None else 1.0)
    dy = (y[-1] - y[0]) / (len(y) - 1) if len(y) > 1 else (stated.e if stated is not None else -1.0)
    rebuilt = Affine(dx, 0, x[0] - dx / 2, 0, dy, y[0] - dy / 2)
    if stated is None:
        return rebuilt
    if rebuilt.almost_equals(stated, 1e-2 * max(abs(dx), abs(dy))):
        return stated
    notes.append("GeoTransform and the coordinates of the pixels disagree; the coordinates were used")
    return rebuilt


def _geolocation(file: Hdf5File, shape: tuple[int, int], stamp: FileStamp, notes: list[str]) -> Geolocation | None:
    """What places a scene in sensor geometry: in the file itself, else in the OBS file of the flight line."""
    if (found := _placed_by(file, shape, stamp)) is not None:
        return found
    for sibling in _observations(file.path):
        try:
            with opened(sibling) as other:
                if (found := _placed_by(other, shape, FileStamp.of(sibling))) is not None:
                    notes.append(f"placed by {sibling.name}")
                    return found
        except SceneError:
            continue
    notes.append(
        "the scene is in sensor geometry, and neither the file nor an OBS file of the flight line beside it holds the "
        "positions of its pixels"
    )
    return None


def _placed_by(file: Hdf5File, shape: tuple[int, int], stamp: FileStamp) -> Geolocation | None:
    where = str(file.path)
    if f"{_TABLE}/sample" in file and f"{_TABLE}/line" in file:
        sample = Hdf5Plane.of(file, f"{_TABLE}/sample", "the lookup table", stamp)
        line = Hdf5Plane.of(file, f"{_TABLE}/line", "the lookup table", stamp)
        transform, crs = _mapping(file)
        if transform is None:
            raise SceneError(f"{where} has no GeoTransform, so its lookup table cannot be placed")
        grid = Grid(lines=sample.shape[0], samples=sample.shape[1], transform=transform, crs=crs)
        return LookupTable(grid=grid, sample=sample, line=line, shape=shape, where=where)
    if "lon" in file and "lat" in file:
        x, y = (Hdf5Plane.of(file, name, "positions", stamp) for name in ("lon", "lat"))
        if x.shape == shape:
            return PixelPositions(x=x, y=y, crs=CRS.from_epsg(4326).to_wkt(), nodata=-9999.0, where=where)
    return None


def _observations(path: Path) -> Iterator[Path]:
    """NetCDF files of the same flight line that hold observation geometry."""
    line = flight_line_of(path.name)
    with os.scandir(path.parent) as entries:
        found = [
            Path(entry.path)
            for _, entry in zip(range(_MAX_SIBLINGS), entries, strict=False)
            if entry.name.lower().endswith(".nc") and "obs" in entry.name.lower() and flight_line_of(entry.name) == line
        ]
    yield from sorted(found)
