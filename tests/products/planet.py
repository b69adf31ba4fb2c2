"""Tanager HDF5 files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

FILL = -9999.0


def write_tanager(
    path: Path,
    cube: NDArray[Any],
    *,
    ortho: bool = True,
    zone: int = 11,
    positions: tuple[NDArray[Any], NDArray[Any]] | None = None,
    nodata_pixels: NDArray[Any] | None = None,
    name: str = "surface_reflectance",
    leave_out: tuple[str, ...] = (),
) -> Path:
    """Write …_ortho_sr_hdf5.h5 or …_basic_sr_hdf5.h5 with `cube` (band, y, x)."""
    bands, lines, samples = cube.shape
    root = f"HDFEOS/{'GRIDS' if ortho else 'SWATHS'}/HYP"
    with h5py.File(path, "w") as file:
        data = file.create_dataset(f"{root}/Data Fields/{name}", data=cube, chunks=(1, lines, samples))
        attributes = {
            "wavelengths": np.linspace(376.4, 2499.0, bands).astype(np.float32),
            "wavelengths_units": "nm",
            "fwhm": np.full(bands, 5.5, np.float32),
            "good_wavelengths": np.r_[np.ones(bands - 1, np.uint8), np.uint8(0)],
            "_FillValue": cube.dtype.type(FILL),
        }
        if cube.dtype.kind == "i":
            attributes["scale_factor"] = 0.0001
        for key, value in attributes.items():
            if key not in leave_out:
                data.attrs[key] = value
        group = file[root]
        group.attrs["strip_id"] = "20250511_074311_00_4001"
        for mask in ("beta_cloud_mask", "beta_cirrus_mask", "nodata_pixels"):
            plane = (
                nodata_pixels if mask == "nodata_pixels" and nodata_pixels is not None else np.zeros((lines, samples))
            )
            file[f"{root}/Data Fields/{mask}"] = plane.astype(np.uint8)
        if ortho:
            if "epsg_code" not in leave_out:
                group.attrs["epsg_code"] = (32600 if zone > 0 else 32700) + abs(zone)
            file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(_metadata(lines, samples, zone, leave_out))
        else:
            for key, plane in zip(("Longitude", "Latitude"), positions or (), strict=False):
                file[f"{root}/Geolocation Fields/{key}"] = plane
    return path


def _metadata(lines: int, samples: int, zone: int, leave_out: tuple[str, ...]) -> str:
    """The text of HDF-EOS, which gives the outer corners."""
    corners = (
        ""
        if "corners" in leave_out
        else f"\t\tUpperLeftPointMtrs=(500000.000000,4100000.000000)\n"
        f"\t\tLowerRightMtrs=({500_000 + 30 * samples}.000000,{4_100_000 - 30 * lines}.000000)\n"
    )
    return (
        "GROUP=SwathStructure\nEND_GROUP=SwathStructure\nGROUP=GridStructure\n\tGROUP=GRID_1\n"
        f'\t\tGridName="HYP"\n\t\tXDim={samples}\n\t\tYDim={lines}\n{corners}'
        f"\t\tProjection=HE5_GCTP_UTM\n\t\tZoneCode={zone}\n\t\tSphereCode=12\n"
        "\tEND_GROUP=GRID_1\nEND_GROUP=GridStructure\nEND\n"
    )
