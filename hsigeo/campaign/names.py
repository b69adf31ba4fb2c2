"""Names on disk: the short id of a flight line, its companions, and the folder of an unfinished map."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["is_companion", "line_name"]

_PLAIN = (
    # AVIRIS-Classic: tape, power cycle, run.
    r"f\d{6}t\d{2}p\d{2}r\d{2}",
    # AVIRIS-NG, PRISM, AVIRIS-3 and -5. The latter two come in segments: without `_000` they would be one line.
    r"(?:ang|prm|av3|av5)\d{8}t\d{6}(?:_\d{3}(?!\d))?",
    # EMIT, internal: orbit and scene.
    r"emit\d{8}t\d{6}_o\d+_s\d+",
    # NEON, before 2021 and since: by flight line, or by tile of a mosaic.
    r"NIS\d+_\d{8}_\d{6}",
    r"NEON_D\d{2}_[A-Z0-9]{4}_DP\d_(?:\d{8}_L\d+-\d+|\d{6}_\d{7})",
)

# Sensor, start and tile; processing level, version and date of processing are left out.
_PICKED: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"EMIT_L\d[A-Z]?_[A-Z]+_\d{3}_(\d{8}T\d{6}_\d+_\d{3})", lambda m: f"EMIT_{m[1]}"),
    (r"(ENMAP\d\d)[-_]+L\d[A-Z]?-DT\d+_(\d{8}T\d{6}Z)_(\d{3})_V", lambda m: f"{m[1]}_{m[2]}_{m[3]}"),
    (r"PRS_L\d[A-Z]?_[A-Z]+_(\d{14})_\d{14}_\d{4}", lambda m: f"PRS_{m[1]}"),
)

_COMPANION = re.compile(
    r"[_-](?:obs|loc|igm|glt|h2o|mask|unc|uncert|rfluncert)(?:[_-](?:ort|img|v\d\w*))*$|-QL_[A-Z0-9_-]+$", re.IGNORECASE
)


def partial_folder(map_path: Path) -> Path:
    """The folder beside a map in which it is made, and from which an interrupted run goes on."""
    return map_path.parent / f".{map_path.name}.partial"


def line_name(scene: str | Path) -> str:
    """The id that a file name begins with; where it follows no known rule, the name without its ending.

    Rules: those of the AVIRIS family, PRISM, EMIT, NEON, EnMAP and PRISMA (``docs/campaigns.md`` lists them), which
    the portals' readme files give and which ISOFIT's ``template_construction.py`` knows too.
    """
    stem = Path(scene).stem
    for pattern in _PLAIN:
        if match := re.match(pattern + r"(?![A-Za-z0-9])", stem, re.IGNORECASE):
            return match[0]
    for pattern, make in _PICKED:
        if match := re.match(pattern, stem):
            return make(match)
    return stem


def is_companion(scene: str | Path) -> bool:
    """Whether a file name says that it belongs to a scene but is not one: observation geometry, location, masks."""
    return _COMPANION.search(Path(scene).stem) is not None
