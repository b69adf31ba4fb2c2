"""Many maps as one, on a common north-up grid, with a layer that says which line was believed where."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {"Rule": "hsigeo.mosaic.rules", "write_mosaic": "hsigeo.mosaic.assembly", "write_vrt": "hsigeo.mosaic.vrt"}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hsigeo.mosaic' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
