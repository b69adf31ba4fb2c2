"""Reprojects labels onto a grid, or says why they cannot be placed."""

from __future__ import annotations

from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from hsigeo.errors import LabelError
from hsigeo.grid import Grid, apply_transform
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import find_crs
from hsigeo.io.labels.misplaced import explain_miss

__all__ = ["parse_crs", "to_pixel_coordinates"]


def parse_crs(text: str, *, where: str) -> CRS:
    """A CRS from anything people write: ``EPSG:32633``, WKT, a PROJ string.

    Raises
    ------
    LabelError
        GDAL does not know it.
    """
    crs = find_crs(text)
    if crs is None:
        raise LabelError(f"{where}: {text!r:.80} is not a CRS; write for instance EPSG:32633")
    return crs


def to_pixel_coordinates(geometries: NDArray[Any], crs: str | None, grid: Grid, *, where: str) -> NDArray[Any]:
    """Geometries in (column, row) of the grid, as floats; (0, 0) is the outer corner of the first pixel.

    Vertices are transformed, edges stay straight: for polygons of a few hundred pixels the difference is far
    below one pixel.

    Parameters
    ----------
    geometries : (feature,) geometries
        Coordinates in the order x, y (longitude, latitude), as files hold them. Missing ones stay missing.
    crs
        CRS of the geometries; `None` where the file states none.

    Returns
    -------
    (feature,) geometries
        Missing where the grid's CRS does not reach.

    Raises
    ------
    LabelError
        The grid has no transform, only one of the two has a CRS, or there is no way from one CRS to the other.
    """
    _check_placeable(crs, grid, where=where)
    if crs is not None and grid.crs is not None:
        source = parse_crs(crs, where=where)
        target = parse_crs(grid.crs, where="the scene")
        if source != target:
            wide = _is_wide(geometries) & source.is_geographic
            try:
                geometries = _reproject(geometries, source, target)
            except GDAL_ERRORS as error:
                raise LabelError(
                    f"{where}: its coordinates cannot be transformed from {_short(source)} to the scene's "
                    f"{_short(target)}: {reason(error)}; {explain_miss(geometries, crs, grid)}"
                ) from error
            if target.is_geographic:
                geometries = _without_jumps(geometries, _is_wide(geometries) & ~wide)
        if target.is_geographic:
            geometries = _on_this_turn(geometries, grid)
    inverse = ~grid.transform

    def to_pixels(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(apply_transform(inverse, *xy.T))

    moved: NDArray[Any] = shapely.transform(geometries, to_pixels)
    return moved


def _check_placeable(crs: str | None, grid: Grid, *, where: str) -> None:
    scene = f"the scene ({grid.lines} lines x {grid.samples} samples)"
    if grid.ground_control_points and not grid.has_transform:
        raise LabelError(
            f"{where}: {scene} is placed by {len(grid.ground_control_points)} ground control points only, which do not "
            "place each pixel exactly; warp it to a map grid first, or label it with a raster of its own size"
        )
    if not grid.has_transform:
        raise LabelError(f"{where}: {scene} has no georeference; label it with a raster of its own size")
    if grid.transform.is_degenerate:
        raise LabelError(f"{where}: {scene} has pixels of zero size; its transform is {tuple(grid.transform)[:6]}")
    if crs is None and grid.crs is not None:
        raise LabelError(f"{where}: the file states no CRS; say which with --labels-crs, for instance EPSG:32633")
    if crs is not None and grid.crs is None:
        raise LabelError(
            f"{where}: {scene} has a transform but no CRS, so labels in {crs:.40} cannot be placed on it; add a "
            "'coordinate system string' to its header, or label it with a raster of its own size"
        )


def _is_wide(geometries: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether x spans more than half a turn; missing ones do not."""
    left, _, right, _ = np.moveaxis(shapely.bounds(geometries), -1, 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(right - left > 180)


def _without_jumps(geometries: NDArray[Any], torn: NDArray[np.bool_]) -> NDArray[Any]:
    """PROJ returns longitudes of -180 to 180, which tears what lies across the 180th meridian."""
    mended = geometries.copy()
    mended[torn] = shapely.transform(geometries[torn], lambda xy: np.column_stack((xy[:, 0] % 360, xy[:, 1])))
    return mended


def _on_this_turn(geometries: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Each moved by whole turns to where the grid has its longitudes: 181° and -179° are one place."""
    middle, _ = grid.transform @ (grid.samples / 2, grid.lines / 2)
    left, _, right, _ = np.moveaxis(shapely.bounds(geometries), -1, 0)
    turns = np.round((middle - (left + right) / 2) / 360)
    moved = geometries.copy()
    far = np.isfinite(turns) & (turns != 0)
    xy, owner = shapely.get_coordinates(geometries[far], return_index=True)
    xy[:, 0] += 360 * turns[far][owner]
    moved[far] = shapely.set_coordinates(geometries[far], xy)
    return moved


def _reproject(geometries: NDArray[Any], source: CRS, target: CRS) -> NDArray[Any]:
    def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = transform_coordinates(source, target, xy[:, 0], xy[:, 1])
        return np.column_stack((x, y))

    with rasterio.Env():
        try:
            moved: NDArray[Any] = shapely.transform(geometries, move)
        except GDAL_ERRORS:
            # GDAL fails as a whole where one vertex fails; one feature that no UTM zone holds must not lose the rest.
            moved = _reproject_one_by_one(geometries, move)
            if shapely.is_missing(moved).all():
                raise
    finite = np.isfinite(shapely.bounds(moved)).all(axis=1)
    moved[~finite] = None
    return moved


def _reproject_one_by_one(geometries: NDArray[Any], move: Any) -> NDArray[Any]:
    moved = np.full(len(geometries), None, dtype=object)
    for number, geometry in enumerate(geometries):
        if geometry is not None:
            try:
                moved[number] = shapely.transform(geometry, move)
            except GDAL_ERRORS:
                continue
    return moved


def _short(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else f"{crs.to_wkt():.60}"
