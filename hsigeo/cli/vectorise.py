"""``hsigeo vectorise``."""

from __future__ import annotations

from pathlib import Path

import click

from hsigeo.cli.options import overwrite_option, progress_bar, say

EXAMPLES = """\b
Examples:
  hsigeo vectorise map.tif -o map.gpkg
  hsigeo refine map.tif -o clean.tif --sieve 10 && hsigeo vectorise clean.tif -o clean.gpkg
"""


@click.command(epilog=EXAMPLES)
@click.argument("class_map", metavar="MAP", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE.gpkg", required=True, type=click.Path(path_type=Path), help="GeoPackage to write."
)
@click.option(
    "--neighbours",
    type=click.Choice(["4", "8"]),
    default="4",
    show_default=True,
    help="Whether pixels that touch at a corner are of one polygon (8).",
)
@overwrite_option
def vectorise(class_map: Path, output: Path, neighbours: str, overwrite: bool) -> None:
    """Turn a class map into polygons, one for each patch: class, colour, pixels, area in hectares.

    Areas are true: in the projection of the map where it keeps them within 1 %, else on the ellipsoid. Polygons follow
    the edges of pixels; remove small patches first (hsigeo refine --sieve), or there will be very many.
    """
    from hsigeo.io import open_map
    from hsigeo.refinement.polygons import write_polygons

    with progress_bar("read", "row") as show:
        written = write_polygons(
            open_map(class_map), output, diagonal=neighbours == "8", overwrite=overwrite, progress=show
        )
    if written.note:
        say(f"note: {written.note}")
    say(f"{written.path}: {written.count} polygons")
