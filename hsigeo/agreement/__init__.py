"""Whether the maps of neighbouring lines say the same where they overlap; if not, which line, class or angle is odd."""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {"compare_lines": "hsigeo.agreement.comparison", "write_report": "hsigeo.agreement.report"}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
