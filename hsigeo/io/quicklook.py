"""A picture of a scene, by wavelength, read in strips so that any size fits in memory."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from hsigeo.atomic import check_output, replaced_on_success
from hsigeo.errors import OutputError
from hsigeo.io.composites import AUTO, Composite, pick_bands
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.png import write_png
from hsigeo.io.scaling import to_reflectance
from hsigeo.progress import Progress

__all__ = [
    "Look",
    "Picture",
    "check_picture_path",
    "decimated_transform",
    "make_picture",
    "make_quicklook",
    "write_picture",
    "write_quicklook",
]

LONGEST_SIDE = 1024
STRETCH_PERCENT = (2.0, 98.0)

_STRIP_BYTES = 4 << 20
_SPARSE_STEP = 16


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a picture is made.

    Parameters
    ----------
    composite
        Which bands are red, green and blue.
    percent
        Percentiles of each band that become black and full colour.
    exponent
        Of the stretched value: below 1, what is dark becomes brighter. The quicklooks of EMIT take about 0.6.
    longest_side
        Pixels of the picture, at most; every n-th row and column of the scene is shown.
    """

    composite: Composite = AUTO
    percent: tuple[float, float] = STRETCH_PERCENT
    exponent: float = 1.0
    longest_side: int = LONGEST_SIDE


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture, and where its pixels lie.

    Parameters
    ----------
    rgba : (4, y, x) uint8
        Red, green, blue and alpha; alpha is 0 where there is no data.
    step
        Rows and columns of the scene for one of the picture.
    transform
        From (column, row) of the picture to the map; the identity where that is not known.
    crs
        WKT; `None` where it is not known.
    bands
        What is shown, counted from 0: one band or three.
    limits
        The values of each band that became 0 and 255; empty for a classification.
    """

    rgba: NDArray[np.uint8]
    step: int
    transform: Affine = Affine.identity()  # noqa: RUF009 - Affine is an immutable tuple
    crs: str | None = None
    bands: tuple[int, ...]
    limits: tuple[tuple[float, float], ...] = ()


def make_picture(cube: Cube, look: Look, *, progress: Progress | None = None) -> Picture:
    """A picture of the scene in its own geometry (rows as stored, not turned to the north).

    A classification with a colour table is shown in its colours.

    Parameters
    ----------
    progress
        Called with (rows passed, rows in all).

    Raises
    ------
    SceneError
        The scene does not have the bands, or is damaged.
    """
    header = cube.header
    step = math.ceil(max(header.grid.shape) / look.longest_side)
    bands = pick_bands(header, look.composite)
    channels = _decimated(cube, bands, step, progress)
    limits: tuple[tuple[float, float], ...] = ()
    if len(bands) == 1 and header.class_colors:
        rgba = _paint(channels[0], header)
    else:
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(channels).all(axis=0))
        limits = tuple(_limits(channel, seen, look.percent) for channel in channels)
        shades = [_stretch(c, seen, between, look.exponent) for c, between in zip(channels, limits, strict=True)]
        rgba = np.stack([*(shades * 3 if len(shades) == 1 else shades), np.where(seen, 255, 0).astype(np.uint8)])
    return Picture(
        rgba=rgba,
        step=step,
        transform=decimated_transform(header.grid.transform, step) if header.grid.has_transform else Affine.identity(),
        crs=header.grid.crs,
        bands=bands,
        limits=limits,
    )


def decimated_transform(transform: Affine, step: int) -> Affine:
    """That of every n-th row and column: centres stay where they are, pixels become larger."""
    shift = 0.5 - step / 2
    return transform @ Affine.translation(shift, shift) @ Affine.scale(step)


def make_quicklook(cube: Cube, *, longest_side: int = LONGEST_SIDE) -> NDArray[np.uint8]:
    """The pixels of `make_picture`, unasked for anything.

    Returns
    -------
    (4, y, x) uint8
        Red, green, blue and alpha; alpha is 0 where there is no data.
    """
    return make_picture(cube, Look(longest_side=longest_side)).rgba


def write_quicklook(cube: Cube, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write that picture as PNG; errors as in `write_picture`."""
    check_picture_path(path, overwrite=overwrite)
    write_picture(make_quicklook(cube), path, overwrite=overwrite)


def write_picture(rgba: NDArray[np.uint8], path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write (4, y, x) pixels as PNG.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written.
    """
    check_picture_path(path, overwrite=overwrite)
    with replaced_on_success(path, overwrite=overwrite) as temporary:
        write_png(temporary, rgba)


def check_picture_path(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse early what `write_picture` would refuse.

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


def _decimated(cube: Cube, bands: tuple[int, ...], step: int, progress: Progress | None) -> NDArray[np.float32]:
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
        # Copies, so that no more than one strip of one band is there as a whole.
        parts = [cube.read(rows, slice(None), window)[:, ::step, ::step].copy() for window in windows]
        strips.append(np.concatenate(parts)[picked])
        if progress is not None:
            progress(rows.stop, lines)
    return to_reflectance(np.concatenate(strips, axis=1), header.scaling.take(list(bands)), header.nodata)


def _limits(channel: NDArray[np.float32], seen: NDArray[np.bool_], percent: tuple[float, float]) -> tuple[float, float]:
    """The values at two percentiles of what is seen."""
    if not seen.any():
        return 0.0, 1.0
    low, high = np.percentile(channel[seen], percent)
    return float(low), float(high)


def _stretch(
    channel: NDArray[np.float32], seen: NDArray[np.bool_], limits: tuple[float, float], exponent: float
) -> NDArray[np.uint8]:
    """To 0-255 between two values; 0 where nothing is seen."""
    low, high = limits
    spread = (np.where(seen, channel, low) - low) / (high - low if high > low else 1.0)
    shades: NDArray[np.uint8] = (np.clip(spread, 0.0, 1.0) ** exponent * 255).round().astype(np.uint8)
    return shades


def _paint(classes: NDArray[Any], header: CubeHeader) -> NDArray[np.uint8]:
    """A classification in its colours; class 0, no data and classes without a colour are transparent."""
    palette = np.array(header.class_colors, dtype=np.uint8)
    known = np.isfinite(classes) & (classes > 0) & (classes < len(palette))
    index = np.where(known, classes, 0).astype(np.intp)
    alpha = np.where(known, 255, 0).astype(np.uint8)
    return np.concatenate([palette[index].transpose(2, 0, 1), alpha[None]])
