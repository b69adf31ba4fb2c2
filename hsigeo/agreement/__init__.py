"""How well the maps of overlapping lines agree, and which line, class or view angle is odd if they do not.

Read in this order: `comparison` (counting, block by block), `counts`, `figures` (the results as values), `effects`
(outliers), `report` (files).
"""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {"compare_lines": "hsigeo.agreement.comparison", "write_report": "hsigeo.agreement.report"}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
