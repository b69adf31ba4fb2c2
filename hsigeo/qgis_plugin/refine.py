"""*Refine map*: ``hsigeo refine``."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from .algorithm import HsigeoAlgorithm, given, tr
from .sources import raster_path, raster_path_or_none

INTEGER, DOUBLE = QgsProcessingParameterNumber.Integer, QgsProcessingParameterNumber.Double

NUMBERS = (
    ("SMOOTH", "Smooth the probabilities up to edges: strength, such as 2", DOUBLE, 0, 20),
    ("MAJORITY", "Most frequent class of a window: its width in pixels, odd", INTEGER, 3, 101),
    ("CLUMP", "Close gaps: width in pixels, odd", INTEGER, 3, 101),
    ("SIEVE", "Merge patches of fewer pixels than", INTEGER, 2, 2_000_000_000),
)
"""Options of the same name, and the least and the most that they take."""


class RefineAlgorithm(HsigeoAlgorithm):
    """A map becomes a cleaner one."""

    COMMAND = "refine"
    TITLE = "Refine map"
    HELP = (
        "Makes a new map out of one. What is asked for is done in this order: classes renamed, merged or left out by a "
        "table; probabilities smoothed; pixels left out whose class is not probable enough; the most frequent class of "
        "a window; what lies close together joined; small patches given to the largest one beside them.\n"
        "Thresholds are probabilities, 0.6 for all classes or Water=0.9 for one, with semicolons between them. They "
        "and smoothing go by the layer found beside the map, or by the one given. With probabilities given, these "
        "decide anew, also without smoothing.\n"
        "The model is not run again, and none of this makes a map more accurate by itself: evaluate the new map."
    )
    FILES = ("MAP", "CONFIDENCE", "PROBABILITIES", "SCENE")

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """What is asked for."""
        self.addParameter(QgsProcessingParameterRasterLayer("MAP", tr("Class map")))
        for name, title, kind, least, most in NUMBERS:
            self.addParameter(
                QgsProcessingParameterNumber(name, tr(title), type=kind, optional=True, minValue=least, maxValue=most)
            )
        self.addParameter(QgsProcessingParameterBoolean("DIAGONAL", tr("Corners join patches"), defaultValue=False))
        for name, title in (
            ("CLUMP_CLASSES", "Classes to join, names or ids, such as: Water; 3 (empty: all)"),
            ("THRESHOLDS", "Leave out less probable pixels, such as: 0.6; Water=0.9"),
        ):
            self.addParameter(QgsProcessingParameterString(name, tr(title), optional=True))
        self.addParameter(
            QgsProcessingParameterFile(
                "CLASSES", tr("Table of classes"), optional=True, fileFilter="CSV or JSON (*.csv *.json)"
            )
        )
        for name, title in (
            ("PROBABILITIES", "Probabilities of the map, to decide by again"),
            ("CONFIDENCE", "Confidence of the map, if it is not beside it"),
            ("SCENE", "Scene to find edges in"),
        ):
            self.addParameter(QgsProcessingParameterRasterLayer(name, tr(title), optional=True))
        self.addParameter(QgsProcessingParameterRasterDestination("REFINED", tr("Refined map")))
        self.addParameter(
            QgsProcessingParameterRasterDestination(
                "NEW_CONFIDENCE", tr("Confidence of the refined map"), optional=True, createByDefault=False
            )
        )

    def command_line(self, parameters: Any, context: Any) -> tuple[list[str], dict[str, Any]]:
        """The arguments for hsigeo, and the results there will be."""
        results = self.outputs(parameters, context, "REFINED", "NEW_CONFIDENCE")
        arguments = [raster_path(parameters["MAP"], context), "-o", results["REFINED"]]
        for name, _, kind, *_ in NUMBERS:
            value = self.number(parameters, name, context)
            arguments += given(f"--{name.lower()}", int(value) if value and kind == INTEGER else value)
        for name in ("PROBABILITIES", "CONFIDENCE", "SCENE"):
            arguments += given(f"--{name.lower()}", raster_path_or_none(parameters.get(name), context))
        for name, option in (("THRESHOLDS", "--threshold"), ("CLUMP_CLASSES", "--clump-class")):
            for part in self.parameterAsString(parameters, name, context).split(";"):
                arguments += given(option, part.strip())
        arguments += given("--classes", self.parameterAsFile(parameters, "CLASSES", context))
        arguments += ["--neighbours", "8"] if self.parameterAsBool(parameters, "DIAGONAL", context) else []
        arguments += given("--write-confidence", results.get("NEW_CONFIDENCE"))
        return [*arguments, "--overwrite"], results  # QGIS has asked already
