"""What a scene is: one georeferenced hyperspectral cube as a lazy ``DataArray`` with dims ``(band, y, x)``.

Values are float32 reflectance (or whatever unit the file has, its scale factors applied), NaN where the file has
no data. The spectral axis carries the coordinates ``band`` (from 1, as GDAL counts), ``wavelength`` and ``fwhm`` in
nm (absent where unknown) and ``good``. The CRS and transform sit in ``spatial_ref`` the way rioxarray writes them,
so ``scene.rio`` works. A rotated grid has no ``x`` and ``y`` coordinates: 1-D ones would be wrong, and 2-D ones
cost 16 bytes a pixel. It has ``row`` and ``column`` instead, the position in the scene as opened: xarray cuts them with
the pixels, but leaves the transform as it was, and a map of the cut would silently lie in the wrong place.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from affine import Affine
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.grid import Grid, GroundControlPoint

__all__ = ["TRANSFORM_AS_OPENED", "check_scene", "grid_of", "make_scene", "spatial_coords", "spectral_axis"]

SCENE_DIMS = ("band", "y", "x")

_UNEVEN = 0.05
"""Largest deviation of a place from even spacing, as a share of the step, besides what float32 makes of degrees (a
sixth of a 5 m pixel). The last place of a `coarsen` that pads deviates by more."""
_MOST_UNEVEN = 0.25

TRANSFORM_AS_OPENED = "hsigeo_transform"
"""Attribute of ``spatial_ref``: what `row` and `column` refer to. Unlike GeoTransform, nobody rewrites it."""


def make_scene(data: Any, *, grid: Grid, bands: BandTable, attrs: dict[str, Any]) -> xr.DataArray:
    """Put an array, a grid and a band table together.

    Parameters
    ----------
    data : (band, y, x) float32
        NumPy or dask array.
    attrs
        Plain values only. ``source`` is the path, ``repairs`` a list of sentences on what the reader guessed or
        repaired.

    Raises
    ------
    ValueError
        The shapes do not fit.
    """
    if data.shape != (bands.count, *grid.shape):
        raise ValueError(f"data has shape {data.shape}; bands and grid say {(bands.count, *grid.shape)}")
    coords: dict[str, Any] = {"band": np.arange(1, bands.count + 1), "good": ("band", bands.good)}
    if bands.wavelength is not None:
        coords["wavelength"] = ("band", bands.wavelength, {"units": "nm"})
    if bands.fwhm is not None:
        coords["fwhm"] = ("band", bands.fwhm, {"units": "nm"})
    coords.update(spatial_coords(grid))
    return xr.DataArray(data, dims=SCENE_DIMS, coords=coords, attrs=attrs, name="reflectance")


def spatial_coords(grid: Grid) -> dict[str, Any]:
    """The coordinates that place an array with dims ``(…, y, x)`` on the Earth, as rioxarray reads them."""
    attrs: dict[str, Any] = {}
    if grid.has_transform:
        attrs["GeoTransform"] = " ".join(repr(float(term)) for term in grid.transform.to_gdal())
    if grid.crs is not None:
        attrs["crs_wkt"] = attrs["spatial_ref"] = grid.crs
    if grid.ground_control_points:
        features = [_to_geojson(point) for point in grid.ground_control_points]
        attrs["gcps"] = json.dumps({"type": "FeatureCollection", "features": features})
    coords: dict[str, Any] = {"spatial_ref": ((), 0, attrs)}
    if grid.has_transform and grid.is_rectilinear:
        t = grid.transform
        coords["x"] = ("x", t.c + t.a * (np.arange(grid.samples) + 0.5))
        coords["y"] = ("y", t.f + t.e * (np.arange(grid.lines) + 0.5))
    elif grid.has_transform or grid.ground_control_points:
        coords["row"] = ("y", np.arange(grid.lines))
        coords["column"] = ("x", np.arange(grid.samples))
        if grid.has_transform:
            attrs[TRANSFORM_AS_OPENED] = attrs["GeoTransform"]
    return coords


def grid_of(array: xr.DataArray | xr.Dataset) -> Grid:
    """Size and georeference of anything with dims ``y`` and ``x``.

    An array that was cut or subsampled after opening is placed by coordinates that xarray keeps in step: a
    rectilinear one by ``x`` and ``y``, any other by ``row`` and ``column``.
    """
    lines, samples = int(array.sizes["y"]), int(array.sizes["x"])
    attrs = array.coords["spatial_ref"].attrs if "spatial_ref" in array.coords else {}
    transform = Affine.identity()
    if "GeoTransform" in attrs:
        transform = _parse_transform(attrs["GeoTransform"])
    if transform.b == 0 and transform.d == 0 and "x" in array.coords and "y" in array.coords:
        transform = _transform_from_centres(array, fallback=transform)
    cut = _cut(array)
    if TRANSFORM_AS_OPENED in attrs:
        transform = _transform_of_cut(transform, _parse_transform(attrs[TRANSFORM_AS_OPENED]), cut)
    points = json.loads(attrs["gcps"])["features"] if "gcps" in attrs else []
    return Grid(
        lines=lines,
        samples=samples,
        transform=transform,
        crs=attrs.get("crs_wkt"),
        ground_control_points=tuple(_of_cut(_from_geojson(point), cut) for point in points),
    )


def spectral_axis(scene: xr.DataArray) -> BandTable:
    """The band table in a scene's coordinates."""

    def values(name: str, dtype: type) -> Any:
        return np.asarray(scene.coords[name].values, dtype=dtype) if name in scene.coords else None

    count = int(scene.sizes["band"])
    good = values("good", bool)
    return BandTable(
        count=count,
        wavelength=values("wavelength", float),
        fwhm=values("fwhm", float),
        good=np.ones(count, dtype=bool) if good is None else good,
    )


def check_scene(scene: xr.DataArray) -> None:
    """Raise `SceneError` unless this is a ``DataArray`` with dims ``(band, y, x)`` that is not empty."""
    dims = getattr(scene, "dims", None)
    if not isinstance(scene, xr.DataArray) or dims != SCENE_DIMS:
        has = "" if dims is None else f" with {tuple(dims)}"
        raise SceneError(f"a scene is a DataArray with dims {SCENE_DIMS}; this is a {type(scene).__name__}{has}")
    if not scene.size:
        raise SceneError(f"a scene has pixels; this one has the shape {scene.shape}")


def _transform_from_centres(array: xr.DataArray | xr.Dataset, fallback: Affine) -> Affine:
    """Rebuild a north-up or south-up transform from pixel centres; a single row or column keeps its pixel size."""
    x, y = np.asarray(array.coords["x"], dtype=float), np.asarray(array.coords["y"], dtype=float)
    dx, dy = _step(x, fallback.a, "x"), _step(y, fallback.e, "y")
    rebuilt = Affine(dx, 0.0, x[0] - dx / 2, 0.0, dy, y[0] - dy / 2)
    # An untouched scene keeps its exact transform: centres carry rounding of the last bit.
    return fallback if rebuilt.almost_equals(fallback, 1e-6 * max(abs(dx), abs(dy))) else rebuilt


def _cut(array: xr.DataArray | xr.Dataset) -> Affine:
    """From (column, row) of outer corners in this array to those in the scene as opened."""
    left, width = _start_and_step(array, "column", "x")
    top, height = _start_and_step(array, "row", "y")
    return Affine(width, 0.0, left, 0.0, height, top)


def _step(places: NDArray[np.float64], otherwise: float, name: str) -> float:
    """The step between places that are evenly spaced, but for what float32 makes of degrees."""
    if len(places) < 2:
        return otherwise
    step = float(places[-1] - places[0]) / (len(places) - 1)
    even = places[0] + step * np.arange(len(places))
    rounding = float(np.spacing(np.abs(places).max().astype(np.float32)))
    allowed = min(_UNEVEN * abs(step) + rounding, _MOST_UNEVEN * abs(step))
    if step == 0 or not (abs(places - even) < allowed).all():
        raise SceneError(f"the {name} coordinate is not evenly spaced: no transform says where such pixels lie")
    return step


def _start_and_step(array: xr.DataArray | xr.Dataset, name: str, dim: str) -> tuple[float, float]:
    if name not in array.coords or array.coords[name].dims != (dim,) or not array.sizes[dim]:
        return 0.0, 1.0
    index = np.asarray(array.coords[name].values, dtype=float)
    step = _step(index, 1.0, name)
    return index[0] + 0.5 - step / 2, step  # the outer corner of a pixel that is `step` wide and centred on the first


def _transform_of_cut(stated: Affine, as_opened: Affine, cut: Affine) -> Affine:
    """The transform of a cut of a rotated scene.

    | the array says                         | who wrote it               | the answer               |
    |----------------------------------------|----------------------------|--------------------------|
    | the transform of the scene as opened   | nobody, since              | that one, moved by `cut` |
    | that one, moved within what was cut    | ``rio.isel_window``, maybe | that one, moved by `cut` |
    |                                        | before a further cut       |                          |
    | one of no extent                       | ``rio.isel_window``, of a  | that one, moved by `cut` |
    |                                        | scene at a right angle     |                          |
    | any other                              | the caller                 | what it says             |
    """
    if stated.is_degenerate:
        return as_opened @ cut
    shift = ~as_opened @ stated
    column, row = round(shift.c), round(shift.f)
    is_window = shift.almost_equals(Affine.translation(column, row), 1e-6)
    if is_window and 0 <= column <= max(cut.c, 0) and 0 <= row <= max(cut.f, 0):
        return as_opened if cut == Affine.identity() else as_opened @ cut
    return stated


def _of_cut(point: GroundControlPoint, cut: Affine) -> GroundControlPoint:
    if cut == Affine.identity():
        return point
    column, row = ~cut @ (point.col, point.row)
    return replace(point, row=row, col=column)


def _parse_transform(text: object) -> Affine:
    return Affine.from_gdal(*(float(term) for term in str(text).split()))


def _to_geojson(point: GroundControlPoint) -> dict[str, Any]:
    """GeoJSON in the layout of rioxarray's ``write_gcps``."""
    return {
        "type": "Feature",
        "properties": {"id": "", "info": "", "row": point.row, "col": point.col},
        "geometry": {"type": "Point", "coordinates": [point.x, point.y, point.z]},
    }


def _from_geojson(feature: dict[str, Any]) -> GroundControlPoint:
    x, y, *rest = feature["geometry"]["coordinates"]
    properties = feature["properties"]
    return GroundControlPoint(row=properties["row"], col=properties["col"], x=x, y=y, z=rest[0] if rest else 0.0)
