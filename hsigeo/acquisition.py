"""When a line was flown, from the file name that its producer gave it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["acquisition_interval"]

# Fourteen digits (PRISMA), or eight and six with T, t or _ between (AVIRIS, EMIT, EnMAP, NEON); eight alone are a day.
_SECOND = re.compile(r"(?:(?<!\d)|(?<=AV[35]))((?:19|20)\d{6})[Tt_]?(\d{6})(?!\d)", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)((?:19|20)\d{6})(?!\d)")
# AVIRIS-Classic names the day with two digits for the year, and no time.
_CLASSIC = re.compile(r"^f(\d{6})t\d{2}p\d{2}r\d{2}")


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
