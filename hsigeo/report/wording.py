"""Numbers, units and lists as text."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hsigeo.report.markup import Child, Html, join

__all__ = ["AreaUnit", "area_unit", "count", "day", "enumerate_words", "interval", "percent", "plural", "points"]

_THIN = "\u202f"  # narrow no-break space
_UNKNOWN = "–"  # noqa: RUF001 - an en dash, as in tables
_HECTARES_OF = {"m²": 1e-4, "ha": 1.0, "km²": 100.0}


@dataclass(frozen=True, kw_only=True)
class AreaUnit:
    """In what the areas of a page are given.

    Parameters
    ----------
    name
        ``m²``, ``ha``, ``km²`` or ``pixels``.
    size
        In hectares, or in pixels.
    """

    name: str
    size: float = 1.0

    def write(self, area: float, *, unit: bool = True) -> str:
        """An area given in hectares (or pixels), three digits at least."""
        value = area / self.size
        text = _with_digits(value)
        return f"{text}{_THIN}{self.name}" if unit else text


def area_unit(total: float, unit: str) -> AreaUnit:
    """The unit in which a total of `unit` (``ha`` or ``pixels``) is easily read."""
    if unit != "ha":
        return AreaUnit(name=unit)
    name = "m²" if total < 1 else "ha" if total < 10_000 else "km²"
    return AreaUnit(name=name, size=_HECTARES_OF[name])


def count(number: int) -> str:
    """A whole number.

    >>> count(1234567).replace("\u202f", " ")
    '1 234 567'
    """
    return f"{number:,}".replace(",", _THIN)


def percent(share: float | None) -> str:
    """A share as per cent; a dash where it is not known."""
    if share is None or not math.isfinite(share):
        return _UNKNOWN
    # What is not all shall not read as all.
    digits = 2 if 0.9995 <= share < 1 or 0 < share < 0.0005 else 1
    return f"{100 * share:.{digits}f}{_THIN}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points."""
    return f"{100 * difference:.1f} percentage points"


def interval(low: float, high: float) -> str:
    """Two shares as a range in per cent."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return _UNKNOWN
    return f"{100 * low:.1f}–{100 * high:.1f}{_THIN}%"  # noqa: RUF001 - an en dash, as between numbers


def plural(number: int, one: str, many: str = "") -> str:
    """``1 class``, ``1 234 classes``."""
    return f"{count(number)}\u00a0{one if number == 1 else many or one + 's'}"


def enumerate_words(words: Sequence[Child]) -> Html:
    """``a, b and c``."""
    if len(words) < 2:
        return join(words)
    return join([join(words[:-1], ", "), words[-1]], " and ")


def day(seconds: float) -> str:
    """A time as date and minute, UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _with_digits(value: float) -> str:
    if not math.isfinite(value):
        return _UNKNOWN
    digits = 0 if abs(value) >= 100 or value == round(value) == 0 else 1 if abs(value) >= 10 else 2
    if 0 < abs(value) < 0.01:
        return f"{value:.1g}"
    return f"{value:,.{digits}f}".replace(",", _THIN)
