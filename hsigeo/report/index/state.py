"""What a line's page keeps for the index: its row, and what it was made from.

Kept in two ``meta`` elements of its head, so that a page goes on with its line wherever it is copied, and nothing else
lies about.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from pathlib import Path

from hsigeo.fingerprint import fingerprint
from hsigeo.report.findings import Findings
from hsigeo.report.index.row import Row, format_row, parse_row
from hsigeo.report.index.summary import summarise
from hsigeo.report.sources import Belongings
from hsigeo.software import SOFTWARE

__all__ = ["keep", "read_kept", "state_of"]

_STATE, _ROW = "hsigeo-state", "hsigeo-row"
_HEAD_BYTES = 1 << 20
_KEPT = re.compile(f'<meta name="({_STATE}|{_ROW})" content="([^"]*)">')


def keep(findings: Findings) -> dict[str, str]:
    """What the page keeps, by name."""
    return {_STATE: state_of(findings.found), _ROW: format_row(summarise(findings))}


def state_of(found: Belongings) -> str:
    """A digest of all that a page is made from: as long as it is the same, so is the page.

    Raises
    ------
    OSError
        A file is gone.
    """
    known = found.raster.metadata
    scene = None
    if found.scene is not None:  # whose digest was compared with the one that the map states, if it states one
        scene = known.get("scene_fingerprint") or fingerprint(found.scene.header.data_path)
    layers = [str(found.confidence or ""), found.evaluation_path, found.agreement_path]
    facts = [
        SOFTWARE,
        fingerprint(found.raster.path),
        scene,
        None if found.model is None else found.model.digest,
        [fingerprint(path) if path else None for path in layers],
        dict(found.job),
        [[absence.what, absence.why, absence.remedy] for absence in found.absences],
        list(found.notes),
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def read_kept(page: Path) -> tuple[str, Row] | None:
    """State and row of a page; `None` where it is none of hsigeo's, or cannot be read."""
    try:
        with page.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return None
    kept = {name: html.unescape(content) for name, content in _KEPT.findall(head.partition("<title>")[0])}
    row = parse_row(kept.get(_ROW, ""))
    return None if row is None or not kept.get(_STATE) else (kept[_STATE], row)
