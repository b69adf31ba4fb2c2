"""Classifications as `hsigeo.classification` returns them, lazy and synthetic."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import rasterio
import xarray as xr
from affine import Affine

from hsigeo.classes import ClassTable
from hsigeo.grid import Grid
from hsigeo.scene import spatial_coords

ROTATED = Affine.translation(380000, 5820000) @ Affine.rotation(37) @ Affine.scale(30, -12)
NAMES = ("Oak & elm", "Wasser <süß>", "水", 'quote "x"', "soil")


def make_grid(lines: int, samples: int, **changes: Any) -> Grid:
    georeference = {"transform": ROTATED, "crs": rasterio.CRS.from_epsg(32633).to_wkt()} | changes
    return Grid(lines=lines, samples=samples, **georeference)


def make_probabilities(classes: int, lines: int, samples: int) -> np.ndarray:
    """(class, y, x) that sum to 1, NaN in the first column and in the lower right corner."""
    random = np.random.default_rng(classes * lines * samples)
    values = random.random((classes, lines, samples)).astype(np.float32)
    values /= values.sum(axis=0)
    values[:, :, 0] = np.nan
    values[:, lines * 3 // 4 :, samples * 3 // 4 :] = np.nan
    return values


def make_result(
    lines: int = 90,
    samples: int = 70,
    *,
    names: tuple[str, ...] = NAMES,
    grid: Grid | None = None,
    chunks: tuple[int, int] | None = (25, -1),
    metadata: dict[str, Any] | None = None,
) -> xr.Dataset:
    """A classification of `lines` x `samples` pixels; `chunks` of `None` gives NumPy arrays."""
    classes = ClassTable.from_names(names)
    values = make_probabilities(len(names), lines, samples)
    ids = np.where(np.isnan(values[0]), 0, np.argmax(np.nan_to_num(values), axis=0) + 1).astype(classes.dtype)
    probability: Any = values
    class_id: Any = ids
    if chunks is not None:
        probability = da.from_array(values, chunks=(-1, *chunks))
        class_id = da.from_array(ids, chunks=chunks)
    attrs = {"classes": classes.to_json(), "metadata": {"scene": "scene.hdr"} if metadata is None else metadata}
    return xr.Dataset(
        {
            "class_id": (("y", "x"), class_id, attrs),
            "confidence": (("y", "x"), probability.max(axis=0)),
            "probability": (("class", "y", "x"), probability),
        },
        coords={
            "class": list(classes.ids),
            "class_name": ("class", list(names)),
            **spatial_coords(grid or make_grid(lines, samples)),
        },
    )
