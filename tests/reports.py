"""Reports, gathered and written in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rasterio

from hsigeo.io.map_tag import TAG
from hsigeo.report.findings import Findings, gather
from hsigeo.report.page import make_page
from hsigeo.report.sources import Given, find_belongings

__all__ = ["report_on", "retag"]


def report_on(path: Path, **given: str) -> tuple[Findings, str]:
    """What is found about a map, and the page about it."""
    findings = gather(find_belongings(str(path), Given(**given)))
    return findings, make_page(findings)


def retag(path: Path, **metadata: Any) -> None:
    """Change what a map says about itself."""
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
        document = json.loads(dataset.tags()[TAG])
        document["metadata"] |= metadata
        dataset.update_tags(**{TAG: json.dumps(document)})
