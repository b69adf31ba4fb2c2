"""Pack the QGIS plugin for QGIS's plugin repository: ``python docs/make_plugin_zip.py [FILE.zip]``."""

from __future__ import annotations

import sys
from pathlib import Path

from hsigeo.qgis_profiles import PLUGIN, zip_plugin

REPOSITORY = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> None:
    """Write the ZIP, by default in the current folder."""
    path = Path(arguments[0] if arguments else f"{PLUGIN}.zip")
    print(zip_plugin(path, REPOSITORY / "LICENSE", overwrite=True))


if __name__ == "__main__":
    main(sys.argv[1:])
