"""Pages for all maps of a folder, and the index above them.

The strategy: a line's page keeps its row and a digest of what it was made from. So what is done is seen from the pages
alone: a run that was stopped goes on where it ended, and one after new maps have come makes the pages of those. One
line is in memory at a time, and of the others their rows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hsigeo.atomic import check_not_an_input, check_output
from hsigeo.errors import HsigeoError, Interrupted, LabelError, OutputError, OutputExistsError
from hsigeo.explanation import explain_model
from hsigeo.line_names import line_name_of_map
from hsigeo.lines.found_maps import FoundMap, find_maps
from hsigeo.lines.mapped_line import MADE_OF_MAPS
from hsigeo.report.findings import gather, now
from hsigeo.report.index.campaign import Failure, make_campaign
from hsigeo.report.index.page import make_index_page
from hsigeo.report.index.row import Row
from hsigeo.report.index.state import read_kept, state_of
from hsigeo.report.index.summary import summarise
from hsigeo.report.page import check_report_path, write_page, write_report
from hsigeo.report.sources import Given, find_belongings
from hsigeo.report.surroundings import Surroundings
from hsigeo.report.survey import Bar, no_bar

__all__ = ["INDEX", "IndexResult", "page_of", "write_index"]

INDEX = "index.html"
"""The name that web servers and people look for."""

MOST_LINES = 10_000


@dataclass(frozen=True, kw_only=True)
class IndexResult:
    """What was made.

    Parameters
    ----------
    path, size
        The index, and its bytes.
    made, kept
        Lines whose page was made, and whose page was there and still true.
    failures
        Lines that could not be shown.
    passed
        Mosaics, which are of several lines and so have no row.
    """

    path: Path
    size: int
    made: int
    kept: int
    failures: tuple[Failure, ...]
    passed: tuple[str, ...]


def page_of(map_path: str | os.PathLike[str], folder: Path | None = None) -> Path:
    """The page about a map: beside it, or in another folder."""
    path = Path(map_path)
    return (folder or path.parent) / f"{path.stem}_report.html"


def write_index(
    folder: str | os.PathLike[str],
    index: str | os.PathLike[str] | None = None,
    *,
    given: Given | None = None,
    overwrite: bool = False,
    bar: Bar = no_bar,
) -> IndexResult:
    """Write a page for each map of a folder, and the index.

    Parameters
    ----------
    folder
        Of the maps; folders in it are not looked into.
    index
        The index; the pages lie beside it. Default: ``index.html`` in the folder.
    given
        What belongs to every map: a model, a comparison of the lines, a reader.
    overwrite
        Replace an index that is there, and pages that are no longer true. Pages that are, are left alone.
    bar
        Makes progress bars.

    Raises
    ------
    OutputExistsError
        The index is there, or a page that is no longer true, and `overwrite` is false. Nothing has been written then.
    OutputError
        There is no such folder, or a file cannot be written.
    LabelError
        There is no map in the folder, or none that can be shown.
    Interrupted
        The user stopped it; pages that are made stay.
    """
    home = Path(folder)
    target = home / INDEX if index is None else Path(index)
    maps, failures, passed = _find_lines(home)
    check_report_path(target, overwrite=overwrite)
    pages = [page_of(entry.path, target.parent) for entry in maps]
    check_not_an_input(target, pages)
    work = _Work(home, given or Given())
    rows = _rows_there(work, maps, pages, overwrite=overwrite, bar=bar)
    kept = len(rows)
    failures += _make_missing(work, maps, pages, rows, bar)
    if not rows:
        raise LabelError(f"none of the {len(failures)} maps in {folder} can be shown: {failures[0].why}")
    failures += _unfinished(work.around.jobs, {entry.path.name for entry in maps})
    name = home.resolve().name or str(home)
    campaign = make_campaign(name, [(page.name, row) for page, row in rows.items()], failures, now())
    size = write_page(make_index_page(campaign), target, overwrite=overwrite)
    return IndexResult(
        path=target,
        size=size,
        made=len(rows) - kept,
        kept=kept,
        failures=campaign.failures,
        passed=tuple(passed),
    )


class _Work:
    """The making of pages, with what the lines have in common."""

    def __init__(self, folder: Path, given: Given) -> None:
        self.around = Surroundings(folder)
        self._given = given
        self._explain = lru_cache(maxsize=1)(explain_model)

    def make(self, map_path: Path, page: Path) -> Row:
        """Write the page of a map, in place of one that is no longer true; return its row."""
        found = find_belongings(str(map_path), self._given, self.around)
        findings = gather(found, explain=self._explain)
        write_report(findings, page, overwrite=True)
        return summarise(findings)

    def is_true(self, map_path: Path, state: str) -> bool:
        """Whether a page of this state would be the same if it was made now."""
        try:
            return state_of(find_belongings(str(map_path), self._given, self.around)) == state
        except (HsigeoError, OSError):
            return False


def _find_lines(folder: Path) -> tuple[list[FoundMap], list[Failure], list[str]]:
    """The maps of lines, those that cannot be read, and mosaics."""
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder; give a map, or the folder of the maps")
    maps, unreadable = find_maps(folder)
    lines = [entry for entry in maps if entry.kind not in MADE_OF_MAPS]
    failures = [
        Failure(name=line_name_of_map(folder / name), status="map not readable", why=why)
        for name, why in unreadable.items()
        if name.endswith("_map.tif")
    ]
    if not lines and not failures:
        raise LabelError(f"{folder} holds no map of a line that hsigeo wrote, so there is nothing to report on")
    if len(lines) > MOST_LINES:
        raise OutputError(f"{folder} holds {len(lines)} maps; {MOST_LINES} is the most for one index")
    return lines, failures, [str(entry.path) for entry in maps if entry.kind == "mosaic"]


def _rows_there(work: _Work, maps: list[FoundMap], pages: list[Path], *, overwrite: bool, bar: Bar) -> dict[Path, Row]:
    """Rows of the pages that are there and still true; the others may be replaced, or that is an error."""
    rows = {}
    there = [(entry, page) for entry, page in zip(maps, pages, strict=True) if page.exists()]
    with bar("pages that are there", "line") as show:
        for number, (entry, page) in enumerate(there, start=1):
            kept = read_kept(page)
            if kept is not None and work.is_true(entry.path, kept[0]):
                rows[page] = replace(kept[1], name=line_name_of_map(entry.path), map_name=entry.path.name)
            elif not overwrite:
                raise OutputExistsError(
                    f"{page} exists and is not the page that would be made now; move it or allow overwriting "
                    "(--overwrite), which leaves pages alone that are still true"
                )
            else:
                check_output(page, overwrite=True)
            show(number, len(there))
    return rows


def _make_missing(
    work: _Work, maps: list[FoundMap], pages: list[Path], rows: dict[Path, Row], bar: Bar
) -> list[Failure]:
    """Make the pages that are missing, put their rows to the others, and say which could not be made."""
    failures = []
    try:
        with bar("report", "line") as show:
            for number, (entry, page) in enumerate(zip(maps, pages, strict=True), start=1):
                if page not in rows:
                    try:
                        rows[page] = work.make(entry.path, page)
                    except OutputError:  # of the page: what cannot be written now will not be for the next one
                        raise
                    except HsigeoError as error:
                        failures.append(Failure(name=line_name_of_map(entry.path), status="no page", why=str(error)))
                show(number, len(maps))
    except KeyboardInterrupt as interruption:
        done = f"{len(rows)} of {len(maps)} lines have their page"
        raise Interrupted(f"{done}; repeat the same command to continue") from interruption
    return failures


def _unfinished(jobs: Mapping[str, Mapping[str, Any]], found: set[str]) -> list[Failure]:
    """Lines of the campaign's manifest that have no map here, and what it says about them."""
    failures = []
    for line, entry in jobs.items():
        outputs = entry.get("outputs")
        name = outputs.get("map") if isinstance(outputs, Mapping) else None
        status, why = entry.get("status"), entry.get("error")
        if isinstance(name, str) and Path(name).name in found:
            continue
        failures.append(
            Failure(
                name=line,
                status=status[:40] if isinstance(status, str) else "unknown",
                why=why[:400] if isinstance(why, str) else "",
            )
        )
    return failures
