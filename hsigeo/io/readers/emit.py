"""EMIT L2A reflectance: NetCDF-4 in sensor geometry, with its geometric lookup table.

Structure: LP DAAC, EMITL2ARFL.001 and .002 (user guide); nasa/EMIT-Data-Resources ``emit_tools.py``; emit-sds-l2a
``output_conversion.py``, which writes the files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from affine import Affine

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.cube import FileStamp
from hsigeo.io.geolocation import LookupTable
from hsigeo.io.readers.hdf5 import BandPart, Hdf5Cube, Hdf5File, Hdf5Plane, contains, opened
from hsigeo.io.readers.products import describe_cube, fill_value, require_bands, wkt_of
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling
from hsigeo.io.wavelengths import make_band_table

__all__ = ["EmitReader"]

_BANDS = "sensor_band_parameters"
_OTHER_PRODUCTS = {
    "radiance": "radiance (L1B)",
    "mask": "masks (L2A MASK)",
    "reflectance_uncertainty": "uncertainties (L2A RFLUNCERT)",
    "obs": "observation geometry (L1B OBS)",
}


class EmitReader:
    """EMIT L2A RFL."""

    name = "emit"
    title = "EMIT L2A reflectance (NetCDF), with its lookup table"

    def claim(self, probe: Probe) -> str | None:
        """The groups of EMIT's products."""
        found = contains(probe, _BANDS, "location/glt_x")
        return f"it holds the groups {_BANDS} and location of EMIT" if found else None

    def open(self, path: Path) -> Hdf5Cube:
        """Open the scene in sensor geometry."""
        stamp = FileStamp.of(path)
        with opened(path) as file:
            return _open(file, stamp)


def _open(file: Hdf5File, stamp: FileStamp) -> Hdf5Cube:
    for name, what in _OTHER_PRODUCTS.items():
        if "reflectance" not in file and name in file:
            raise SceneError(
                f"{file.path} holds EMIT {what}, not reflectance; give the file EMIT_L2A_RFL_… of the scene"
            )
    cube = file.dataset("reflectance", "EMIT's reflectance", ndim=3)
    lines, samples, bands = cube.shape
    wavelength = require_bands(file, f"{_BANDS}/wavelengths", bands)
    table, notes = make_band_table(
        bands,
        wavelength=wavelength.tolist(),
        unit=file.text(f"{_BANDS}/wavelengths", "units") or "nm",
        fwhm=require_bands(file, f"{_BANDS}/fwhm", bands).tolist(),
        good=file.values(f"{_BANDS}/good_wavelengths", "the list of good bands").tolist()
        if f"{_BANDS}/good_wavelengths" in file
        else (),
    )
    header = describe_cube(
        file,
        stamp,
        cube,
        axes="yxb",
        format="NetCDF-4",
        grid=Grid(lines=lines, samples=samples),
        bands=table,
        scaling=Scaling.constant(bands),
        nodata=fill_value(file, "reflectance", cube, -9999.0),
        description=file.text("/", "title"),
        sensor=file.text("/", "instrument") or "EMIT",
        repairs=tuple(notes),
        geolocation=_read_lookup_table(file, (lines, samples), stamp),
    )
    return Hdf5Cube(header, (BandPart(dataset="reflectance", axes="yxb", bands=tuple(range(bands))),))


def _read_lookup_table(file: Hdf5File, shape: tuple[int, int], stamp: FileStamp) -> LookupTable:
    what = "EMIT's lookup table"
    sample = Hdf5Plane.of(file, "location/glt_x", what, stamp)
    line = Hdf5Plane.of(file, "location/glt_y", what, stamp)
    terms = file.numbers("/", "geotransform")
    if terms is None or terms.shape != (6,) or not np.isfinite(terms).all():
        raise SceneError(
            f"{file.path} has no attribute geotransform of six numbers, so its lookup table cannot be placed"
        )
    grid = Grid(
        lines=sample.shape[0],
        samples=sample.shape[1],
        transform=Affine.from_gdal(*terms),
        crs=wkt_of(file.text("/", "spatial_ref") or "EPSG:4326", where=str(file.path)),
    )
    return LookupTable(grid=grid, sample=sample, line=line, shape=shape, where=str(file.path))
