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
    help="4- or 8-connectivity of patches.",
)
@overwrite_option
def vectorise(class_map: Path, output: Path, neighbours: str, overwrite: bool) -> None:
    """Turn a class map into polygons, one per patch, with class, colour, pixels and area in hectares.

    Areas are measured in the map's projection if that preserves area within 1 %, else on the ellipsoid. Polygons follow
    pixel edges; remove small patches first (hsigeo refine --sieve), or there will be very many.
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
