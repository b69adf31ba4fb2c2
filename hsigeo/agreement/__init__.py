"""Whether the maps of neighbouring lines say the same where they overlap; if not, which line, class or angle is odd."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {"compare_lines": "hsigeo.agreement.comparison", "write_report": "hsigeo.agreement.report"}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hsigeo.agreement' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
