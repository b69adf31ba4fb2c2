"""What QGIS holds while the plugin is loaded: the provider of the algorithms, nothing else."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication

from .provider import HsigeoProvider


class HsigeoPlugin:
    """Adds the provider to Processing and takes it away again. The method names are QGIS's."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._provider: Any = None

    def initProcessing(self) -> None:  # noqa: N802
        """Add the algorithms; all that ``qgis_process`` calls."""
        self._provider = HsigeoProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:  # noqa: N802
        """The same, in QGIS with windows."""
        self.initProcessing()

    def unload(self) -> None:
        """Remove the algorithms."""
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
