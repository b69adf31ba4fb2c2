"""One page about a classified map: what it shows, what its decisions rest on, how far it can be trusted."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Findings": "hsigeo.report.findings",
    "Given": "hsigeo.report.sources",
    "gather": "hsigeo.report.findings",
    "make_page": "hsigeo.report.page",
    "write_report": "hsigeo.report.page",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hsigeo.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
