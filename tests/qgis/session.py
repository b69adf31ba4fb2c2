"""Use the plugin as somebody in QGIS does, and say as JSON what came of it: runs in QGIS's own Python.

``python3 session.py REQUEST.json ANSWER.json``. The request names the files to work on.
"""

import json
import os
import sys
import time
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
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

    def heard(self):
        return {"progress": self.steps, "said": self.said, "commands": self.commands}

    def setProgress(self, percent):
        self.steps.append(percent)

    def pushInfo(self, text):
        self.said.append(text)
        if self._cancel_at and text.startswith(self._cancel_at):
            self.cancel()

    def pushCommandInfo(self, text):
        self.commands.append(text)


def run(algorithm, parameters, cancel_at=None):
    import processing

    feedback = Feedback(cancel_at)
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    answer = {"results": {}, "error": ""}
    try:
        answer["results"] = processing.run(algorithm, parameters, context=context, feedback=feedback)
    except QgsProcessingException as error:
        answer["error"] = str(error)
    return {**answer, **feedback.heard()}


def run_as_dialog(name, parameters):
    """In a thread of its own, and with the results loaded into the project, as the dialog does it."""
    from processing.gui.Postprocessing import handleAlgorithmResults

    feedback = Feedback()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(name)
    ended = []
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    task.executed.connect(lambda successful, results: ended.append((successful, results)))
    QgsApplication.taskManager().addTask(task)
    while not ended:
        QgsApplication.processEvents()
        time.sleep(0.05)
    ((successful, results),) = ended
    loaded = successful and handleAlgorithmResults(algorithm, context, feedback)
    return {"results": results, "error": "" if loaded else "failed", **feedback.heard()}


def into_project():
    return QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())


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

    # The user's choice in QGIS, kept in settings; titles, as a new profile has it.
    ProcessingConfig.setSettingValue(ProcessingConfig.PREFER_FILENAME_AS_LAYER_NAME, False)
    ProcessingConfig.setSettingValue("HSIGEO_PROGRAM", wanted["program"])
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
    answer["classify"] = run_as_dialog(
        "hsigeo:classify", {"SCENE": scene, "MODEL": model, "MAP": into_project(), "CONFIDENCE": into_project()}
    )
    classified = answer["classify"]["results"]["MAP"]
    answer["evaluate"] = run(
        "hsigeo:evaluate",
        {"MAP": classified, "LABELS": wanted["reference"], "FIELD": "class", "REPORT": str(folder / "accuracy.html")},
    )
    answer["explain"] = run(
        "hsigeo:explain", {"MAP": classified, "POINT": wanted["point"], "REPORT": str(folder / "why.html")}
    )
    mosaic = QgsProcessingOutputLayerDefinition(str(folder / "mosaic.tif"), project)
    answer["mosaic"] = run_as_dialog("hsigeo:mosaic", {"MAPS": wanted["maps"], "RULE": 4, "MOSAIC": mosaic})
    refined = run_as_dialog(
        "hsigeo:refine",
        {
            "MAP": classified,
            "CONFIDENCE": answer["classify"]["results"]["CONFIDENCE"],
            "THRESHOLDS": "0.5; Wald (Laubbäume)=0.7",
            "MAJORITY": 3,
            "CLUMP": 3,
            "CLUMP_CLASSES": "Water; Kaolin quarry",
            "SIEVE": 10,
            "DIAGONAL": True,
            "REFINED": into_project(),
        },
    )
    answer["refine"] = refined
    calm = {"SMOOTH": 1.5, "REFINED": str(folder / "calm.tif"), "NEW_CONFIDENCE": str(folder / "calm_sure.tif")}
    answer["smooth"] = run("hsigeo:refine", {**wanted["merging"], **calm})
    answer["nothing to refine"] = run("hsigeo:refine", {"MAP": classified, "REFINED": str(folder / "none.tif")})
    answer["project"] = describe_project()
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
