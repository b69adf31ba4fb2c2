"""From what the user picked in QGIS to files that hsigeo can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsMapLayer,
    QgsProcessingException,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsVectorFileWriter,
)

__all__ = ["is_file", "labels_path", "raster_path", "raster_path_or_none", "raster_paths"]


def is_file(value: Any) -> bool:
    """Whether a parameter's value names a file, which QGIS itself need not be able to open."""
    return isinstance(value, str) and Path(value).is_file()


def raster_path(value: Any, context: Any) -> str:
    """The file of a raster: a path, a layer, or the name or id of one.

    Raises
    ------
    QgsProcessingException
        There is no such layer, or its pixels lie in no file.
    """
    if is_file(value):
        return str(value)
    layer = value if isinstance(value, QgsMapLayer) else QgsProcessingUtils.mapLayerFromString(str(value), context)
    if layer is None:
        raise QgsProcessingException(f"{value}: no such file, and no layer of that name")
    return _file_of(layer)


def raster_path_or_none(value: Any, context: Any) -> str | None:
    """`raster_path` of a parameter that may be left out."""
    return raster_path(value, context) if value else None


def raster_paths(values: Any, context: Any) -> list[str]:
    """`raster_path` of one or many."""
    return [raster_path(value, context) for value in (values if isinstance(values, (list, tuple)) else [values])]


def labels_path(layer: Any, context: Any) -> str:
    """The file of a vector layer, or a copy of what the layer shows, where hsigeo would read something else.

    That is so for layers in memory or in a database, with a filter, unsaved edits or a
    coordinate system that somebody assigned, and in files with several layers.
    """
    path = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source()).get("path", "")
    provider = layer.dataProvider()
    if (
        layer.providerType() == "ogr"
        and is_file(path)
        and not layer.subsetString()
        and not layer.isModified()
        and provider.subLayerCount() <= 1
        and layer.crs() == provider.crs()
    ):
        return str(path)
    copy = QgsProcessingUtils.generateTempFilename("labels.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = "labels"
    code, message, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(layer, copy, context.transformContext(), options)
    if code != QgsVectorFileWriter.NoError:
        raise QgsProcessingException(f"{layer.name()} cannot be written for hsigeo to read: {message}")
    return str(copy)


def _file_of(layer: Any) -> str:
    path = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source()).get("path", "")
    if not is_file(path):
        raise QgsProcessingException(f"{layer.name()} is not a file on this machine ({layer.source()})")
    return str(path)
