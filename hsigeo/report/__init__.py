"""One page about a classified map: what it shows, what its decisions rest on, how far it can be trusted."""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {
    "Findings": "hsigeo.report.findings",
    "Given": "hsigeo.report.sources",
    "gather": "hsigeo.report.findings",
    "make_page": "hsigeo.report.page",
    "write_report": "hsigeo.report.page",
}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
