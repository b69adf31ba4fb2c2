"""Ground truth from files: points, lines and polygons, label rasters, spectral libraries."""

from __future__ import annotations

import os
from pathlib import Path

from hsigeo.errors import LabelError
from hsigeo.io.labels.library import SpectralLibrary, is_spectral_library, open_spectral_library
from hsigeo.io.labels.merging import merge_class_tables, relabel
from hsigeo.io.labels.point_table import open_point_table
from hsigeo.io.labels.raster import RasterLabels, open_raster_labels
from hsigeo.io.labels.vector import VectorLabels, open_vector_labels
from hsigeo.labels import LabelSource

__all__ = [
    "RasterLabels",
    "SpectralLibrary",
    "VectorLabels",
    "is_spectral_library",
    "merge_class_tables",
    "open_labels",
    "open_spectral_library",
    "relabel",
]

_VECTOR_SUFFIXES = frozenset(
    {
        ".fgb",
        ".gdb",
        ".geojson",
        ".geojsonl",
        ".geojsons",
        ".gml",
        ".gpkg",
        ".json",
        ".kml",
        ".parquet",
        ".shp",
        ".sqlite",
        ".tab",
        ".zip",
    }
)
_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_SPREADSHEET_SUFFIXES = frozenset({".ods", ".xls", ".xlsx"})


def open_labels(
    path: str | os.PathLike[str],
    *,
    field: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
) -> LabelSource:
    """Open ground truth: a vector file, a table of points, or a raster of class ids.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile, FlatGeobuf and other vector formats of GDAL; a CSV table with a column for each
        coordinate of a point; or a GeoTIFF or ENVI raster of class ids on the scene's grid.
    field
        Column of a vector file that holds the class, as text or whole numbers. `None` takes the only one possible.
    layer
        Layer of a vector file; `None` takes the only one with geometries.
    crs
        CRS of a file that states none, for instance ``EPSG:32633``.
    encoding
        Of the text in a table, shapefile or ENVI header that is not UTF-8, for instance ``GBK``.

    Returns
    -------
    LabelSource
        Its classes are known; ask it for the pixels ``on`` a grid.

    Raises
    ------
    LabelError
        There is no such file, it is no label file, it is not clear which column or layer to use (the message lists
        those there are), or what encoding its text is in.
    """
    name = os.fspath(path)
    if not Path(name).exists():
        raise LabelError(f"{name} does not exist; give a vector file or a label raster")
    if Path(name).suffix.casefold() in _VECTOR_SUFFIXES:
        return open_vector_labels(name, field=field, layer=layer, crs=crs, encoding=encoding)
    if Path(name).is_dir():
        raise LabelError(f"{name} is a folder; give a vector file or a label raster in it")
    if is_spectral_library(name):
        raise LabelError(
            f"{name} is a spectral library: its spectra have no place on a map; train on it, or give a vector file "
            "or a label raster here"
        )
    if Path(name).suffix.casefold() in _SPREADSHEET_SUFFIXES:
        raise LabelError(f"{name} is a spreadsheet, which hsigeo does not read; save it as CSV")
    if Path(name).suffix.casefold() in _TABLE_SUFFIXES:
        if layer is not None:
            raise LabelError(f"{name} is a table, which has no layers; leave out --layer")
        return open_point_table(name, field=field, crs=crs, encoding=encoding)
    raster = open_raster_labels(name, encoding=encoding)
    if field is not None or layer is not None:
        raise LabelError(f"{name} is a label raster, which has no columns or layers; leave out --field and --layer")
    if crs is not None:
        raise LabelError(f"{name} is a label raster, placed by its size and georeference; leave out --labels-crs")
    return raster
