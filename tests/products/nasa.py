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
