"""``hsigeo statistics``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.cli.columns import shorten
from hsigeo.cli.documents import check_documents
from hsigeo.cli.figures import folder_of_figures, plan_figures, plot_format_option, plots_option, report_undrawable
from hsigeo.cli.options import overwrite_option, progress_bar, reader_option, say

if TYPE_CHECKING:
    from hsigeo.io.class_raster import ClassRaster
    from hsigeo.refinement.spectra import ClassSpectra
    from hsigeo.refinement.statistics import ClassStatistics

EXAMPLES = """\b
Examples:
  hsigeo statistics map.tif
  hsigeo statistics map.tif --json > classes.json
  hsigeo statistics map.tif --scene scene.hdr --spectra spectra.csv --plots figures
"""

_FIGURE = "class_spectra"


@click.command(epilog=EXAMPLES)
@click.argument("class_map", metavar="MAP", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--scene",
    metavar="SCENE",
    type=click.Path(path_type=Path),
    help="The scene of MAP: also measure mean and standard deviation of each class's spectra. With --json they are "
    "printed.",
)
@reader_option
@click.option(
    "--spectra",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Write the spectra: a row for each class and band.",
)
@plots_option("the spectra of each class")
@plot_format_option
@overwrite_option
def statistics(
    class_map: Path,
    as_json: bool,
    scene: Path | None,
    reader: str | None,
    spectra: Path | None,
    plots: str | None,
    plot_format: str,
    overwrite: bool,
) -> None:
    """Count the pixels and measure the area of each class of a map, and with --scene its spectra.

    Areas are hectares on the ground, whatever the CRS. The mapped area of a class is a biased estimate of its true
    area; see the error-adjusted areas of hsigeo evaluate.
    """
    from hsigeo.io import open_map
    from hsigeo.refinement.statistics import measure_classes

    if scene is None and (spectra is not None or plots is not None or reader is not None):
        raise click.UsageError("--spectra, --plots and --reader are about --scene SCENE; give that too")
    if scene is not None and not as_json and spectra is None and plots is None:
        raise click.UsageError("--scene does nothing alone; add --json, --spectra FILE.csv or --plots DIR")
    figures = plan_figures(plots, [_FIGURE], plot_format, overwrite=overwrite)
    check_documents((spectra,), [class_map, *([] if scene is None else [scene])], overwrite=overwrite)
    raster = open_map(class_map)
    # The scene first: if it is none of this map, nothing shall have been printed.
    measured = None if scene is None else _measure_spectra(raster, scene, reader)
    with progress_bar("count", "row") as show:
        found = measure_classes(raster, progress=show)
    if measured is not None:
        _write(measured, spectra, figures, overwrite=overwrite)
    if as_json:
        more = {} if measured is None else {"spectra": {"scene": str(scene), **measured.to_json()}}
        click.echo(json.dumps({**found.to_json(), **more}, ensure_ascii=False, indent=2))
        return
    click.echo(format_statistics(found))
    if found.note:
        say(f"note: {found.note}")


def _measure_spectra(raster: ClassRaster, scene: Path, reader: str | None) -> ClassSpectra:
    from hsigeo.refinement.scene_of_map import open_scene_of_map
    from hsigeo.refinement.spectra import measure_class_spectra

    opened = open_scene_of_map(scene, raster.grid, reader=reader)
    with progress_bar("spectra", "px") as show:
        return measure_class_spectra(raster, opened, progress=show)


def _write(measured: ClassSpectra, path: Path | None, figures: dict[str, Path], *, overwrite: bool) -> None:
    from hsigeo.refinement.spectra import write_spectra

    if path is not None:
        write_spectra(measured, path, overwrite=overwrite)
        say(f"{path}: {len(measured.classes)} classes, {measured.bands.count} bands")
    if figures:
        from hsigeo.plots.class_spectra import draw_class_spectra

        with folder_of_figures(figures):
            draw_class_spectra(
                measured.mean,
                measured.std,
                measured.pixels,
                measured.classes,
                measured.bands,
                figures[_FIGURE],
                overwrite=overwrite,
            )
        say(str(figures[_FIGURE]))
        report_undrawable(measured.classes.names)


def format_statistics(found: ClassStatistics) -> str:
    """A table with a row for each class."""
    rows = [("id", "pixels", "ha", "share", "class")]
    for row in found.classes:
        area = "-" if row.area is None else f"{row.area:.6g}"
        rows.append((str(row.entry.id), str(row.pixels), area, f"{row.share:.2%}", shorten(row.entry.name)))
    rows.append(("0", str(found.unclassified_pixels), "", "", "(no class)"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.rjust(width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]) for row in rows
    )
