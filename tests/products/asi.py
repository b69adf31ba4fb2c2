"""PRISMA HE5 files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

VNIR = np.array([977.4, 967.4, 500.0, 492.7, 0.0])
"""Band centres as they stand in the file: downwards, and a band that was not acquired."""
SWIR = np.array([0.0, 2497.1, 2490.2, 1000.0, 959.5, 943.4])
LIMITS = {"Vnir": (0.0, 0.9), "Swir": (0.05, 1.2)}


def write_prisma(
    path: Path,
    vnir: NDArray[Any],
    swir: NDArray[Any],
    *,
    level: str = "L2D",
    corners: str = "centres",
    errors: dict[str, NDArray[Any]] | None = None,
    leave_out: tuple[str, ...] = (),
    positions: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> Path:
    """Write PRS_L2D_STD with stored uint16 cubes (band, y, x), bands as in `VNIR` and `SWIR`.

    Parameters
    ----------
    corners
        ``centres`` or ``outer``: what the corner coordinates are of.
    errors
        Error matrices (band, y, x) for ``Vnir`` and ``Swir``.
    """
    _, lines, samples = vnir.shape
    attributes: dict[str, Any] = {
        "Product_Name": np.bytes_(path.name),
        "Processing_Level": np.bytes_(level[1:]),
        "Epsg_Code": np.int64(32632),
        "Projection_Name": np.bytes_("UTM"),
    }
    inset = 15.0 if corners == "centres" else 0.0
    for vertical, y in (("U", 4_500_000 - inset), ("L", 4_500_000 - 30 * lines + inset)):
        for horizontal, x in (("L", 600_000 + inset), ("R", 600_000 + 30 * samples - inset)):
            attributes[f"Product_{vertical}{horizontal}corner_easting"] = np.float64(x)
            attributes[f"Product_{vertical}{horizontal}corner_northing"] = np.float64(y)
    for name, wavelength in (("Vnir", VNIR), ("Swir", SWIR)):
        attributes[f"List_Cw_{name}"] = wavelength.astype(np.float32)
        attributes[f"List_Fwhm_{name}"] = np.where(wavelength > 0, 10 + wavelength / 1000, 0).astype(np.float32)
        attributes[f"List_Cw_{name}_Flags"] = (wavelength > 0).astype(np.uint8)
        attributes[f"L2Scale{name}Min"], attributes[f"L2Scale{name}Max"] = map(np.float32, LIMITS[name])
    with h5py.File(path, "w") as file:
        for key, value in attributes.items():
            if key not in leave_out:
                file.attrs[key] = value
        swath = file.create_group(f"HDFEOS/SWATHS/PRS_{level}_HCO")
        for name, cube in (("Vnir", vnir), ("Swir", swir)):
            if f"{name}_Cube" in leave_out:
                continue
            swath[f"Data Fields/{name.upper()}_Cube"] = cube.transpose(1, 0, 2).astype(np.uint16)
            matrix = np.zeros(cube.shape, np.uint8) if errors is None else errors[name]
            swath[f"Data Fields/{name.upper()}_PIXEL_L2_ERR_MATRIX"] = matrix.transpose(1, 0, 2)
        for name, plane in zip(("Longitude", "Latitude"), positions or (np.zeros((lines, samples)),) * 2, strict=True):
            swath[f"Geolocation Fields/{name}"] = plane
        file.create_group(f"HDFEOS/SWATHS/PRS_{level}_PCO")
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_("GROUP=SwathStructure\nEND_GROUP=SwathStructure\nEND\n")
    return path
