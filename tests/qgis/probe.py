"""Open rasters as a user's drag and drop would, and say as JSON what QGIS makes of them: runs in QGIS's own Python.

``python3 probe.py REQUEST.json ANSWER.json``. The request maps a name to ``{"path", "samples", "images"}``.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsLayerTreeLayer,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QColor


def describe_polygons(name, wanted):
    layer = QgsVectorLayer(wanted["path"], name)
    renderer = layer.renderer()
    found = {"valid": layer.isValid(), "crs": layer.crs().authid(), "renderer": renderer.type()}
    if found["renderer"] == "categorizedSymbol":
        found["legend"] = [[item.label(), item.symbol().color().name()] for item in renderer.categories()]
    for image, size in wanted["images"]:
        render(layer, image, size)
    return found


def describe(name, wanted):
    if wanted["path"].endswith(".gpkg"):
        return describe_polygons(name, wanted)
    layer = QgsRasterLayer(wanted["path"], name)
    if not layer.isValid():
        return {"valid": False, "error": layer.error().summary()}
    QgsProject.instance().addMapLayer(layer)
    provider, renderer = layer.dataProvider(), layer.renderer()
    bands = range(1, layer.bandCount() + 1)
    extent = layer.extent()
    found = {
        "valid": True,
        "crs": layer.crs().authid(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "size": [layer.height(), layer.width()],
        "renderer": renderer.type(),
        "legend": [[label, color.name()] for label, color in renderer.legendSymbologyItems()],
        "nodes": count_nodes(layer),
        "nodata": [provider.sourceNoDataValue(band) if provider.sourceHasNoDataValue(band) else None for band in bands],
        "bands": [layer.bandName(band) for band in bands],
        "samples": [sample(provider, point) for point in wanted["samples"]],
    }
    if renderer.type() == "paletted":
        found["values"] = [int(entry.value) for entry in renderer.classes()]
    if renderer.type() == "singlebandpseudocolor":
        found["range"] = [renderer.classificationMin(), renderer.classificationMax()]
    for image, size in wanted["images"]:
        render(layer, image, size)
    return found


def count_nodes(layer):
    """How many entries the layer tree shows under the layer: a title may come before the classes."""
    nodes = layer.legend().createLayerTreeModelLegendNodes(QgsLayerTreeLayer(layer))
    return [str(node.data(Qt.DisplayRole)) for node in nodes]


def sample(provider, point):
    value, is_valid = provider.sample(QgsPointXY(*point), 1)
    return value if is_valid else None


def render(layer, path, size):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    settings.setOutputSize(QSize(size[1], size[0]))
    settings.setExtent(layer.extent())
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(path)


def main(request, answer):
    application = QgsApplication([], False)
    application.initQgis()
    wanted = json.loads(Path(request).read_text(encoding="utf-8"))
    found = {name: describe(name, layer) for name, layer in wanted.items()}
    document = {"version": Qgis.QGIS_VERSION_INT, "layers": found}
    Path(answer).write_text(json.dumps(document), encoding="utf-8")
    # QGIS may crash on its way out of a Python that still holds layers; nothing is left to be done here.
    os._exit(0)


main(*sys.argv[1:])
