"""Class maps of any size, in patches, and labels that fit the scenes."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
import rasterio
import xarray as xr
from numpy.typing import NDArray

from benchmarks.memory.scenes import CLASSES
from hsigeo.classes import ClassTable
from hsigeo.grid import Grid
from hsigeo.io import write_map
from hsigeo.io.georeference import profile_of_grid
from hsigeo.scene import spatial_coords

__all__ = ["write_label_raster", "write_patches"]

_PATCH, _ROWS = 16, 256
_LABELS_OF_ROW, _LABELLED_ROWS = 50, 20


def write_patches(folder: Path, name: str, grid: Grid, *, scene: Path) -> Path:
    """``NAME_map.tif`` with confidence and probabilities beside it: square patches of chance classes."""
    chunks = (tuple(min(_ROWS, grid.lines - top) for top in range(0, grid.lines, _ROWS)), (grid.samples,))
    ids = da.map_blocks(_make_ids, dtype=np.uint8, chunks=chunks, meta=np.empty((0, 0), np.uint8))
    probability = da.map_blocks(
        _make_probabilities,
        ids,
        dtype=np.float32,
        new_axis=0,
        chunks=((CLASSES,), *chunks),
        meta=np.empty((0, 0, 0), np.float32),
    )
    classes = ClassTable.from_names([f"kind {kind + 1}" for kind in range(CLASSES)])
    attrs = {"classes": classes.to_json(), "metadata": {"scene": str(scene), "model_sha256": "0" * 64}}
    result = xr.Dataset(
        {
            "class_id": (("y", "x"), ids, attrs),
            "confidence": (("y", "x"), probability.max(axis=0)),
            "probability": (("class", "y", "x"), probability),
        },
        coords=spatial_coords(grid),
    )
    made = folder / f"{name}_map.tif"
    write_map(
        result, made, confidence=folder / f"{name}_confidence.tif", probabilities=folder / f"{name}_probabilities.tif"
    )
    return made


def write_label_raster(path: Path, grid: Grid, *, every: int) -> Path:
    """A raster with a thousand labelled pixels, in rows of which one in so many has data."""
    ids = np.zeros((grid.lines, grid.samples), dtype=np.uint8)
    rows = np.arange(0, grid.lines, every)
    rows = rows[:: max(1, len(rows) // _LABELLED_ROWS)]
    number = np.arange(_LABELS_OF_ROW)
    ids[rows[:, None], (number * grid.samples // _LABELS_OF_ROW)[None]] = 1 + (number + rows[:, None]) % CLASSES
    options = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": 0, "compress": "deflate", "tiled": True}
    with rasterio.open(path, "w", **options, **profile_of_grid(grid)) as dataset:
        dataset.write(ids, 1)
    return path


def _make_ids(block_info: dict[int | None, dict[str, list[tuple[int, int]]]]) -> NDArray[np.uint8]:
    (top, bottom), (_, samples) = block_info[None]["array-location"]
    kinds = np.random.default_rng(top).integers(1, CLASSES + 1, (-(-(bottom - top) // _PATCH), -(-samples // _PATCH)))
    ids: NDArray[np.uint8] = kinds.repeat(_PATCH, 0).repeat(_PATCH, 1)[: bottom - top, :samples].astype(np.uint8)
    return ids


def _make_probabilities(ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    random = np.random.default_rng(len(ids))
    sure = random.uniform(0.4, 1.0, ids.shape).astype(np.float32)
    kinds = np.arange(1, CLASSES + 1, dtype=np.uint8)[:, None, None]
    made: NDArray[np.float32] = np.where(kinds == ids, sure, (1 - sure) / (CLASSES - 1)).astype(np.float32)
    return made
