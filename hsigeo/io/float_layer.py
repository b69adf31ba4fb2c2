"""Writes a float raster on a scene's grid, strip by strip: layers other than classes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import rasterio
import xarray as xr
from rasterio.windows import Window

from hsigeo.atomic import replaced_on_success
from hsigeo.errors import OutputError
from hsigeo.io.georeference import open_quietly, profile_of_grid
from hsigeo.io.map_files import CACHE_BYTES, check_written, compression, naming, remove_stale, require_space
from hsigeo.io.map_layers import Layer
from hsigeo.io.sidecars import make_ramp_qml, qml_path
from hsigeo.io.strips import StripPlan, compute_strips
from hsigeo.progress import Progress
from hsigeo.scene import grid_of
from hsigeo.software import SOFTWARE

__all__ = ["write_float_layer"]


def write_float_layer(
    array: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    ramp: tuple[float, float] | None = None,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Compute and write a tiled GeoTIFF, float32, NaN where there is nothing to say.

    Parameters
    ----------
    array : (y, x)
        Lazy or not, with the scene's coordinates; its name describes the band, and ``attrs["units"]`` its values.
    ramp
        Values that a GIS shows darkest and lightest; a ``.qml`` beside the layer says so. `None` writes none.
    metadata
        Dataset tags.
    progress
        Called with (pixels written, pixels in all) after each strip.

    Raises
    ------
    OutputExistsError, OutputError
        The file exists and `overwrite` is false, has another ending, or cannot be written. Nothing is left behind.
    """
    if Path(path).suffix.casefold() not in (".tif", ".tiff"):
        raise OutputError(f"{path}: layers are written as GeoTIFF; give a name that ends in .tif")
    grid = grid_of(array)
    layer = Layer(
        path=Path(path),
        array=array.data,
        dtype="float32",
        nodata=math.nan,
        descriptions=(str(array.name or "value"),),
        tag="",
        overviews=None,
        ramp=ramp,
    )
    chunks = getattr(array.data, "chunks", None)
    plan = StripPlan(grid.lines, None if chunks is None else chunks[0], 4 * grid.samples)
    options: dict[str, Any] = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": math.nan, "tiled": True, "blockxsize": 256,
        "blockysize": 256, "BIGTIFF": "IF_SAFER", **compression(layer), **profile_of_grid(grid),
    }  # fmt: skip
    with ExitStack() as stack:
        # Unwound backwards: the layer is renamed before the style that describes it.
        if ramp is not None:
            style = stack.enter_context(replaced_on_success(qml_path(layer.path), overwrite=overwrite))
            style.write_bytes(make_ramp_qml(*ramp, unit=str(array.attrs.get("units", ""))))
        file = stack.enter_context(replaced_on_success(path, overwrite=overwrite))
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES))
        with naming(layer.path), open_quietly(file, "w", **options) as dataset:
            dataset.update_tags(**(metadata or {}), TIFFTAG_SOFTWARE=SOFTWARE)
            dataset.set_band_description(1, layer.descriptions[0])
            with closing(compute_strips([array.data], plan)) as computed:
                for (start, stop), (rows,) in computed:
                    require_space(layer.path, rows.nbytes + CACHE_BYTES)
                    dataset.write(rows.astype("float32"), 1, window=Window(0, start, grid.samples, stop - start))
                    if progress is not None:
                        progress(stop * grid.samples, grid.lines * grid.samples)
        with naming(layer.path):
            check_written(file, layer, grid)
    remove_stale(layer.path)
