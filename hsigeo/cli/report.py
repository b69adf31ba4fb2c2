"""``hsigeo report``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import check_not_an_input
from hsigeo.cli.options import overwrite_option, progress_bar, reader_option, say
from hsigeo.errors import HsigeoError

if TYPE_CHECKING:
    from hsigeo.report.sources import Given

__all__ = ["report"]

MOST_NAMED = 10

EXAMPLES = """\b
Examples:
  hsigeo report map.tif
  hsigeo report maps/ --overwrite
  hsigeo report map.tif -o forest.html --scene moved/scene.hdr
  hsigeo evaluate map.tif --labels validation.gpkg --json map_accuracy.json && hsigeo report map.tif
"""


@click.command(epilog=EXAMPLES)
@click.argument("map_path", metavar="MAP|DIR", type=click.Path())
@click.option(
    "-o",
    "--output",
    metavar="FILE.html",
    type=click.Path(),
    help="The page. Default: MAP_report.html beside MAP; DIR/index.html, with the pages of the lines beside it.",
)
@click.option("--scene", metavar="SCENE", type=click.Path(), help="The scene. Default: the one the map names.")
@click.option("--model", metavar="MODEL", type=click.Path(), help="The model. Default: the one the map names.")
@click.option(
    "--confidence",
    metavar="FILE.tif",
    type=click.Path(),
    help="Confidence of the map. Default: found beside it by name.",
)
@click.option(
    "--evaluation",
    metavar="FILE.json",
    type=click.Path(),
    help="What `hsigeo evaluate --json` wrote. Default: found beside the map.",
)
@click.option(
    "--agreement",
    metavar="DIR",
    type=click.Path(),
    help="Folder (or agreement.json) that `hsigeo agree` wrote. Default: found beside the map.",
)
@reader_option
@overwrite_option
def report(
    map_path: str,
    output: str | None,
    scene: str | None,
    model: str | None,
    confidence: str | None,
    evaluation: str | None,
    agreement: str | None,
    reader: str | None,
    overwrite: bool,
) -> None:
    """Write one HTML page about a class map, or about each map in DIR, with an index above them.

    Scene and map side by side, areas, accuracy with its optimism gap, confidence, calibration, class spectra, what
    decisions rest on, agreement with overlapping lines, provenance. A page is one file, needs no network and no
    script, and can be printed. It lists what is missing and how to add it.

    The index of a folder has a sortable row for each flight line. Pages that are up to date are left alone, so the same
    command resumes an interrupted run.
    """
    from hsigeo.report.sources import Given

    given = Given(
        scene=scene, model=model, confidence=confidence, evaluation=evaluation, agreement=agreement, reader=reader
    )
    if Path(map_path).is_dir():
        for option, value in (("--scene", scene), ("--confidence", confidence), ("--evaluation", evaluation)):
            if value is not None:
                raise click.UsageError(f"{option} belongs to one map, and {map_path} is a folder; give the map")
        _report_on_folder(map_path, output, given, overwrite=overwrite)
    else:
        _report_on_map(map_path, output, given, overwrite=overwrite)


def _report_on_map(map_path: str, output: str | None, given: Given, *, overwrite: bool) -> None:
    from hsigeo.report.findings import gather
    from hsigeo.report.index.making import page_of
    from hsigeo.report.page import check_report_path, write_report
    from hsigeo.report.sources import find_belongings

    page = output or str(page_of(map_path))
    check_report_path(page, overwrite=overwrite)
    check_not_an_input(page, [map_path, *given.files])
    found = find_belongings(map_path, given)
    check_not_an_input(page, found.files)
    findings = gather(found, bar=progress_bar)
    size = write_report(findings, page, overwrite=overwrite)
    for absence in findings.absences:
        say(f"note: left out: {absence.what[0].lower()}{absence.what[1:]}: {absence.why}")
    say(f"{page}: {size / 1e6:.1f} MB")


def _report_on_folder(folder: str, output: str | None, given: Given, *, overwrite: bool) -> None:
    from hsigeo.report.index.making import write_index

    result = write_index(folder, output, given=given, overwrite=overwrite, bar=progress_bar)
    for path in result.passed:
        say(f"note: passed over: {path}, a mosaic; `hsigeo report {shlex.quote(path)}` makes a page about it")
    for failure in result.failures:
        say(f"note: not shown: {failure.name}: {failure.why or failure.status}")
    kept = f", {result.kept} were there" if result.kept else ""
    say(f"{result.path}: {result.size / 1e6:.1f} MB, {result.made} pages made{kept}")
    if result.failures:
        names = ", ".join(failure.name for failure in result.failures[:MOST_NAMED])
        raise HsigeoError(f"{len(result.failures)} lines have no page: {names}")
