"""*Mosaic*: ``hsigeo mosaic``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputRasterLayer,
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
)

from .algorithm import HsigeoAlgorithm, given, tr
from .sources import raster_paths

RULES = ("probability", "confidence", "zenith", "centre", "order")


class MosaicAlgorithm(HsigeoAlgorithm):
    """Maps of many flight lines become one."""

    COMMAND = "mosaic"
    TITLE = "Mosaic of class maps"
    HELP = (
        "Lays the class maps of many flight lines on one north-up grid, whatever their rotation and zone.\n"
        "Where lines overlap, the rule decides; by default the one that knows most of those that all maps have the "
        "layers for. Labels are never interpolated. Beside MOSAIC.tif, MOSAIC_lines.tif says which line each pixel is "
        "from."
    )
    FILES = ("MAPS",)

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """What is asked for."""
        self.addParameter(
            QgsProcessingParameterMultipleLayers("MAPS", tr("Class maps"), layerType=QgsProcessing.TypeRaster)
        )
        self.addParameter(
            QgsProcessingParameterEnum("RULE", tr("How overlaps are decided"), options=list(RULES), optional=True)
        )
        self.addParameter(
            QgsProcessingParameterCrs("CRS", tr("Coordinate system, if not the maps' own"), optional=True)
        )
        self.addParameter(
            QgsProcessingParameterNumber(
                "RESOLUTION",
                tr("Pixel size, if not the maps' own"),
                type=QgsProcessingParameterNumber.Double,
                optional=True,
                minValue=0,
            )
        )
        self.addParameter(QgsProcessingParameterRasterDestination("MOSAIC", tr("Mosaic")))
        self.addOutput(QgsProcessingOutputRasterLayer("LINES", tr("Flight lines")))

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        mosaic = Path(self.parameterAsOutputLayer(parameters, "MOSAIC", context))
        rule = parameters.get("RULE")
        crs = self.parameterAsCrs(parameters, "CRS", context) if parameters.get("CRS") else None
        arguments = [
            *raster_paths(parameters["MAPS"], context),
            "-o",
            str(mosaic),
            *given("--rule", "" if rule is None else RULES[self.parameterAsEnum(parameters, "RULE", context)]),
            *given("--crs", None if crs is None else crs.authid() or crs.toWkt()),
            *given("--resolution", self.number(parameters, "RESOLUTION", context)),
            "--overwrite",
        ]
        lines = str(mosaic.with_name(f"{mosaic.stem}_lines{mosaic.suffix}"))
        if context.willLoadLayerOnCompletion(str(mosaic)):
            details = QgsProcessingContext.LayerDetails(tr("Flight lines"), context.project(), "LINES")
            context.addLayerToLoadOnCompletion(lines, details)
        return arguments, {"MOSAIC": str(mosaic), "LINES": lines}
