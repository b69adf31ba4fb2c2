"""A picture of a scene: true colour where the wavelengths allow, read in strips so that any size fits in memory."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.atomic import check_output, replaced_on_success
from hsigeo.errors import OutputError
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.png import write_png
from hsigeo.io.scaling import to_reflectance

__all__ = ["check_picture_path", "make_quicklook", "quicklook_bands", "write_quicklook"]

TRUE_COLOR_NM = (640.0, 550.0, 460.0)
TOLERANCE_NM = 40.0
LONGEST_SIDE = 1024
STRETCH_PERCENT = (2.0, 98.0)

_STRIP_BYTES = 8 << 20
_SPARSE_STEP = 16


def quicklook_bands(header: CubeHeader) -> tuple[int, ...]:
    """Which bands, counted from 0, to show as red, green and blue; one band shows as gray.

    Those nearest to 640, 550 and 460 nm if each is within 40 nm, bad bands left out; else the file's default bands;
    else the first, middle and last good band.
    """
    good = np.flatnonzero(header.bands.good)
    if header.bands.wavelength is not None:
        wavelength = header.bands.wavelength[good]
        nearest = [int(np.argmin(np.abs(wavelength - color))) for color in TRUE_COLOR_NM]
        if all(
            abs(wavelength[band] - color) <= TOLERANCE_NM for band, color in zip(nearest, TRUE_COLOR_NM, strict=True)
        ):
            return tuple(int(good[band]) for band in nearest)
    if header.default_bands:
        return tuple(band - 1 for band in header.default_bands)
    if header.bands.count < 3:
        return (int(good[0]),)
    return int(good[0]), int(good[len(good) // 2]), int(good[-1])


def make_quicklook(cube: Cube, *, longest_side: int = LONGEST_SIDE) -> NDArray[np.uint8]:
    """A picture of the scene in its own geometry (rows as stored, not rotated to north).

    Every n-th row and column is shown. Each band is stretched from its 2nd to its 98th percentile; a classification
    with a colour table is shown in its colours.

    Returns
    -------
    (4, y, x) uint8
        Red, green, blue and alpha; alpha is 0 where there is no data.
    """
    header = cube.header
    step = math.ceil(max(header.grid.shape) / longest_side)
    bands = quicklook_bands(header)
    if len(bands) == 1 and header.class_colors:
        return _paint(_decimated(cube, bands, step)[0], header)
    channels = _decimated(cube, bands, step)
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(channels).all(axis=0))
    stretched = [_stretch(channel, seen) for channel in channels]
    colors = stretched * 3 if len(stretched) == 1 else stretched
    return np.stack([*colors, np.where(seen, 255, 0).astype(np.uint8)])


def write_quicklook(cube: Cube, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the picture as PNG.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written.
    SceneError
        The scene is damaged.
    """
    check_picture_path(path, overwrite=overwrite)
    picture = make_quicklook(cube)
    with replaced_on_success(path, overwrite=overwrite) as temporary:
        write_png(temporary, picture)


def check_picture_path(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse early what `write_quicklook` would refuse.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written, or its name does not end in ``.png``.
    """
    if Path(path).suffix.lower() != ".png":
        raise OutputError(f"{path} cannot be written: pictures are PNG; give a name that ends in .png")
    check_output(path, overwrite=overwrite)


def _decimated(cube: Cube, bands: tuple[int, ...], step: int) -> NDArray[np.float32]:
    """(band, y, x) reflectance of every `step`-th row and column of some bands, NaN where there is no data."""
    header = cube.header
    lines, samples = header.grid.shape
    # Far-apart rows of a raw file are read one by one. Where a row costs its neighbours too, strips are read.
    one_by_one = step >= _SPARSE_STEP and not header.compressed and header.block_shape[0] == 1
    together = header.interleave == "bip"  # the bands of a pixel lie side by side, and one read fetches all
    per_row = samples * header.dtype.itemsize * (header.bands.count if together else 1)
    strip = 1 if one_by_one else max(1, _STRIP_BYTES // per_row // step) * step
    windows = [slice(min(bands), max(bands) + 1)] if together else [slice(band, band + 1) for band in bands]
    picked = [band - min(bands) for band in bands] if together else range(len(bands))
    strips = []
    for start in range(0, lines, step if one_by_one else strip):
        rows = slice(start, min(start + strip, lines))
        parts = [cube.read(rows, slice(None), window)[:, ::step, ::step] for window in windows]
        strips.append(np.concatenate(parts)[picked])
    return to_reflectance(np.concatenate(strips, axis=1), header.scaling.take(list(bands)), header.nodata)


def _stretch(channel: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """To 0-255 between two percentiles of what is seen; 0 where nothing is."""
    if not seen.any():
        return np.zeros(channel.shape, dtype=np.uint8)
    low, high = np.percentile(channel[seen], STRETCH_PERCENT)
    spread = (np.where(seen, channel, low) - low) / (high - low if high > low else 1.0)
    shades: NDArray[np.uint8] = (np.clip(spread, 0.0, 1.0) * 255).round().astype(np.uint8)
    return shades


def _paint(classes: NDArray[Any], header: CubeHeader) -> NDArray[np.uint8]:
    """A classification in its colours; class 0, no data and classes without a colour are transparent."""
    palette = np.array(header.class_colors, dtype=np.uint8)
    known = np.isfinite(classes) & (classes > 0) & (classes < len(palette))
    index = np.where(known, classes, 0).astype(np.intp)
    alpha = np.where(known, 255, 0).astype(np.uint8)
    return np.concatenate([palette[index].transpose(2, 0, 1), alpha[None]])
