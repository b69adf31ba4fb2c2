"""``hsigeo report``."""

from __future__ import annotations

from pathlib import Path

import click

from hsigeo.atomic import check_not_an_input
from hsigeo.cli.options import overwrite_option, progress_bar, reader_option, say

__all__ = ["report"]

EXAMPLES = """\b
Examples:
  hsigeo report map.tif
  hsigeo report map.tif -o forest.html --scene moved/scene.hdr
  hsigeo evaluate map.tif --labels validation.gpkg --json map_accuracy.json && hsigeo report map.tif
"""


@click.command(epilog=EXAMPLES)
@click.argument("map_path", metavar="MAP", type=click.Path())
@click.option(
    "-o", "--output", metavar="FILE.html", type=click.Path(), help="The page. Default: MAP_report.html beside it."
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
    """Write one HTML page about a class map.

    Scene and map side by side, areas, accuracy with its optimism gap, confidence, calibration, class spectra, what
    decisions rest on, agreement with overlapping lines, provenance. The page is one file, needs no network and no
    script, and prints. What is not known is left out; the page says so, and how to add it.
    """
    from hsigeo.report.findings import gather
    from hsigeo.report.page import check_report_path, write_report
    from hsigeo.report.sources import Given, find_belongings

    page = output or str(Path(map_path).with_name(f"{Path(map_path).stem}_report.html"))
    check_report_path(page, overwrite=overwrite)
    given = Given(
        scene=scene, model=model, confidence=confidence, evaluation=evaluation, agreement=agreement, reader=reader
    )
    check_not_an_input(page, [map_path, *given.files])
    found = find_belongings(map_path, given)
    check_not_an_input(page, found.files)
    findings = gather(found, bar=progress_bar)
    size = write_report(findings, page, overwrite=overwrite)
    for absence in findings.absences:
        say(f"note: left out: {absence.what[0].lower()}{absence.what[1:]}: {absence.why}")
    say(f"{page}: {size / 1e6:.1f} MB")
