"""``hsigeo catalogue``."""

from __future__ import annotations

from pathlib import Path

import click

from hsigeo.cli.options import overwrite_option, progress_bar, say

EXAMPLES = """\b
Examples:
  hsigeo catalogue maps/
  hsigeo catalogue maps/ --title "Harz 2026" --license CC-BY-4.0 --overwrite
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--title", metavar="TEXT", help="Title of the collection. Default: the folder's name.")
@click.option(
    "--license",
    "licence",
    metavar="ID",
    default="other",
    show_default=True,
    help="Licence of the maps: an SPDX identifier such as CC-BY-4.0, or other.",
)
@overwrite_option
def catalogue(folder: Path, title: str | None, licence: str, overwrite: bool) -> None:
    """Write a STAC item beside each map in DIR, and collection.json above them.

    All links are relative: the folder can be moved, or put on a web server, as it is.
    """
    from hsigeo.catalogue import write_catalogue

    with progress_bar("catalogue", "map") as show:
        result = write_catalogue(folder, title=title, license=licence, overwrite=overwrite, progress=show)
    for note in result.notes:
        say(f"note: {note}")
    say(f"{result.path}: {len(result.items)} maps")
