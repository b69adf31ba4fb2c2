"""*Train model*: ``hsigeo train``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterField,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterVectorLayer,
)

from .algorithm import HsigeoAlgorithm, tr
from .sources import labels_path, raster_paths


class TrainAlgorithm(HsigeoAlgorithm):
    """Scenes and labelled features become a model."""

    COMMAND = "train"
    TITLE = "Train model"
    HELP = (
        "Learns a model from labelled polygons, lines or points on one or more scenes.\n"
        "The field holds the class of each feature, as text in any language or as numbers. Filters and unsaved edits "
        "of the label layer count as they are shown.\n"
        "With validation, the log says what to expect on unseen ground: it is learnt from some polygons and tested on "
        "others."
    )
    FILES = ("SCENES",)

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """What is asked for."""
        self.addParameter(
            QgsProcessingParameterMultipleLayers("SCENES", tr("Scenes"), layerType=QgsProcessing.TypeRaster)
        )
        self.addParameter(
            QgsProcessingParameterVectorLayer("LABELS", tr("Labels"), types=[QgsProcessing.TypeVectorAnyGeometry])
        )
        self.addParameter(
            QgsProcessingParameterField("FIELD", tr("Field with the class"), parentLayerParameterName="LABELS")
        )
        self.addParameter(
            QgsProcessingParameterBoolean("VALIDATION", tr("Estimate the accuracy on unseen ground"), defaultValue=True)
        )
        self.addParameter(
            QgsProcessingParameterNumber("SEED", tr("Seed (the same seed gives the same model)"), defaultValue=0)
        )
        self.addParameter(
            QgsProcessingParameterFileDestination("MODEL", tr("Model"), fileFilter="hsigeo (*.safetensors)")
        )

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        model = self.parameterAsFileOutput(parameters, "MODEL", context)
        validation = self.parameterAsBool(parameters, "VALIDATION", context)
        arguments = [
            *raster_paths(parameters["SCENES"], context),
            "--labels",
            labels_path(self.parameterAsVectorLayer(parameters, "LABELS", context), context),
            "--field",
            self.parameterAsString(parameters, "FIELD", context),
            "--validation" if validation else "--no-validation",
            "--seed",
            str(self.parameterAsInt(parameters, "SEED", context)),
            "-o",
            model,
            "--overwrite",
        ]
        return arguments, {"MODEL": model}
