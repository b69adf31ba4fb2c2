"""The lines of a campaign as the index shows them: what each row says, and what only their comparison shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hsigeo.agreement.effects import FEWEST_LINES, find_outliers
from hsigeo.report.certainty import UNSURE
from hsigeo.report.index.row import ClassPart, Row
from hsigeo.report.wording import percent

__all__ = ["Campaign", "ClassTotal", "Entry", "Failure", "make_campaign"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line with a map.

    Parameters
    ----------
    row
        What its page says in short.
    page
        File name of the page, in the folder of the index.
    cautions
        Those of the row, and where the line is unlike the others.
    """

    row: Row
    page: str
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A line without a page: its name, what became of it in a word, and why."""

    name: str
    status: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ClassTotal:
    """A class over all lines.

    Parameters
    ----------
    name, color
        As in the maps.
    area, pixels
        Of all lines together.
    lines
        That have a pixel of it.
    """

    name: str
    color: str
    area: float
    pixels: int
    lines: int


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """All lines of a folder.

    Parameters
    ----------
    name
        Of the folder.
    entries, failures
        By name of the line.
    shared
        Cautions that hold for most lines, and for how many: what is usual sets no line apart.
    written
        When, seconds since 1970.
    """

    name: str
    entries: tuple[Entry, ...]
    failures: tuple[Failure, ...]
    shared: tuple[tuple[str, int], ...]
    written: float

    @property
    def rows(self) -> list[Row]:
        """The rows of the lines that have a map."""
        return [entry.row for entry in self.entries]

    @cached_property
    def unit(self) -> str:
        """Unit of all areas: hectares only if every map is georeferenced."""
        return "ha" if all(row.unit == "ha" for row in self.rows) else "pixels"

    def amount(self, part: ClassPart) -> float:
        """How much a class of a line covers, in the unit of the campaign."""
        return part.area if self.unit == "ha" else float(part.pixels)

    def amount_of(self, row: Row) -> float:
        """How much of a line has a class."""
        return sum(self.amount(part) for part in row.classes)

    @property
    def models(self) -> list[str]:
        """Those that made the maps; one that was renamed on the way is the same, by the digest after its name."""
        return sorted({row.model.rpartition(" ")[2]: row.model for row in self.rows if row.model}.values())

    def totals(self) -> list[ClassTotal]:
        """The classes of all lines, by name, the largest first; the colour is that of the first line that has it."""
        found: dict[str, ClassTotal] = {}
        for row in self.rows:
            for part in row.classes:
                before = found.get(part.name, ClassTotal(name=part.name, color=part.color, area=0.0, pixels=0, lines=0))
                found[part.name] = ClassTotal(
                    name=part.name,
                    color=before.color,
                    area=before.area + self.amount(part),
                    pixels=before.pixels + part.pixels,
                    lines=before.lines + 1,
                )
        return sorted(found.values(), key=lambda total: (-total.area, total.name))


def make_campaign(name: str, pages: Iterable[tuple[str, Row]], failures: Sequence[Failure], written: float) -> Campaign:
    """Put the rows together, and see which lines are unlike the others.

    Parameters
    ----------
    pages
        File name and row of each line's page.
    """
    kept = sorted(pages, key=lambda page: page[1].name)
    unlike = _unlike_the_others([row for _, row in kept])
    often = Counter(caution for _, row in kept for caution in set(row.cautions))
    shared = {caution: lines for caution, lines in often.items() if 2 * lines > len(kept) >= FEWEST_LINES}
    entries = [
        Entry(row=row, page=page, cautions=(*more, *(caution for caution in row.cautions if caution not in shared)))
        for (page, row), more in zip(kept, unlike, strict=True)
    ]
    return Campaign(
        name=name,
        entries=tuple(entries),
        failures=tuple(sorted(failures, key=lambda failure: failure.name)),
        shared=tuple(sorted(shared.items())),
        written=written,
    )


def _unlike_the_others(rows: Sequence[Row]) -> list[list[str]]:
    """What stands out of each line, by the rule that finds lines which disagree more than others."""
    said: list[list[str]] = [[] for _ in rows]
    for what, shares in (
        ("of its pixels are unlike the training data", [row.unknown for row in rows]),
        (f"of its classified pixels are less than {100 * UNSURE:g}\u202f% sure", [row.unsure for row in rows]),
    ):
        known = np.array([np.nan if share is None else share for share in shares])
        for number in find_outliers(known):
            usual = percent(float(np.nanmedian(known)))
            said[number].append(f"{percent(float(known[number]))} {what} (median of all lines: {usual})")
    return said
