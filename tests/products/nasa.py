"""EMIT and AVIRIS NetCDF files, as LP DAAC and JPL deliver them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

FILL = -9999.0
PIXEL = 0.000542232520256367
"""EMIT's pixel in degrees, as in the attribute ``geotransform`` of its files."""

Array = NDArray[Any]


def wavelengths(bands: int) -> Array:
    """Band centres in nm over EMIT's range."""
    return np.linspace(381.0, 2493.0, bands).astype(np.float32)


def tilted_lookup(lines: int, samples: int) -> tuple[Array, Array]:
    """A lookup table (glt_x, glt_y) of a scene that lies askew on its map: a shear, mirrored, with a margin of nothing.

    Sensor pixel (line, sample) belongs at map row ``line + sample // 2 + 1`` and column ``samples - sample``.
    """
    rows, cols = lines + (samples - 1) // 2 + 2, samples + 2
    glt_x, glt_y = np.zeros((rows, cols), np.int32), np.zeros((rows, cols), np.int32)
    for line in range(lines):
        for sample in range(samples):
            row, col = line + sample // 2 + 1, samples - sample
            glt_x[row, col], glt_y[row, col] = sample + 1, line + 1
    return glt_x, glt_y


def write_emit(
    path: Path,
    cube: Array,
    *,
    glt: tuple[Array, Array] | None = None,
    origin: tuple[float, float] = (-118.0, 34.5),
    good: Array | None = None,
    variable: str = "reflectance",
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write EMIT_L2A_RFL with `cube` (band, y, x).

    Structure as in the granules of EMITL2ARFL.001: LP DAAC's user guide and emit-sds-l2a ``output_conversion.py``.
    """
    bands, lines, samples = cube.shape
    glt_x, glt_y = glt or tilted_lookup(lines, samples)
    with h5netcdf.File(path, "w") as file:
        file.attrs["title"] = "EMIT L2A Estimated Surface Reflectance 60 m V001"
        file.attrs["instrument"] = "EMIT"
        file.attrs["product_version"] = "V001"
        if "geotransform" not in leave_out:
            file.attrs["geotransform"] = np.array([origin[0], PIXEL, 0.0, origin[1], 0.0, -PIXEL])
        file.attrs["spatial_ref"] = CRS.from_epsg(4326).to_wkt()
        file.dimensions = {
            "downtrack": lines,
            "crosstrack": samples,
            "bands": bands,
            "ortho_y": glt_y.shape[0],
            "ortho_x": glt_y.shape[1],
        }
        data = file.create_variable(
            variable,
            ("downtrack", "crosstrack", "bands"),
            np.float32,
            fillvalue=np.float32(FILL),
            chunks=(min(lines, 4), min(samples, 3), bands),
            compression="gzip",
        )
        data[...] = cube.transpose(1, 2, 0)
        data.attrs["units"] = "unitless"
        group = file.create_group("sensor_band_parameters")
        for name, values, units in (
            ("wavelengths", wavelengths(bands), "nm"),
            ("fwhm", np.full(bands, 8.5, np.float32), "nm"),
            ("good_wavelengths", np.ones(bands, np.uint8) if good is None else good.astype(np.uint8), "unitless"),
        ):
            if name not in leave_out:
                group.create_variable(name, ("bands",), values.dtype, data=values).attrs["units"] = units
        location = file.create_group("location")
        for name, plane in (("glt_x", glt_x), ("glt_y", glt_y)):
            if name not in leave_out:
                location.create_variable(name, ("ortho_y", "ortho_x"), np.int32, data=plane).attrs["units"] = (
                    "pixel location"
                )
        lon, lat = sensor_positions(lines, samples, origin)
        for name, plane in (("lon", lon), ("lat", lat)):
            location.create_variable(name, ("downtrack", "crosstrack"), np.float64, data=plane)
    return path


def sensor_positions(lines: int, samples: int, origin: tuple[float, float]) -> tuple[Array, Array]:
    """Longitude and latitude of the pixels that `tilted_lookup` places on the grid of `write_emit`."""
    line, sample = np.mgrid[0:lines, 0:samples]
    row, col = line + sample // 2 + 1, samples - sample
    return origin[0] + (col + 0.5) * PIXEL, origin[1] - (row + 0.5) * PIXEL


def write_aviris(
    path: Path,
    cube: Array,
    *,
    ortho: bool = True,
    product: str = "reflectance",
    table: bool = True,
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write AV3…_L2A_OE_…_RFL_ORT.nc with `cube` (band, y, x), on UTM 11N or in sensor geometry.

    Groups and attributes as emit-sds/SpectralUtil ``spec_io.py`` reads them. An OBS file has the table and no cube: see
    `write_aviris_obs`.
    """
    bands, lines, samples = cube.shape
    with h5netcdf.File(path, "w") as file:
        file.attrs["title"] = "AVIRIS-3 L2A Surface Reflectance"
        file.attrs["sensor"] = "AVIRIS-3"
        file.dimensions = {"wavelength": bands} | (
            {"northing": lines, "easting": samples} if ortho else {"lines": lines, "samples": samples}
        )
        if ortho:
            if "coordinates" not in leave_out:
                file.create_variable(
                    "easting", ("easting",), np.float64, data=500_000 + 4.5 * (np.arange(samples) + 0.5)
                )
                file.create_variable("northing", ("northing",), np.float64, data=4e6 - 4.5 * (np.arange(lines) + 0.5))
            _mapping(file, leave_out)
        elif table:
            _lookup_table(file, lines, samples, leave_out)
        group = file.create_group(product)
        data = group.create_variable(
            product,
            ("wavelength", *(("northing", "easting") if ortho else ("lines", "samples"))),
            np.float32,
            fillvalue=np.float32(FILL),
            chunks=(1, min(lines, 8), min(samples, 8)),
            compression="gzip",
        )
        data[...] = cube
        data.attrs["grid_mapping"] = "transverse_mercator"
        for name, values in (("wavelength", wavelengths(bands)), ("fwhm", np.full(bands, 7.9, np.float32))):
            if name not in leave_out:
                group.create_variable(name, ("wavelength",), np.float32, data=values).attrs["units"] = "nm"
    return path


def write_aviris_obs(path: Path, lines: int, samples: int) -> Path:
    """Write the OBS file of a flight line: observation geometry, and the lookup table."""
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"lines": lines, "samples": samples}
        file.create_group("observation_parameters").create_variable(
            "path_length", ("lines", "samples"), np.float32, data=np.ones((lines, samples), np.float32)
        )
        _lookup_table(file, lines, samples, ())
    return path


def _mapping(file: Any, leave_out: tuple[str, ...]) -> None:
    mapping = file.create_variable("transverse_mercator", (), "S1")
    mapping.attrs["grid_mapping_name"] = "transverse_mercator"
    mapping.attrs["spatial_ref"] = CRS.from_epsg(32611).to_wkt()
    if "GeoTransform" not in leave_out:
        mapping.attrs["GeoTransform"] = "500000.0 4.5 0.0 4000000.0 0.0 -4.5"


def _lookup_table(file: Any, lines: int, samples: int, leave_out: tuple[str, ...]) -> None:
    glt_x, glt_y = tilted_lookup(lines, samples)
    _mapping(file, leave_out)
    group = file.create_group("geolocation_lookup_table")
    group.dimensions = {"ortho_y": glt_x.shape[0], "ortho_x": glt_x.shape[1]}
    for name, plane in (("sample", glt_x), ("line", glt_y)):
        group.create_variable(name, ("ortho_y", "ortho_x"), np.int32, data=plane)
