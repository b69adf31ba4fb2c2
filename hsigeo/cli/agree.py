"""``hsigeo agree``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import filled_on_success, made_folder
from hsigeo.cli.columns import cells_of, decimal, pad, percent, shorten
from hsigeo.cli.options import common_grid_options, overwrite_option, progress_bar, say

if TYPE_CHECKING:
    from hsigeo.agreement.figures import Figures

EXAMPLES = """\b
Examples:
  hsigeo agree maps/*_map.tif -o agreement/
  hsigeo agree maps/ -o agreement/ --observations obs/ --overwrite
"""

_MOST_ROWS = 20


@click.command(epilog=EXAMPLES)
@click.argument("maps", metavar="MAP...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output-dir",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for tables (CSV), agreement.json, agreement.png and disagreement.tif.",
)
@common_grid_options
@overwrite_option
def agree(
    maps: tuple[Path, ...],
    output_dir: Path,
    observations: tuple[Path, ...],
    crs: str | None,
    resolution: float | None,
    bounds: tuple[float, float, float, float] | None,
    overwrite: bool,
) -> None:
    """Compare the maps of flight lines where they overlap.

    Reports agreement by pair of lines, by class, and from the centre of the swath to its edge; ranks the lines, and
    names outliers and lines that were processed differently. Agreement is not accuracy: lines can agree on the wrong
    class.
    """
    from hsigeo.agreement import compare_lines, write_report
    from hsigeo.agreement.figures import make_figures
    from hsigeo.agreement.report import DISAGREEMENT_MAP, check_report
    from hsigeo.io.map_files import remove_stale
    from hsigeo.line_processing import find_processing_differences
    from hsigeo.lines.mapped_line import open_lines
    from hsigeo.lines.processing import processing_of_line
    from hsigeo.lines.target import choose_grid

    lines, notes = open_lines(maps, observations=observations)
    for note in notes:
        say(f"note: {note}")
    differences = find_processing_differences([processing_of_line(line) for line in lines])
    for difference in differences:
        say(f"caution: {difference}")
    grid = choose_grid([line.grid for line in lines], crs=crs, resolution=resolution, bounds=bounds)
    with made_folder(output_dir):
        check_report(output_dir, overwrite=overwrite)
        with filled_on_success(output_dir) as stage:
            with progress_bar("agree", "px") as show:
                comparison = compare_lines(lines, grid=grid, disagreement=stage / DISAGREEMENT_MAP, progress=show)
            for note in comparison.notes:
                say(f"note: {note}")
            figures = make_figures(comparison)
            click.echo(format_figures(figures, comparison.axis))
            write_report(stage, comparison, figures, differences=differences)
            remove_stale(output_dir / DISAGREEMENT_MAP)
    say(f"{output_dir}: agreement.png, agreement.json, {DISAGREEMENT_MAP} and the tables as CSV")


def format_figures(figures: Figures, axis: str) -> str:
    """The figures as text for a terminal."""
    if not figures.pairs:
        return "no two lines have a pixel in common"
    compared = [row for row in figures.lines if row.neighbours]
    lines = [
        f"{len(figures.pairs)} pairs of {len(compared)} lines, {figures.pixels} pairs of pixels: "
        f"{percent(figures.overall)} % agree, kappa {decimal(figures.kappa, 2)}",
        "",
        *_line_table(figures),
        "",
        *_class_table(figures),
        "",
        *_position_table(figures, axis),
    ]
    odd = [row for row in figures.lines if row.odd]
    if odd:
        usual = sorted(row.agreement for row in compared if not row.odd)
        middle = usual[len(usual) // 2] if usual else math.nan
        lines.append("")
        lines += [
            f"{row.name} stands out: it agrees with its {row.neighbours} neighbours in {percent(row.agreement)} % of "
            f"{row.pixels} pixels (other lines: {percent(middle)} %), {100 * row.excess:.1f} points more "
            "disagreement than usual"
            for row in odd
        ]
    alone = [row.name for row in figures.lines if not row.neighbours]
    if alone:
        lines += ["", f"do not overlap any other line: {', '.join(alone[:10])}" + (" …" if len(alone) > 10 else "")]
    return "\n".join(lines)


def _line_table(figures: Figures) -> list[str]:
    rows = [row for row in figures.lines if row.neighbours]
    shown = rows if len(rows) <= _MOST_ROWS else [*rows[: _MOST_ROWS // 4], *rows[-3 * _MOST_ROWS // 4 :]]
    width = max(4, *(cells_of(shorten(row.name)) for row in shown))
    lines = [f"{'line':<{width}}  agreement  kappa  excess  neighbours  pixels"]
    for number, row in enumerate(shown):
        if len(shown) < len(rows) and number == _MOST_ROWS // 4:
            lines.append(f"… {len(rows) - len(shown)} lines; lines.csv has all")
        mark = "  <- stands out" if row.odd else ""
        excess = "-" if math.isnan(row.excess) else f"{100 * row.excess:+.1f}"
        lines.append(
            f"{pad(shorten(row.name), width)}  {percent(row.agreement):>9}  {decimal(row.kappa, 2):>5}  {excess:>6}"
            f"  {row.neighbours:>10}  {row.pixels}{mark}"
        )
    return lines


def _class_table(figures: Figures) -> list[str]:
    rows = [row for row in figures.classes if row.pixels][: 2 * _MOST_ROWS]
    width = max(5, *(cells_of(shorten(row.name)) for row in rows))
    lines = [f"{'class':<{width}}  agreement  kappa  pixels  most often taken for"]
    lines += [
        f"{pad(shorten(row.name), width)}  {percent(row.agreement):>9}  {decimal(row.kappa, 2):>5}  {row.pixels:>6}  "
        f"{shorten(row.confused_with)}"
        for row in rows
    ]
    return lines


def _position_table(figures: Figures, axis: str) -> list[str]:
    what = "larger view zenith, degrees" if axis == "zenith" else "distance from the centre (1 = edge)"
    lines = [f"{what:<36}  agreement  kappa  pixels"]
    for row in figures.positions:
        if row.pixels:
            span = f"{row.start:g} - {row.stop:g}" if axis == "zenith" else f"{row.start:.1f} - {row.stop:.1f}"
            lines.append(f"{span:<36}  {percent(row.agreement):>9}  {decimal(row.kappa, 2):>5}  {row.pixels}")
    return lines
