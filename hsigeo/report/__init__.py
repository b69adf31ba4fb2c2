"""HTML pages about class maps: what a map shows, what its decisions rest on, how far it can be trusted.

Read in this order: `sources` (which files belong to a map), `findings` (everything a page says, as values), `page` (the
sections in order). Sections: `overview`, `mapped`, `accuracy`, `certainty`, `spectral`, `overlap`, `origin`. They are
made of `blocks`, `charts`, `markup` and `wording`. `index` is the page above those of a campaign.
"""

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
