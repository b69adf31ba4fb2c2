"""*Explain*: ``hsigeo explain``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterPoint,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsRasterLayer,
)

from .algorithm import HsigeoAlgorithm, given, tr, write_report
from .sources import raster_path_or_none


class ExplainAlgorithm(HsigeoAlgorithm):
    """Which wavelengths decide: of a model's classes, or at a point of a map."""

    COMMAND = "explain"
    TITLE = "Explain map or model"
    HELP = (
        "Says which wavelengths decide. With a point: why the map has this class there and not the runner-up. Without "
        "one: for each class of the model.\n"
        "Give the map, or the model. The map names its scene and its model itself; a scene that has moved since can be "
        "given.\n"
        "The layer with the deciding wavelength of every pixel takes long: about a thousand pixels a second."
    )
    FILES = ("MAP", "SCENE")

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """What is asked for."""
        self.addParameter(QgsProcessingParameterRasterLayer("MAP", tr("Class map"), optional=True))
        self.addParameter(
            QgsProcessingParameterFile("MODEL", tr("Model, if not the map's"), extension="safetensors", optional=True)
        )
        self.addParameter(QgsProcessingParameterPoint("POINT", tr("Point"), optional=True))
        self.addParameter(QgsProcessingParameterRasterLayer("SCENE", tr("Scene, if not the map's"), optional=True))
        self.addParameter(QgsProcessingParameterFileDestination("REPORT", tr("Report"), fileFilter="HTML (*.html)"))
        self.addParameter(
            QgsProcessingParameterRasterDestination(
                "LAYER", tr("Deciding wavelength of every pixel (slow)"), optional=True, createByDefault=False
            )
        )

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        model = self.parameterAsFile(parameters, "MODEL", context)
        map_path = raster_path_or_none(parameters.get("MAP"), context)
        if not (map_path or model):
            raise QgsProcessingException(tr("Give a class map or a model."))
        results = {
            "REPORT": self.parameterAsFileOutput(parameters, "REPORT", context),
            "PLOT": QgsProcessingUtils.generateTempFilename("evidence.png"),
            **self.outputs(parameters, context, "LAYER"),
        }
        scene = raster_path_or_none(parameters.get("SCENE"), context)
        place: list[str] = []
        if parameters.get("POINT"):
            grid = QgsRasterLayer(map_path or scene or "")
            crs = grid.crs() if grid.isValid() else QgsCoordinateReferenceSystem()
            point = self.parameterAsPoint(parameters, "POINT", context, crs)
            place = ["--at", repr(point.x()), repr(point.y())]
        arguments = [
            map_path or model,
            *place,
            *given("--scene", scene),
            *(given("--model", model) if map_path else []),
            "--plot",
            results["PLOT"],
            *given("--layer", results.get("LAYER")),
            "--overwrite",
        ]
        return arguments, results

    def finish(self, printed: str, results: dict[str, Any]) -> dict[str, Any]:
        """A page with what was said and drawn."""
        write_report(results["REPORT"], tr("What decides"), printed, results["PLOT"])
        return results
