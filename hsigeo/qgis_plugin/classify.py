"""*Classify scene*: ``hsigeo classify``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from .algorithm import HsigeoAlgorithm, given, tr
from .sources import raster_path


class ClassifyAlgorithm(HsigeoAlgorithm):
    """A scene and a model become a class map."""

    COMMAND = "classify"
    TITLE = "Classify scene"
    HELP = (
        "Makes the class map of a hyperspectral scene with a model that hsigeo has trained.\n"
        "The scene may be a layer or any file that hsigeo reads, also an ENVI header or a product of a sensor that "
        "QGIS cannot open. Without a model, the file scene.safetensors beside the scene is taken.\n"
        "The map keeps the scene's coordinate system and pixels; class names and colours come with it. 0 is "
        "unclassified.\n"
        "With a rate, pixels that are unlike the training data stay unclassified. The rate is the share of pixels of "
        "known classes that may be lost this way.\n"
        "A cancelled run is resumed when it is started again with the same output."
    )
    FILES = ("SCENE",)

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """What is asked for."""
        self.addParameter(QgsProcessingParameterRasterLayer("SCENE", tr("Scene")))
        self.addParameter(QgsProcessingParameterFile("MODEL", tr("Model"), extension="safetensors", optional=True))
        self.addParameter(
            QgsProcessingParameterNumber(
                "UNKNOWN",
                tr("Leave out unknown pixels: rate, such as 0.05"),
                type=QgsProcessingParameterNumber.Double,
                optional=True,
                minValue=0,
                maxValue=1,
            )
        )
        self.addParameter(QgsProcessingParameterRasterDestination("MAP", tr("Class map")))
        for name, title in (("CONFIDENCE", "Confidence"), ("PROBABILITIES", "Probabilities")):
            self.addParameter(
                QgsProcessingParameterRasterDestination(name, tr(title), optional=True, createByDefault=False)
            )

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        results = self.outputs(parameters, context, "MAP", "CONFIDENCE", "PROBABILITIES")
        arguments = [
            raster_path(parameters["SCENE"], context),
            "-o",
            results["MAP"],
            *given("--model", self.parameterAsFile(parameters, "MODEL", context)),
            *given("--unknown", self.number(parameters, "UNKNOWN", context)),
            *given("--confidence", results.get("CONFIDENCE")),
            *given("--probabilities", results.get("PROBABILITIES")),
            "--overwrite",  # QGIS has asked already
        ]
        return arguments, results
