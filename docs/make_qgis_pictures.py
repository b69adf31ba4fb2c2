"""Have QGIS draw maps of the sample scenes, as it shows them when nobody has touched a style.

Run it with QGIS's own Python, and name the hsigeo program:
``QT_QPA_PLATFORM=offscreen /usr/bin/python3 docs/make_qgis_pictures.py .venv/bin/hsigeo``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsLayout,
    QgsLayoutExporter,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsProject,
    QgsRasterLayer,
    QgsUnitTypes,
)
from qgis.gui import QgsGui

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = REPOSITORY / "docs" / "images"
PLUGINS = "/usr/share/qgis/python/plugins"
DOTS_PER_INCH = 90
HEIGHT = 110
"""Of a picture, mm."""


def main(hsigeo: str) -> None:
    """Write qgis_map.png, qgis_confidence.png, qgis_mosaic.png and qgis_dialog.png."""
    application = QgsApplication([], True)
    application.initQgis()
    scenes = REPOSITORY / "sample_scenes"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = scenes / "line_1.safetensors"
        lines = [str(scenes / f"{line}.hdr") for line in ("line_1", "line_2")]
        _run(hsigeo, "classify", *lines, "--model", model, "--output-dir", folder, "--layer", "confidence")
        maps = [folder / f"{line}_map.tif" for line in ("line_1", "line_2")]
        _run(hsigeo, "mosaic", *maps, "-o", folder / "mosaic.tif")
        draw(maps[0], "line_1_map", IMAGES / "qgis_map.png")
        draw(folder / "line_1_confidence.tif", "line_1_confidence", IMAGES / "qgis_confidence.png")
        draw(folder / "mosaic.tif", "mosaic", IMAGES / "qgis_mosaic.png")
    draw_dialog(application, scenes / "line_1.img", IMAGES / "qgis_dialog.png")
    sys.stdout.flush()
    # QGIS may crash on its way out of a Python that still holds layers.
    os._exit(0)


def _run(*command: Any) -> None:
    subprocess.run([str(part) for part in command], check=True)  # noqa: S603 - the program named by whoever runs this


def draw(raster: Path, title: str, picture: Path) -> None:
    """One raster in QGIS's default style, with the legend that QGIS makes of it."""
    project = QgsProject()
    layer = QgsRasterLayer(str(raster), title)
    project.addMapLayer(layer)
    extent = layer.extent().buffered(10)
    width = HEIGHT * extent.width() / extent.height()
    layout = QgsLayout(project)
    layout.initializeDefaults()
    shown = QgsLayoutItemMap(layout)
    shown.attemptResize(_size(width, HEIGHT))
    shown.setLayers([layer])
    shown.setExtent(extent)
    layout.addLayoutItem(shown)
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(shown)
    layout.addLayoutItem(legend)
    legend.attemptMove(QgsLayoutPoint(width, 2, QgsUnitTypes.LayoutMillimeters))
    QgsLayoutExporter(layout).renderPageToImage(0)  # only now does the legend know how wide it is
    legend.adjustBoxSize()
    layout.pageCollection().page(0).setPageSize(_size(width + legend.sizeWithUnits().width(), HEIGHT))
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = DOTS_PER_INCH
    done = QgsLayoutExporter(layout).exportToImage(str(picture), settings)
    if done != QgsLayoutExporter.Success:
        raise OSError(f"{picture} cannot be written: QGIS says {done}")
    print(picture)


def draw_dialog(application: Any, scene: Path, picture: Path) -> None:
    """The dialog of *Classify scene*, with a scene in the project."""
    sys.path[:0] = [str(REPOSITORY / "hsigeo"), PLUGINS]
    import qgis_plugin
    from processing.core.Processing import Processing
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    QgsGui.editorWidgetRegistry().initEditors()
    Processing.initialize()
    plugin = qgis_plugin.classFactory(None)
    plugin.initGui()
    QgsProject.instance().addMapLayer(QgsRasterLayer(str(scene), "line_1"))
    algorithm = application.processingRegistry().createAlgorithmById("hsigeo:classify")
    dialog = AlgorithmDialog(algorithm.create())
    dialog.resize(880, 620)
    dialog.show()
    application.processEvents()
    dialog.grab().save(str(picture))
    print(picture)


def _size(width: float, height: float) -> Any:
    return QgsLayoutSize(width, height, QgsUnitTypes.LayoutMillimeters)


if __name__ == "__main__":
    main(sys.argv[1])
