"""What the file names of flight lines and their maps say: which line it is, what belongs to it, and when it was flown.

The rules are those of the producers: AVIRIS, PRISM, EMIT, NEON, EnMAP and PRISMA, as their portals' readme files give
them and as ISOFIT's ``template_construction.py`` knows them too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["acquisition_interval", "is_companion", "line_name", "line_name_of_map", "product_id", "stems_beside_map"]

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

# What the names of all products of one flight line begin with; EMIT's without orbit and scene.
_IDS = re.compile(
    r"f\d{6}t\d{2}p\d{2}r\d{2}|(?:ang|prm)\d{8}t\d{6}|AV[35]\d{8}t\d{6}(?:_\d{3})?|emit\d{8}t\d{6}|"
    r"NIS\d{2}_\d{8}_\d{6}|NEON_D\d{2}_[A-Z0-9]{4}_DP\d_\d{8}_[A-Z0-9-]+",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"[_-](?:rfl|corr|rdn|refl|reflectance|map|l2a?)(?:[_-].*)?$", re.IGNORECASE)

# Fourteen digits (PRISMA), or eight and six with T, t or _ between (AVIRIS, EMIT, EnMAP, NEON); eight alone are a day.
_SECOND = re.compile(r"(?:(?<!\d)|(?<=AV[35]))((?:19|20)\d{6})[Tt_]?(\d{6})(?!\d)", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)((?:19|20)\d{6})(?!\d)")
# AVIRIS-Classic names the day with two digits for the year, and no time.
_CLASSIC = re.compile(r"^f(\d{6})t\d{2}p\d{2}r\d{2}")


def line_name(scene: str | Path) -> str:
    """The id that a file name begins with; where it follows no known rule, the name without its ending.

    ``docs/campaigns.md`` lists the rules.
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


def product_id(name: str) -> str:
    """The part of a file's name that all products of one flight line share."""
    known = _IDS.match(name)
    return known[0] if known else _PRODUCT.sub("", name)


def line_name_of_map(path: Path) -> str:
    """What the line of a map is called: the map's name without suffix and ``_map``."""
    name = path.stem.removesuffix("_map")
    return name if name.strip() else repr(path.stem)


def stems_beside_map(path: Path) -> tuple[str, ...]:
    """What the names of layers beside a map may begin with: for ``line_1_map`` first ``line_1``, then its own stem."""
    return tuple(dict.fromkeys((path.stem.removesuffix("_map"), path.stem)))


def acquisition_interval(scene: str) -> tuple[datetime, datetime] | None:
    """First and last moment at which a scene may have been taken, UTC; `None` where its name does not say.

    Both are the same where the name gives the second; a name that gives a day gives all of that day.

    >>> acquisition_interval("ang20200712t201415_rfl_v2y1_img")[0].isoformat()
    '2020-07-12T20:14:15+00:00'
    """
    stem = Path(scene).stem
    if match := _CLASSIC.search(stem):
        century = "20" if int(match[1][:2]) < 70 else "19"
        return _day(century + match[1])
    for match in _SECOND.finditer(stem):
        moment = _parse(match[1] + match[2], "%Y%m%d%H%M%S")
        if moment is not None:
            return moment, moment
    for match in _DAY.finditer(stem):
        day = _day(match[1])
        if day is not None:
            return day
    return None


def _day(digits: str) -> tuple[datetime, datetime] | None:
    start = _parse(digits, "%Y%m%d")
    return None if start is None else (start, start + timedelta(days=1, seconds=-1))


def _parse(digits: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(digits, form).replace(tzinfo=UTC)
    except ValueError:  # digits that are no date
        return None
