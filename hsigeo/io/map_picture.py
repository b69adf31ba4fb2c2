"""Pictures of class maps, and pictures rotated north-up."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.grid import apply_transform
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.geolocation import Geolocation
from hsigeo.io.quicklook import Picture, decimated_transform
from hsigeo.io.spool import Spool
from hsigeo.progress import Progress

__all__ = ["is_placed", "lay_on", "make_map_picture", "metres_per_unit", "place_picture", "turn_north"]

_MOST_GROWTH = 1.5
_METRES_PER_DEGREE = 111_320.0


def is_placed(picture: Picture) -> bool:
    """Whether it is known where the pixels of a picture lie."""
    return picture.transform != Affine.identity()


def turn_north(picture: Picture) -> Picture:
    """The same picture with north up, each pixel that of the scene it lies in; as it is, where its place is unknown.

    The pixels have the size that they had; the picture grows to hold the turned one, at most to one and a half times
    its longer side.
    """
    t = picture.transform
    if not is_placed(picture) or (t.b == t.d == 0 and t.a > 0 > t.e):
        return picture
    _, lines, samples = picture.rgba.shape
    corners = [t @ corner for corner in ((0, 0), (samples, 0), (0, lines), (samples, lines))]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    bottom, top = min(y for _, y in corners), max(y for _, y in corners)
    width, height = math.hypot(t.a, t.d), math.hypot(t.b, t.e)
    longest = max((right - left) / width, (top - bottom) / height)
    coarser = max(1.0, longest / (_MOST_GROWTH * max(lines, samples)))
    width, height = width * coarser, height * coarser
    columns, rows = max(1, math.ceil((right - left) / width)), max(1, math.ceil((top - bottom) / height))
    return lay_on(picture, Affine(width, 0, left, 0, -height, top), (rows, columns))


def lay_on(picture: Picture, transform: Affine, shape: tuple[int, int]) -> Picture:
    """A picture on another grid in its CRS, each pixel that of the picture it lies in; transparent beyond it.

    Parameters
    ----------
    transform, shape
        From (column, row) of the grid to the map; its rows and columns.
    """
    _, lines, samples = picture.rgba.shape
    x, y = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    found = apply_transform(~picture.transform @ transform, x, y)
    column, row = (np.floor(values).astype(np.intp) for values in found)
    inside = (column >= 0) & (column < samples) & (row >= 0) & (row < lines)
    index = np.where(inside, row * samples + column, -1)
    return replace(picture, rgba=_gather(picture.rgba, index), transform=transform)


def place_picture(picture: Picture, geolocation: Geolocation, *, scene_samples: int, longest_side: int) -> Picture:
    """A picture in sensor geometry on the map grid of its scene, every n-th row and column of that.

    Parameters
    ----------
    scene_samples
        Samples of the scene, which the geolocation counts in.

    Raises
    ------
    SceneError
        The geolocation does not belong to the scene, or knows no position.
    """
    samples = picture.rgba.shape[2]
    with Spool(None) as spool, geolocation.lookup(spool) as lookup:
        grid = lookup.grid
        step = math.ceil(max(grid.shape) / longest_side)
        parts = [lookup.read(slice(row, row + 1))[0, ::step] for row in range(0, grid.lines, step)]
        index = np.stack(parts)
    line, sample = index // scene_samples, index % scene_samples
    decimated = np.where(index >= 0, line // picture.step * samples + sample // picture.step, -1)
    return replace(
        picture,
        rgba=_gather(picture.rgba, decimated),
        transform=decimated_transform(grid.transform, step),
        crs=grid.crs,
    )


def make_map_picture(raster: ClassRaster, *, longest_side: int, progress: Progress | None = None) -> Picture:
    """A class map in the colours of its classes, in its own geometry; what has no class is transparent.

    Parameters
    ----------
    progress
        Called with (rows read, rows in all).

    Raises
    ------
    LabelError
        The map cannot be read.
    """
    step = math.ceil(max(raster.grid.shape) / longest_side)
    rows = []
    for start, strip in raster.strips():
        rows.append(strip[-start % step :: step, ::step].copy())  # a view would keep the whole strip
        if progress is not None:
            progress(start + len(strip), raster.grid.lines)
    ids = np.concatenate(rows)
    palette = np.zeros((max(raster.classes.ids, default=0) + 1, 4), dtype=np.uint8)
    for entry in raster.classes:
        palette[entry.id] = (*entry.color, 255)
    placed = raster.grid.has_transform
    return Picture(
        rgba=np.ascontiguousarray(palette[np.clip(ids, 0, len(palette) - 1)].transpose(2, 0, 1)),
        step=step,
        transform=decimated_transform(raster.grid.transform, step) if placed else Affine.identity(),
        crs=raster.grid.crs,
        bands=(0,),
    )


def metres_per_unit(picture: Picture) -> tuple[float, float] | None:
    """Metres in one unit of x and of y in the middle of a picture; `None` without a CRS, or in a plane of its own."""
    if picture.crs is None or not is_placed(picture):
        return None
    crs = CRS.from_wkt(picture.crs)
    if crs.is_geographic:
        _, y = picture.transform @ (picture.rgba.shape[2] / 2, picture.rgba.shape[1] / 2)
        return _METRES_PER_DEGREE * math.cos(math.radians(y)), _METRES_PER_DEGREE
    factor = float(crs.linear_units_factor[1])
    return factor, factor


def _gather(rgba: NDArray[np.uint8], index: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels by their number in the picture, transparent where that is -1."""
    flat = np.concatenate([rgba.reshape(4, -1), np.zeros((4, 1), dtype=np.uint8)], axis=1)
    return np.ascontiguousarray(flat[:, np.where(index < 0, flat.shape[1] - 1, index)])
