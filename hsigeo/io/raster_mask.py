"""Where a raster has no data by a mask, not by a number: an alpha band, a mask in the file or one beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.windows import Window

__all__ = ["count_spectral_bands", "has_mask", "read_mask"]

_MOST_COLOURS = 4
"""Of four bands the last is often marked as alpha by mistake: GDAL's default for 8-bit red, green, blue, infrared."""

_TIFF = (b"II", b"MM")


def count_spectral_bands(dataset: Any) -> int:
    """Bands of an open dataset, without an alpha band at the end."""
    return int(dataset.count) - _has_alpha(dataset)


def has_mask(dataset: Any, path: Path, notes: list[str]) -> bool:
    """Whether pixels of an open dataset are masked; what is so is added to `notes`.

    A mask beside the file (``.msk``) is looked at only where it is a TIFF: GDAL would open anything, an address
    on the network included.
    """
    beside = [path.with_name(path.name + ending) for ending in (".msk", ".MSK")]
    for file in beside:
        if file.is_file() and not _is_tiff(file):
            notes.append(f"{file.name} is not a TIFF and was not used as a mask")
            return False
    if _has_alpha(dataset):
        notes.append("the last band is an alpha band: it is no part of the spectra, and where it is 0 there is no data")
        return True
    flags = dataset.mask_flag_enums[0]
    if MaskFlags.per_dataset not in flags or MaskFlags.alpha in flags:
        return False
    notes.append("the file has a mask: pixels outside it have no data")
    return True


def read_mask(dataset: Any, window: Window) -> NDArray[np.bool_]:
    """(y, x) where an open dataset with a mask has no data."""
    if _has_alpha(dataset):  # GDAL makes a mask of an alpha band only where it is the second or fourth
        return np.asarray(dataset.read(dataset.count, window=window) == 0)
    return np.asarray(dataset.read_masks(1, window=window) == 0)


def _has_alpha(dataset: Any) -> bool:
    return bool(dataset.count > _MOST_COLOURS and dataset.colorinterp[-1] == ColorInterp.alpha)


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) in _TIFF
