"""Small vector label files, written by GDAL."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely


def write_vectors(
    path: Path,
    geometries: Sequence[Any],
    columns: dict[str, Sequence[Any]],
    *,
    crs: str | None = "EPSG:32633",
    layer: str = "labels",
    append: bool = False,
) -> Path:
    """Write features; `None` is a missing geometry or value, and no geometries at all make a table."""
    geometries = list(geometries)
    values, masks = [], []
    for column in columns.values():
        missing = np.array([value is None for value in column])
        is_text = any(isinstance(value, str) for value in column)
        values.append(
            np.array(column if is_text else [0 if v is None else v for v in column], dtype=object if is_text else None)
        )
        masks.append(missing)
    kinds = {geometry.geom_type for geometry in geometries if geometry is not None}
    options = {"layer": layer} if path.suffix == ".gpkg" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "no CRS" is what some tests are about
        pyogrio.raw.write(
            path,
            shapely.to_wkb(np.array(geometries, dtype=object)) if geometries else None,
            values,
            list(columns),
            field_mask=masks,
            geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown" if kinds else None,
            crs=crs if geometries else None,
            append=append,
            **options,
        )
    return path
