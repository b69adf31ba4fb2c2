"""NEON AOP reflectance files, in both layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

MAP_INFO = (
    "UTM,  1.000,  1.000,       257000.00,       4112000.0,       1.0000000,       1.0000000,  11,  North,  WGS-84,"
    "  units=Meters, 0"
)
NODATA = -9999


def write_neon(
    path: Path,
    cube: NDArray[Any],
    wavelength: NDArray[Any],
    *,
    site: str = "SJER",
    windows: bool = True,
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write NEON_D17_SJER_DP3_…_reflectance.h5 with `cube` (band, y, x) of stored int16.

    As in NEON's tutorials of 2018-2025, and in the real SJER piece (which lacks the attributes of the group).
    """
    with h5py.File(path, "w") as file:
        reflectance = file.create_group(f"{site}/Reflectance")
        if windows:
            reflectance.attrs["Band_Window_1_Nanometers"] = np.array([1340, 1445])
            reflectance.attrs["Band_Window_2_Nanometers"] = np.array([1790, 1955])
        if "Reflectance_Data" not in leave_out:
            data = reflectance.create_dataset(
                "Reflectance_Data", data=cube.transpose(1, 2, 0).astype(np.int16), chunks=True, compression="gzip"
            )
            data.attrs["Cloud_conditions"] = "For cloud conditions information see Weather Quality Index dataset."
            data.attrs["Data_Ignore_Value"] = float(NODATA)
            data.attrs["Dimension_Labels"] = "Line, Sample, Wavelength"
            data.attrs["Interleave"] = "BSQ"
            data.attrs["Scale_Factor"] = 10000.0
        place = reflectance.create_group("Metadata/Coordinate_System")
        place["EPSG Code"] = np.bytes_("32611")
        if "Map_Info" not in leave_out:
            place["Map_Info"] = np.bytes_(MAP_INFO)
        place["Proj4"] = np.bytes_("+proj=UTM +zone=11 +ellps=WGS84 +datum=WGS84 +units=m +no_defs")
        spectral = reflectance.create_group("Metadata/Spectral_Data")
        spectral["Wavelength"] = wavelength.astype(np.float32)
        spectral["Wavelength"].attrs["Units"] = "nanometers"
        spectral["FWHM"] = np.full(len(wavelength), 5.6, np.float32)
        spectral["FWHM"].attrs["Units"] = "nanometers"
    return path


def write_flat_neon(path: Path, cube: NDArray[Any], wavelength: NDArray[Any]) -> Path:
    """Write a flight line of 2013 with `cube` (band, y, x): all datasets at the root, bands first, micrometres."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset("Reflectance", data=cube.astype(np.int16))
        data.attrs["Description"] = np.bytes_("Atmospherically corrected reflectance.")
        data.attrs["Scale Factor"] = np.bytes_("10000")
        data.attrs["data ignore value"] = np.bytes_("15000")
        data.attrs["Unit"] = np.bytes_("unitless. Valid range 0-1.")
        file["wavelength"] = (wavelength / 1000).reshape(1, -1)
        file["fwhm"] = np.full((1, len(wavelength)), 0.0056)
        file["map info"] = np.array([b"UTM,1,1,256521.0,4112571.0,1.0,1.0,11,North,WGS-84,units=Meters"])
        file.create_group("spatialInfo")
    return path
