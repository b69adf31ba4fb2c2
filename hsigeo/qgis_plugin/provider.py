"""The algorithms as one provider, and its one setting: where hsigeo is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .classify import ClassifyAlgorithm
from .command import SETTING
from .evaluate import EvaluateAlgorithm
from .explain import ExplainAlgorithm
from .mosaic import MosaicAlgorithm
from .refine import RefineAlgorithm
from .train import TrainAlgorithm

ICON = Path(__file__).with_name("icon.png")


class HsigeoProvider(QgsProcessingProvider):
    """What the Processing toolbox shows under *hsigeo*. The method names are QGIS's."""

    def load(self) -> bool:
        """Announce the setting, then the algorithms."""
        ProcessingConfig.settingIcons[self.name()] = self.icon()
        ProcessingConfig.addSetting(
            Setting(self.name(), SETTING, "hsigeo program (empty: as installed)", "", valuetype=Setting.FILE)
        )
        ProcessingConfig.readSettings()
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        """Take the setting back."""
        ProcessingConfig.removeSetting(SETTING)

    def loadAlgorithms(self) -> None:  # noqa: N802
        """Add one algorithm for each command."""
        for algorithm in (
            ClassifyAlgorithm,
            TrainAlgorithm,
            EvaluateAlgorithm,
            ExplainAlgorithm,
            MosaicAlgorithm,
            RefineAlgorithm,
        ):
            self.addAlgorithm(algorithm())

    def id(self) -> str:
        """The part before the colon in ``hsigeo:classify``."""
        return "hsigeo"

    def name(self) -> str:
        """For people."""
        return "hsigeo"

    def longName(self) -> str:  # noqa: N802
        """For people with time."""
        return "hsigeo: class maps from hyperspectral scenes"

    def icon(self) -> Any:
        """Shown beside the name."""
        return QIcon(str(ICON))

    def defaultRasterFileExtension(self) -> str:  # noqa: N802
        """Maps are GeoTIFF."""
        return "tif"

    def supportedOutputRasterLayerExtensions(self) -> list[str]:  # noqa: N802
        """Nothing else."""
        return ["tif", "tiff"]
