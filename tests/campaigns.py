"""Maps of flight lines, small and synthetic, as `hsigeo classify` leaves them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from hsigeo.classes import ClassTable
from hsigeo.grid import Grid
from hsigeo.io.georeference import profile_of_grid
from hsigeo.io.map_tag import TAG, make_tag

CLASSES = ClassTable.from_names(["Oak & elm", "Wasser <süß>", "水", "soil"])
UTM33 = rasterio.CRS.from_epsg(32633).to_wkt()
UTM32 = rasterio.CRS.from_epsg(32632).to_wkt()
LONLAT = rasterio.CRS.from_epsg(4326).to_wkt()


def make_line_grid(
    lines: int,
    samples: int,
    *,
    east: float = 380_000.0,
    north: float = 5_820_000.0,
    turn: float = 23.0,
    size: float = 4.0,
    crs: str = UTM33,
) -> Grid:
    """A grid turned by so many degrees about its first corner."""
    transform = Affine.translation(east, north) @ Affine.rotation(turn) @ Affine.scale(size, -size)
    return Grid(lines=lines, samples=samples, transform=transform, crs=crs)


def write_line(
    path: Path,
    grid: Grid,
    ids: np.ndarray,
    *,
    classes: ClassTable = CLASSES,
    confidence: np.ndarray | None = None,
    probabilities: np.ndarray | None = None,
    metadata: dict[str, Any] | None = None,
) -> Path:
    """Write ``NAME_map.tif`` and the layers given, and return the map's path."""
    tag = make_tag(classes, {"model_sha256": "0" * 64} if metadata is None else metadata)
    stem = path.stem.removesuffix("_map")
    layers = {path: (ids[None], classes.dtype, 0)}
    if confidence is not None:
        layers[path.with_name(f"{stem}_confidence.tif")] = (confidence[None], "float32", math.nan)
    if probabilities is not None:
        layers[path.with_name(f"{stem}_probabilities.tif")] = (probabilities, "float32", math.nan)
    for file, (array, dtype, nodata) in layers.items():
        with rasterio.open(
            file, "w", driver="GTiff", dtype=dtype, count=len(array), nodata=nodata, **profile_of_grid(grid)
        ) as dataset:
            dataset.write(array.astype(dtype))
            dataset.update_tags(**{TAG: tag})
            if dtype != "float32":
                dataset.write_colormap(1, {entry.id: (*entry.color, 255) for entry in classes})
    return path


def make_ids(grid: Grid, seed: int = 0, *, border: int = 1, classes: int = len(CLASSES)) -> np.ndarray:
    """Random class ids in blobs of a few pixels, 0 along the edges of the swath."""
    random = np.random.default_rng(seed)
    coarse = random.integers(1, classes + 1, size=(-(-grid.lines // 3), -(-grid.samples // 3)))
    ids = np.kron(coarse, np.ones((3, 3), dtype=np.int64))[: grid.lines, : grid.samples]
    ids[:, :border] = ids[:, grid.samples - border :] = 0
    return ids.astype(np.uint8)


def make_probabilities_of(ids: np.ndarray, seed: int = 0, classes: int = len(CLASSES)) -> np.ndarray:
    """(class, y, x) that are highest at the ids given, NaN where these are 0."""
    random = np.random.default_rng(seed)
    values = random.random((classes, *ids.shape)).astype(np.float32)
    for number in range(1, classes + 1):
        values[number - 1][ids == number] += 1
    values /= values.sum(axis=0)
    values[:, ids == 0] = np.nan
    return values


def read(path: Path) -> np.ndarray:
    """The first band."""
    with rasterio.open(path) as dataset:
        return dataset.read(1)
