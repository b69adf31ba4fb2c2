"""``hsigeo mosaic``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.cli.options import common_grid_options, note_unused, overwrite_option, progress_bar, say

if TYPE_CHECKING:
    from hsigeo.mosaic.assembly import Mosaic

EXAMPLES = """\b
Examples:
  hsigeo mosaic maps/*_map.tif -o campaign.tif
  hsigeo mosaic maps/*_map.tif -o campaign.tif --rule zenith --observations obs/
  hsigeo mosaic maps/ -o campaign.tif --crs EPSG:32633 --resolution 5
  hsigeo mosaic maps/*_map.tif -o campaign.vrt --vrt
"""


@click.command(epilog=EXAMPLES)
@click.argument("maps", metavar="MAP...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="MOSAIC.tif", required=True, type=click.Path(path_type=Path), help="The mosaic to write."
)
@click.option(
    "--rule",
    type=click.Choice(["probability", "confidence", "zenith", "centre", "order"]),
    help="How overlaps are decided. Default: the first of these that all maps have the layers for.",
)
@common_grid_options
@click.option("--vrt", is_flag=True, help="Write a GDAL VRT that refers to the maps instead of a copy of their pixels.")
@click.option(
    "--confidence",
    metavar="FILE.tif",
    type=click.Path(path_type=Path),
    help="Also write the probability of each pixel's class, from the layers beside the maps.",
)
@overwrite_option
def mosaic(
    maps: tuple[Path, ...],
    output: Path,
    rule: str | None,
    observations: tuple[Path, ...],
    crs: str | None,
    resolution: float | None,
    bounds: tuple[float, float, float, float] | None,
    vrt: bool,
    confidence: Path | None,
    overwrite: bool,
) -> None:
    """Combine the maps of many flight lines on one north-up grid.

    MAP may also be a folder of maps.

    Overlaps are decided by a rule: probability (the class with the highest mean probability over the lines),
    confidence (the line with the highest confidence), zenith (the line with the smallest view zenith angle), centre
    (the line whose centre is nearest) or order (the line given first). Labels are never interpolated.
    MOSAIC_lines.tif holds the line that each pixel comes from.
    """
    from hsigeo.lines.mapped_line import open_lines
    from hsigeo.lines.target import choose_grid
    from hsigeo.mosaic import Rule, write_mosaic, write_vrt

    if vrt or rule not in (None, "zenith"):
        note_unused("observations", "with --vrt" if vrt else f"with --rule {rule}")
    lines, notes = open_lines(maps, observations=observations)
    for note in notes:
        say(f"note: {note}")
    if vrt:
        if rule not in (None, "order") or crs or resolution or bounds or confidence:
            raise click.UsageError(
                "a VRT only refers to the maps, the first on top; --rule, --crs, --resolution, --bounds and "
                "--confidence need a mosaic with its own pixels (leave out --vrt)"
            )
        for note in write_vrt(lines, output, overwrite=overwrite):
            say(f"note: {note}")
        say(f"{output}: {len(lines)} maps")
        return
    grid = choose_grid([line.grid for line in lines], crs=crs, resolution=resolution, bounds=bounds)
    with progress_bar("mosaic", "px") as show:
        result = write_mosaic(
            lines,
            output,
            rule=None if rule is None else Rule(rule),
            grid=grid,
            confidence=confidence,
            overwrite=overwrite,
            progress=show,
        )
    for note in result.notes:
        say(f"note: {note}")
    say(format_mosaic(result, len(lines)))


def format_mosaic(result: Mosaic, count: int) -> str:
    """What was written, in a few lines."""
    from rasterio.crs import CRS

    from hsigeo.mosaic.rules import WHAT_IT_DOES

    crs = CRS.from_wkt(result.grid.crs)
    where = f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else "its own CRS"
    size = f"{result.grid.lines} x {result.grid.samples} pixels of {result.grid.pixel_size[0]:g}, {where}"
    seen = [name for name, pixels in result.pixels_of_lines.items() if pixels]
    lines = [
        f"{result.path}: {size}, from {len(seen)} of {count} maps",
        f"{result.lines_path}: the line each pixel comes from; rule: {result.rule} ({WHAT_IT_DOES[result.rule]})",
    ]
    unseen = [name for name, pixels in result.pixels_of_lines.items() if not pixels]
    if unseen:
        lines.append(f"hidden in the mosaic: {', '.join(unseen[:10])}")
    return "\n".join(lines)
