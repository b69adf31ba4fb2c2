"""``hsigeo statistics``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.cli.options import progress_bar, say

if TYPE_CHECKING:
    from hsigeo.refinement.statistics import ClassStatistics

EXAMPLES = """\b
Examples:
  hsigeo statistics map.tif
  hsigeo statistics map.tif --json > classes.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("class_map", metavar="MAP", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def statistics(class_map: Path, as_json: bool) -> None:
    """Count the pixels and measure the area of each class of a map.

    Areas are hectares on the ground, whatever the CRS; see also the error-adjusted areas of hsigeo evaluate: what a map
    counts of a class is a biased estimate of how much there is.
    """
    from hsigeo.io import open_map
    from hsigeo.refinement.statistics import measure_classes

    with progress_bar("count", "row") as show:
        found = measure_classes(open_map(class_map), progress=show)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    click.echo(format_statistics(found))
    if found.note:
        say(f"note: {found.note}")


def format_statistics(found: ClassStatistics) -> str:
    """A table with a row for each class."""
    rows = [("id", "pixels", "ha", "share", "class")]
    for row in found.classes:
        area = "-" if row.area is None else f"{row.area:.6g}"
        rows.append((str(row.entry.id), str(row.pixels), area, f"{row.share:.2%}", row.entry.name))
    rows.append(("0", str(found.unclassified_pixels), "", "", "(no class)"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.rjust(width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]) for row in rows
    )
