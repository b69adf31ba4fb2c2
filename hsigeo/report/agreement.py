"""The results of `hsigeo agree` for a map, read from its JSON as untrusted input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hsigeo.fingerprint import fingerprint
from hsigeo.io.class_raster import ClassRaster
from hsigeo.report.stated import stated_number, stated_rows, stated_whole

__all__ = ["Agreement", "ClassAgreement", "LineAgreement", "PairAgreement", "read_agreement"]

LARGEST = 1e6
"""Nobody's share or excess; what is more was written to fill the page."""


@dataclass(frozen=True, kw_only=True)
class LineAgreement:
    """One line against those that it overlaps; shares 0-1, NaN where not known."""

    name: str
    neighbours: int
    pixels: int
    agreement: float
    excess: float
    odd: bool


@dataclass(frozen=True, kw_only=True)
class PairAgreement:
    """Two lines."""

    first: str
    second: str
    pixels: int
    agreement: float


@dataclass(frozen=True, kw_only=True)
class ClassAgreement:
    """One class over all pairs."""

    name: str
    pixels: int
    agreement: float
    confused_with: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """The comparison, and which of its lines the map is.

    Parameters
    ----------
    overall
        Share of common pixels on which lines agree.
    pixels
        Pairs of pixels.
    line
        Name of the line that the map is of; empty for a mosaic of the lines.
    lines, pairs, classes
        All of the comparison.
    """

    overall: float
    pixels: int
    line: str
    lines: tuple[LineAgreement, ...]
    pairs: tuple[PairAgreement, ...]
    classes: tuple[ClassAgreement, ...]

    @property
    def own(self) -> LineAgreement | None:
        """The figures of the map's own line."""
        return next((row for row in self.lines if self.line and row.name == self.line), None)


def read_agreement(document: object, raster: ClassRaster) -> Agreement | str:
    """The comparison that a map took part in, or whose lines it is the mosaic of.

    Returns
    -------
    Agreement or str
        A sentence that says why it is not about this map; empty where it is no comparison at all.
    """
    match document:
        case {"agreement": float(overall), "pixels": int(pixels), "lines": list(), "pairs": list(), "classes": list()}:
            pass
        case _:
            return ""
    assert isinstance(document, Mapping)
    line, objection = _line_of(document, raster)
    if objection:
        return objection
    return Agreement(
        overall=overall,
        pixels=pixels,
        line=line,
        lines=tuple(
            LineAgreement(
                name=name,
                neighbours=_whole(row, "neighbours"),
                pixels=_whole(row, "pixels"),
                agreement=_number(row, "agreement"),
                excess=_number(row, "excess"),
                odd=row.get("odd") is True,
            )
            for row in stated_rows(document["lines"])
            if isinstance(name := row.get("name"), str)
        ),
        pairs=tuple(
            PairAgreement(first=first, second=second, pixels=_whole(row, "pixels"), agreement=_number(row, "agreement"))
            for row in stated_rows(document["pairs"])
            if isinstance(first := row.get("first"), str) and isinstance(second := row.get("second"), str)
        ),
        classes=tuple(
            ClassAgreement(
                name=name,
                pixels=_whole(row, "pixels"),
                agreement=_number(row, "agreement"),
                confused_with=other if isinstance(other := row.get("confused_with"), str) else "",
            )
            for row in stated_rows(document["classes"])
            if isinstance(name := row.get("name"), str)
        ),
    )


def _line_of(document: Mapping[str, object], raster: ClassRaster) -> tuple[str, str]:
    """Name of the map's line, empty for a mosaic of the lines; and why the comparison is not about the map."""
    maps = [row for row in stated_rows(document.get("maps")) if isinstance(row.get("name"), str)]
    path = Path(raster.path)
    for row in maps:
        if row.get("map") == path.name:
            same = row.get("fingerprint") == fingerprint(path)
            changed = "the map has changed since it was compared, or the comparison is of another map"
            return str(row["name"]), "" if same else changed
    parts = {row.get("map") for row in stated_rows(raster.metadata.get("lines"))}
    belongs = bool(parts) and parts <= {row.get("map") for row in maps}
    return "", "" if belongs else "the map is not among those compared"


def _whole(row: Mapping[str, object], key: str) -> int:
    return stated_whole(row.get(key)) or 0


def _number(row: Mapping[str, object], key: str) -> float:
    value = stated_number(row.get(key))
    return math.nan if value is None or abs(value) > LARGEST else value
