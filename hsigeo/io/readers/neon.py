"""NEON AOP reflectance: HDF5 mosaics (DP3) and flight lines (DP1), in the present layout and that of 2013-2016.

Structure: NEON's tutorials "NEON AOP Hyperspectral Data in HDF5 format" (present layout, DP3.30006.001 and .002) and
"Intro to Working with Hyperspectral Remote Sensing Data in HDF5 Format in R" of 2016 (the flat one).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.cube import FileStamp
from hsigeo.io.envi.header import parse_header
from hsigeo.io.envi.mapinfo import read_grid
from hsigeo.io.readers.hdf5 import BandPart, Hdf5Cube, Hdf5File, contains, opened
from hsigeo.io.readers.products import describe_cube, wkt_of
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling, parse_nodata
from hsigeo.io.wavelengths import make_band_table

__all__ = ["NeonReader"]

# In nm; what the files of the present layout state, for those that state none.
_ABSORPTION = ((1340.0, 1445.0), (1790.0, 1955.0))
_SCALE, _NODATA = 10_000.0, -9999.0


class NeonReader:
    """NEON DP1.30006 and DP3.30006, directional and bidirectional."""

    name = "neon"
    title = "NEON AOP reflectance (HDF5), present layout and that of 2013-2016"

    def claim(self, probe: Probe) -> str | None:
        """The groups of a site, or the datasets of the flat layout."""
        if contains(probe, "Reflectance", "wavelength", "map info"):
            return "it holds Reflectance, wavelength and map info, as NEON's files before 2017"
        if not probe.is_hdf5:
            return None
        try:
            with opened(probe.path) as file:
                site = _site(file)
        except SceneError:
            return None
        return None if site is None else f"it holds /{site}/Reflectance, as NEON's files do"

    def open(self, path: Path) -> Hdf5Cube:
        """Open a tile or flight line."""
        stamp = FileStamp.of(path)
        with opened(path) as file:
            site = _site(file)
            return _open_flat(file, stamp) if site is None else _open_site(file, site, stamp)


def _site(file: Hdf5File) -> str | None:
    """The group of the site, such as SJER."""
    return next((name for name in file.names() if f"{name}/Reflectance/Metadata" in file), None)


def _open_site(file: Hdf5File, site: str, stamp: FileStamp) -> Hdf5Cube:
    root = f"{site}/Reflectance"
    if f"{root}/Reflectance_Data" not in file and f"{site}/Radiance" in file:
        raise SceneError(f"{file.path} holds NEON radiance, not reflectance; give a file …_reflectance.h5")
    name = f"{root}/Reflectance_Data"
    cube = file.dataset(name, "NEON's reflectance", ndim=3)
    lines, samples, bands = cube.shape
    notes: list[str] = []
    place = f"{root}/Metadata/Coordinate_System"
    grid = _read_grid(file, f"{place}/Map_Info", (lines, samples), _text_of(file, f"{place}/EPSG Code"), notes)
    spectral = f"{root}/Metadata/Spectral_Data"
    windows = [file.numbers(root, f"Band_Window_{number}_Nanometers") for number in (1, 2)]
    table = _read_bands(file, bands, (f"{spectral}/Wavelength", f"{spectral}/FWHM"), windows, notes)
    header = describe_cube(
        file,
        stamp,
        cube,
        axes="yxb",
        grid=grid,
        bands=table,
        scaling=_scaling(file, name, "Scale_Factor", bands, notes),
        nodata=_nodata(file, name, "Data_Ignore_Value", cube),
        description=f"NEON {site}",
        sensor="NEON AOP imaging spectrometer",
        repairs=tuple(notes),
    )
    return Hdf5Cube(header, (BandPart(dataset=name, axes="yxb", bands=tuple(range(bands))),))


def _open_flat(file: Hdf5File, stamp: FileStamp) -> Hdf5Cube:
    cube = file.dataset("Reflectance", "NEON's reflectance", ndim=3)
    bands, lines, samples = cube.shape
    notes: list[str] = []
    header = describe_cube(
        file,
        stamp,
        cube,
        axes="byx",
        grid=_read_grid(file, "map info", (lines, samples), "", notes),
        bands=_read_bands(file, bands, ("wavelength", "fwhm"), [], notes),
        scaling=_scaling(file, "Reflectance", "Scale Factor", bands, notes),
        nodata=_nodata(file, "Reflectance", "data ignore value", cube),
        sensor="NEON AOP imaging spectrometer",
        repairs=tuple(notes),
    )
    return Hdf5Cube(header, (BandPart(dataset="Reflectance", axes="byx", bands=tuple(range(bands))),))


def _read_bands(
    file: Hdf5File,
    bands: int,
    names: tuple[str, str],
    windows: list[NDArray[np.float64] | None],
    notes: list[str],
) -> BandTable:
    """Wavelengths and widths (datasets `names`); bands in the windows of strong absorption are bad."""
    wavelength = np.asarray(file.values(names[0], "the wavelengths"), dtype=np.float64)
    unit = file.text(names[0], "Units") or ("um" if wavelength.size and wavelength.max() < 100 else "nm")
    stated = [(float(w[0]), float(w[1])) for w in windows if w is not None and w.shape == (2,)]
    if not stated:
        notes.append(
            "the file states no absorption windows; NEON's usual ones, 1340-1445 and 1790-1955 nm, were marked bad"
        )
    in_nm = wavelength * (1000 if wavelength.size and wavelength.max() < 100 else 1)
    bad = np.zeros(wavelength.shape, dtype=bool)
    for low, high in stated or _ABSORPTION:
        bad |= (in_nm >= low) & (in_nm <= high)
    table, found = make_band_table(
        bands,
        wavelength=wavelength.tolist(),
        unit=unit,
        fwhm=file.values(names[1], "the band widths").tolist() if names[1] in file else (),
        good=(~bad).astype(float).tolist(),
    )
    notes.extend(found)
    return table


def _read_grid(file: Hdf5File, name: str, shape: tuple[int, int], epsg: str, notes: list[str]) -> Grid:
    """The grid in a text like ENVI's ``map info``; the EPSG code wins over the projection's name."""
    text = _text_of(file, name).translate({ord(bracket): None for bracket in "{}\r\n"})
    if not text:
        raise SceneError(f"{file.path} has no {name}, which places its pixels")
    header = parse_header(f"ENVI\nmap info = {{{text}}}\n", f"{file.path}, {name}")
    grid, found = read_grid(header, lines=shape[0], samples=shape[1])
    notes.extend(found)
    if not epsg.isdecimal():
        return grid
    return Grid(
        lines=grid.lines,
        samples=grid.samples,
        transform=grid.transform,
        crs=wkt_of(f"EPSG:{epsg}", where=str(file.path)),
    )


def _text_of(file: Hdf5File, name: str) -> str:
    """A dataset that is one text or number."""
    if name not in file:
        return ""
    value = file.values(name, "a text", most=16)
    first = value[0] if len(value) else ""
    return (first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)).strip()


def _scaling(file: Hdf5File, name: str, key: str, bands: int, notes: list[str]) -> Scaling:
    factor = file.number(name, key)
    if factor is None or factor <= 0:
        notes.append(f"the file states no scale factor ({key}); values were divided by {_SCALE:g}, as NEON's are")
        factor = _SCALE
    return Scaling.constant(bands, 1 / factor)


def _nodata(file: Hdf5File, name: str, key: str, cube: Any) -> float | int | None:
    stated = file.number(name, key)
    return parse_nodata(_NODATA if stated is None else stated, np.dtype(cube.dtype))[0]
