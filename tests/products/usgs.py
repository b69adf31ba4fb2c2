"""EO-1 Hyperion scenes: a file for each band."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

SCENE = "EO1H0350252010205110KU"
TRANSFORM = Affine(30, 0, 480_000, 0, -30, 3_650_000)


def write_hyperion(
    folder: Path, cube: NDArray[Any], bands: list[int], *, factors: tuple[float, float] | None = (40.0, 80.0)
) -> Path:
    """Write ``<scene>_B…_L1T.TIF`` for each band of `cube` (band, y, x) and ``_MTL_L1T.TXT``; return the folder."""
    folder.mkdir(exist_ok=True)
    for number, plane in zip(bands, cube, strict=True):
        with rasterio.open(
            folder / f"{SCENE}_B{number:03}_L1T.TIF",
            "w",
            driver="GTiff",
            count=1,
            height=plane.shape[0],
            width=plane.shape[1],
            dtype="int16",
            crs="EPSG:32612",
            transform=TRANSFORM,
        ) as dataset:
            dataset.write(plane.astype(np.int16), 1)
    if factors is not None:
        (folder / f"{SCENE}_MTL_L1T.TXT").write_text(
            "GROUP = L1_METADATA_FILE\n  GROUP = RADIANCE_SCALING\n"
            f"    SCALING_FACTOR_VNIR = {factors[0]:.6f}\n    SCALING_FACTOR_SWIR = {factors[1]:.6f}\n"
            "  END_GROUP = RADIANCE_SCALING\nEND_GROUP = L1_METADATA_FILE\nEND\n"
        )
    return folder
