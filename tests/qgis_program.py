"""QGIS as installed on this machine: its Python, its environment, and why tests skip where it is not there."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["find_qgis_process", "find_qgis_python", "qgis_environment"]


def qgis_environment(home: Path) -> dict[str, str]:
    """No display, no settings of anybody's own, and nothing of this environment's Python."""
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    foreign = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "GDAL_DATA", "PROJ_LIB", "PROJ_DATA")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    # QGIS's Python takes the first python3 on the path for itself: that of an activated environment is none of its own.
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if not _is_environment(Path(folder).parent)]
    return kept | {
        "PATH": os.pathsep.join(path),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(runtime),
        "QGIS_CUSTOM_CONFIG_PATH": str(home / "settings"),
        "HOME": str(home),
    }


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()


@functools.cache
def _has_qgis(python: str) -> bool:
    found = shutil.which(python)
    if found is None:
        return False
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('qgis') is None)"
    return subprocess.run([found, "-c", code], capture_output=True, check=False).returncode == 0


def _missing(what: str) -> None:
    reason = f"{what} not found; on Debian: apt-get install --no-install-recommends qgis python3-qgis"
    if os.environ.get("HSIGEO_REQUIRE_QGIS"):
        pytest.fail(f"{reason}, and $HSIGEO_REQUIRE_QGIS is set")
    pytest.skip(reason)


def find_qgis_python() -> str:
    """The Python that QGIS is built for; skips the test, or fails it under ``HSIGEO_REQUIRE_QGIS``."""
    python = os.environ.get("HSIGEO_QGIS_PYTHON", "/usr/bin/python3")
    if not _has_qgis(python):
        _missing(f"QGIS for {python}")
    return python


def find_qgis_process() -> str:
    """The program that runs Processing algorithms without a window; skips or fails like `find_qgis_python`."""
    # Debian's own script around it passes an option that it does not know.
    found = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if found is None:
        _missing("qgis_process")
    return str(found)
