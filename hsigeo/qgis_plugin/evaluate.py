"""*Evaluate map*: ``hsigeo evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputNumber,
    QgsProcessingParameterField,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterVectorLayer,
    QgsProcessingUtils,
)

from .algorithm import HsigeoAlgorithm, tr, write_report
from .sources import labels_path, raster_path


class EvaluateAlgorithm(HsigeoAlgorithm):
    """A map and reference labels become figures."""

    COMMAND = "evaluate"
    TITLE = "Evaluate map"
    HELP = (
        "Compares a class map with reference features that the model has not seen: overall accuracy, kappa, precision "
        "and recall of each class with 95 % intervals, the confusion matrix, and class areas.\n"
        "Classes are matched by name."
    )
    FILES = ("MAP",)

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """What is asked for."""
        self.addParameter(QgsProcessingParameterRasterLayer("MAP", tr("Class map")))
        self.addParameter(
            QgsProcessingParameterVectorLayer(
                "LABELS", tr("Reference labels"), types=[QgsProcessing.TypeVectorAnyGeometry]
            )
        )
        self.addParameter(
            QgsProcessingParameterField("FIELD", tr("Field with the class"), parentLayerParameterName="LABELS")
        )
        self.addParameter(QgsProcessingParameterFileDestination("REPORT", tr("Report"), fileFilter="HTML (*.html)"))
        self.addParameter(
            QgsProcessingParameterFileDestination(
                "JSON", tr("Figures as JSON"), fileFilter="JSON (*.json)", optional=True, createByDefault=False
            )
        )
        self.addOutput(QgsProcessingOutputNumber("OVERALL_ACCURACY", tr("Overall accuracy")))
        self.addOutput(QgsProcessingOutputNumber("KAPPA", tr("Kappa")))

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        wanted = self.parameterAsFileOutput(parameters, "JSON", context) if parameters.get("JSON") else ""
        figures = wanted or QgsProcessingUtils.generateTempFilename("accuracy.json")
        arguments = [
            raster_path(parameters["MAP"], context),
            "--labels",
            labels_path(self.parameterAsVectorLayer(parameters, "LABELS", context), context),
            "--field",
            self.parameterAsString(parameters, "FIELD", context),
            "--json",
            figures,
            "--overwrite",
        ]
        return arguments, {"REPORT": self.parameterAsFileOutput(parameters, "REPORT", context), "JSON": figures}

    def finish(self, printed: str, results: dict[str, Any]) -> dict[str, Any]:
        """The figures, and a page to read them on."""
        figures = json.loads(Path(results["JSON"]).read_text(encoding="utf-8"))
        write_report(results["REPORT"], tr("Accuracy of the map"), printed)
        return {**results, "OVERALL_ACCURACY": figures.get("overall_accuracy"), "KAPPA": figures.get("kappa")}
