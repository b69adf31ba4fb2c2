"""Use the plugin as somebody in QGIS does, and say as JSON what came of it: runs in QGIS's own Python.

``python3 session.py REQUEST.json ANSWER.json``. The request names the files to work on.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

PLUGINS = "/usr/share/qgis/python/plugins"


class Feedback(QgsProcessingFeedback):
    """Remembers everything, and cancels once something is said that begins with `cancel_at`."""

    def __init__(self, cancel_at=None):
        super().__init__(False)
        self.steps, self.said, self.commands, self._cancel_at = [], [], [], cancel_at

    def setProgress(self, percent):
        self.steps.append(percent)

    def pushInfo(self, text):
        self.said.append(text)
        if self._cancel_at and text.startswith(self._cancel_at):
            self.cancel()

    def pushCommandInfo(self, text):
        self.commands.append(text)


def run(algorithm, parameters, cancel_at=None, *, load=False):
    import processing

    feedback = Feedback(cancel_at)
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    answer = {"results": {}, "error": ""}
    try:
        start = processing.runAndLoadResults if load else processing.run
        answer["results"] = start(algorithm, parameters, context=context, feedback=feedback)
    except QgsProcessingException as error:
        answer["error"] = str(error)
    return {**answer, "progress": feedback.steps, "said": feedback.said, "commands": feedback.commands}


def describe_project():
    return {
        layer.name(): {
            "renderer": layer.renderer().type(),
            "legend": [label for label, _ in layer.renderer().legendSymbologyItems()],
        }
        for layer in QgsProject.instance().mapLayers().values()
        if isinstance(layer, QgsRasterLayer)
    }


def use(wanted):
    from processing.core.ProcessingConfig import ProcessingConfig

    answer = {}
    project = QgsProject.instance()
    scene = QgsRasterLayer(wanted["scene"], "flight line")
    labels = QgsVectorLayer(wanted["labels"], "fields")
    labels.setSubsetString("\"class\" IN ('Water', 'Wald (Laubbäume)', 'Kaolin quarry')")
    project.addMapLayers([scene, labels])
    folder = Path(wanted["folder"])

    model = str(folder / "three.safetensors")
    answer["train"] = run(
        "hsigeo:train",
        {"SCENES": [scene], "LABELS": labels, "FIELD": "class", "VALIDATION": False, "MODEL": model},
    )
    # As from the toolbox: into a temporary file, and from there into the project.
    answer["classify"] = run(
        "hsigeo:classify",
        {"SCENE": scene, "MODEL": model, "MAP": "TEMPORARY_OUTPUT", "CONFIDENCE": "TEMPORARY_OUTPUT"},
        load=True,
    )
    answer["project"] = describe_project()
    classified = answer["classify"]["results"]["MAP"]
    answer["evaluate"] = run(
        "hsigeo:evaluate",
        {"MAP": classified, "LABELS": wanted["reference"], "FIELD": "class", "REPORT": str(folder / "accuracy.html")},
    )
    answer["explain"] = run(
        "hsigeo:explain", {"MAP": classified, "POINT": wanted["point"], "REPORT": str(folder / "why.html")}
    )
    answer["mosaic"] = run(
        "hsigeo:mosaic",
        {"MAPS": wanted["maps"], "RULE": 4, "MOSAIC": str(folder / "mosaic.tif")},
    )
    answer["no model"] = run("hsigeo:classify", {"SCENE": wanted["other"], "MAP": str(folder / "none.tif")})
    answer["no scene"] = run("hsigeo:classify", {"SCENE": str(folder / "nowhere.hdr"), "MAP": str(folder / "none.tif")})

    ProcessingConfig.setSettingValue("HSIGEO_PROGRAM", wanted["endless"])
    answer["cancel"] = run(
        "hsigeo:classify", {"SCENE": scene, "MODEL": model, "MAP": str(folder / "none.tif")}, cancel_at="ready"
    )
    return answer


def main(request, answer):
    wanted = json.loads(Path(request).read_text(encoding="utf-8"))
    application = QgsApplication([], False)
    application.initQgis()
    sys.path[:0] = [wanted["plugins"], PLUGINS]
    from processing.core.Processing import Processing

    Processing.initialize()
    import hsigeo_qgis

    plugin = hsigeo_qgis.classFactory(None)
    plugin.initGui()
    registry = QgsApplication.processingRegistry()
    found = {
        "algorithms": {
            algorithm.id(): [algorithm.displayName(), bool(algorithm.shortHelpString()), not algorithm.icon().isNull()]
            for algorithm in registry.providerById("hsigeo").algorithms()
        },
        **use(wanted),
    }
    plugin.unload()
    found["after unloading"] = registry.providerById("hsigeo") is None
    Path(answer).write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)


main(*sys.argv[1:])
