"""hsigeo in QGIS: its commands as Processing algorithms.

This folder is what ``hsigeo qgis install`` copies into a QGIS profile. There it runs in QGIS's own Python (3.9 or
newer), which has neither torch nor rasterio nor hsigeo: nothing here imports more than QGIS and the standard library,
and the work is done by the ``hsigeo`` command in its own environment.
"""

from __future__ import annotations

from typing import Any


def classFactory(iface: Any) -> Any:  # noqa: N802 - the name QGIS asks for
    """The plugin object; QGIS calls this when it loads the plugin."""
    from .plugin import HsigeoPlugin

    return HsigeoPlugin(iface)
