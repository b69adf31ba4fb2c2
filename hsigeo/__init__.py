"""Class maps from hyperspectral scenes.

>>> import hsigeo
>>> scene = hsigeo.open_scene("scene.hdr")  # doctest: +SKIP
>>> model = hsigeo.load_model("scene.safetensors")  # doctest: +SKIP
>>> result = hsigeo.classify(scene, model)  # lazy      # doctest: +SKIP
>>> hsigeo.write_map(result, "map.tif")  # doctest: +SKIP

Nothing heavy is imported until a name is used, so ``import hsigeo`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import Any

from hsigeo.lazy_imports import lazy_names

__version__ = "0.1.0.dev0"

_HOME = {
    "BandTable": "hsigeo.bands",
    "ClassTable": "hsigeo.classes",
    "Grid": "hsigeo.grid",
    "HsigeoError": "hsigeo.errors",
    "classify": "hsigeo.classification",
    "evaluate": "hsigeo.evaluation",
    "explain": "hsigeo.explanation",
    "load_model": "hsigeo.model",
    "open_labels": "hsigeo.io",
    "open_scene": "hsigeo.io",
    "train": "hsigeo.training",
    "write_map": "hsigeo.io",
    "write_model": "hsigeo.model",
}

__all__ = [*sorted(_HOME), "__version__"]


_find = lazy_names(__name__, _HOME)


def __getattr__(name: str) -> Any:
    if name == "open_scene":
        importlib.import_module("hsigeo.accessor")  # whoever opens a scene can write `scene.hsi`
    return _find(name)


def __dir__() -> list[str]:
    return sorted(__all__)
