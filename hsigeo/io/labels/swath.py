"""Labels on scenes in sensor geometry: polygons lie on a map, and must find the pixels of the sensor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.io.geolocation import Lookup
from hsigeo.io.labels.raster import RasterLabels
from hsigeo.io.orthorectification import geolocation_of
from hsigeo.io.spool import Spool
from hsigeo.labels import LabelledPixels, LabelSource
from hsigeo.scene import grid_of

__all__ = ["labels_on"]

_ROWS = 512


def labels_on(source: LabelSource, scene: xr.DataArray) -> LabelledPixels:
    """The labels that fall on a scene; for one in sensor geometry, through its geolocation.

    A label goes to the sensor pixel that its map pixel would be taken from. A label raster without a georeference that
    has the size of the scene labels the sensor's pixels directly.

    Raises
    ------
    LabelError
        The labels cannot be placed.
    SceneError
        The geolocation cannot be read.
    """
    drawn_on_sensor = isinstance(source, RasterLabels) and not source.raster.grid.has_transform
    geolocation = None if drawn_on_sensor else geolocation_of(scene)
    if geolocation is None:
        return source.on(grid_of(scene))
    with Spool() as spool, geolocation.lookup(spool) as lookup:
        found = source.on(lookup.grid)
        index = _sensor_pixels(found, lookup)
    return _to_sensor(found, index, samples=scene.sizes["x"])


def _sensor_pixels(found: LabelledPixels, lookup: Lookup) -> NDArray[np.int64]:
    """(label,) the sensor pixel of each labelled map pixel, -1 where there is none."""
    index = np.full(len(found), -1, dtype=np.int64)
    for start in np.unique(found.row // _ROWS) * _ROWS:
        here = (found.row >= start) & (found.row < start + _ROWS)
        row, col = found.row[here], found.col[here]
        top, left = int(row.min()), int(col.min())
        window = lookup.read(slice(top, int(row.max()) + 1), slice(left, int(col.max()) + 1))
        index[here] = window[row - top, col - left]
    return index


def _to_sensor(found: LabelledPixels, index: NDArray[np.int64], *, samples: int) -> LabelledPixels:
    """Each sensor pixel once, in row-major order; what two classes claim is dropped and counted."""
    kept = np.flatnonzero(index >= 0)
    pixel, first, owner = np.unique(index[kept], return_index=True, return_inverse=True)
    lowest = np.full(len(pixel), np.iinfo(np.int32).max, dtype=np.int32)
    highest = np.zeros(len(pixel), dtype=np.int32)
    np.minimum.at(lowest, owner, found.class_id[kept])
    np.maximum.at(highest, owner, found.class_id[kept])
    agreed = lowest == highest
    chosen = kept[first[agreed]]
    report = replace(
        found.report,
        pixels_not_seen=len(index) - len(kept),
        pixels_contradicting=found.report.pixels_contradicting + int((~agreed).sum()),
        pixels_repeated=found.report.pixels_repeated + len(kept) - len(pixel),
    )
    return replace(
        found,
        row=pixel[agreed] // samples,
        col=pixel[agreed] % samples,
        class_id=found.class_id[chosen],
        group=found.group[chosen],
        report=report,
    )
