"""From the pixels of one grid to those of another, by the exact inverse transform.

The strategy here: a target pixel takes the source pixel in which its centre lies. Within one CRS that is one affine
map. Between two, asking PROJ for every pixel costs 1.5 µs each; so PROJ places every 32nd pixel, the ones between are
interpolated, and the error of that is measured in the middle of each cell, where it is largest. Only pixels that lie
closer to an edge than that error are asked for one by one. The result is the exact one; the doubt would be a projection
with a kink inside a cell, and a cell whose corners PROJ cannot place is therefore asked for whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform

from hsigeo.grid import Grid, apply_transform
from hsigeo.io.gdal_errors import GDAL_ERRORS

__all__ = ["PixelIndex", "Placement", "project"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_STEP = 32
_SNAP = 1e-6
"""Pixels. A centre on an edge belongs to the next pixel, whatever the last digits of two transforms say."""
_LARGEST_ERROR = 0.25
_SAFETY = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelIndex:
    """For every pixel of a block, which pixel of another raster lies there.

    Parameters
    ----------
    rows, cols : (y, x) int64
        Counted from 0; -1 where the other raster has no pixel.
    """

    rows: IntArray
    cols: IntArray

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(y, x) whether the other raster has a pixel there."""
        mask: NDArray[np.bool_] = self.rows >= 0
        return mask

    def part(self, rows: slice, cols: slice) -> PixelIndex:
        """The index of a part of the block; a view."""
        return PixelIndex(rows=self.rows[rows, cols], cols=self.cols[rows, cols])


class Placement:
    """Where the pixels of a target grid lie in a source grid.

    Parameters
    ----------
    source, target
        Both with CRS and transform. Longitudes of a target may go beyond 180.
    """

    def __init__(self, source: Grid, target: Grid) -> None:
        from_crs, to_crs = CRS.from_wkt(target.crs), CRS.from_wkt(source.crs)
        self._shape = source.shape
        self._from_target = target.transform
        self._to_source = ~source.transform
        self._between: tuple[CRS, CRS] | None = None if from_crs == to_crs else (from_crs, to_crs)
        middle = source.transform * (source.samples / 2, source.lines / 2)
        self._middle_longitude = middle[0] if to_crs.is_geographic else None

    def positions(self, rows: FloatArray, cols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Row and column in the source, as fractions, of target pixels given by row and column; infinite if nowhere."""
        x, y = apply_transform(self._from_target, cols + 0.5, rows + 0.5)
        if self._between is not None:
            x, y = project(x, y, *self._between)
        if self._middle_longitude is not None:
            turns = np.where(np.isfinite(x), np.round((self._middle_longitude - x) / 360), 0.0)
            x = x + 360 * turns
        with np.errstate(invalid="ignore"):
            col, row = apply_transform(self._to_source, x, y)
        return row, col

    def locate(self, rows: slice, cols: slice) -> PixelIndex:
        """The source pixel under the centre of each target pixel of a block."""
        row = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None]
        col = np.arange(cols.start, cols.stop, dtype=np.float64)[None, :]
        if self._between is None or min(row.size, col.size) <= _STEP // 4:
            return self._index(*self.positions(*np.broadcast_arrays(row, col)))
        return self._index(*self._interpolate(row, col))

    def _interpolate(self, row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """`positions`, to within what decides which pixel it is."""
        node_rows, node_cols = _nodes(row.ravel()), _nodes(col.ravel())
        nodes = self.positions(*np.meshgrid(node_rows, node_cols, indexing="ij"))
        middle_rows, middle_cols = (node_rows[1:] + node_rows[:-1]) / 2, (node_cols[1:] + node_cols[:-1]) / 2
        middles = self.positions(*np.meshgrid(middle_rows, middle_cols, indexing="ij"))
        exact = np.zeros((row.size, col.size), dtype=bool)
        results = []
        for node, middle in zip(nodes, middles, strict=True):
            if not (np.isfinite(node).all() and np.isfinite(middle).all()):
                return self.positions(*np.broadcast_arrays(row, col))
            guess = (node[1:, 1:] + node[:-1, 1:] + node[1:, :-1] + node[:-1, :-1]) / 4
            error = _SAFETY * np.abs(guess - middle).max() + _SNAP
            if error > _LARGEST_ERROR:
                return self.positions(*np.broadcast_arrays(row, col))
            result = _bilinear(node, node_rows, node_cols, row.ravel(), col.ravel())
            exact |= np.abs(result - np.round(result)) <= error + _SNAP
            results.append(result)
        at = np.nonzero(exact)
        for result, value in zip(results, self.positions(row[at[0], 0], col[0, at[1]]), strict=True):
            result[at] = value
        return results[0], results[1]

    def _index(self, row: FloatArray, col: FloatArray) -> PixelIndex:
        lines, samples = self._shape
        row, col = np.floor(row + _SNAP), np.floor(col + _SNAP)
        with np.errstate(invalid="ignore"):
            inside = (row >= 0) & (row < lines) & (col >= 0) & (col < samples)  # NaN and infinity compare false
        return PixelIndex(
            rows=np.where(inside, row, -1).astype(np.int64), cols=np.where(inside, col, -1).astype(np.int64)
        )


def project(x: FloatArray, y: FloatArray, from_crs: CRS, to_crs: CRS) -> tuple[FloatArray, FloatArray]:
    """Map coordinates in another CRS, x before y; infinite where there is none."""
    if not x.size:
        return x, y
    to_x, to_y = _project_row(x.ravel(), y.ravel(), from_crs, to_crs)
    return to_x.reshape(x.shape), to_y.reshape(x.shape)


def _project_row(x: FloatArray, y: FloatArray, from_crs: CRS, to_crs: CRS) -> tuple[FloatArray, FloatArray]:
    """One point that a projection cannot show fails all that go with it: halves find it."""
    try:
        moved: Any = transform(from_crs, to_crs, x, y)
    except GDAL_ERRORS:
        if len(x) == 1:
            return np.array([np.inf]), np.array([np.inf])
        middle = len(x) // 2
        parts = [_project_row(x[half], y[half], from_crs, to_crs) for half in (slice(middle), slice(middle, None))]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    return np.array(moved[0]), np.array(moved[1])


def _nodes(values: FloatArray) -> FloatArray:
    return np.append(values[:-1:_STEP], values[-1])


def _bilinear(
    node: FloatArray, node_rows: FloatArray, node_cols: FloatArray, rows: FloatArray, cols: FloatArray
) -> FloatArray:
    below, down = _weights(node_rows, rows)
    left, right = _weights(node_cols, cols)
    across = node[:, left] + right * (node[:, left + 1] - node[:, left])  # (node row, x)
    result: FloatArray = across[below] + down[:, None] * (across[below + 1] - across[below])
    return result


def _weights(nodes: FloatArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
    """The node before each value, and how far it is to the next, 0-1."""
    before = np.minimum(((values - nodes[0]) // _STEP).astype(np.int64), len(nodes) - 2)
    return before, (values - nodes[before]) / (nodes[before + 1] - nodes[before])
