"""``hsigeo evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import check_not_an_input
from hsigeo.cli.accuracy_text import area_lines, class_lines, figure_lines, matrix_lines
from hsigeo.cli.columns import percent
from hsigeo.cli.documents import check_documents
from hsigeo.cli.figures import folder_of_figures, plan_figures, plot_format_option, plots_option, report_undrawable
from hsigeo.cli.options import (
    encoding_option,
    field_option,
    labels_crs_option,
    layer_option,
    overwrite_option,
    progress_bar,
    say,
)
from hsigeo.text_files import write_json

if TYPE_CHECKING:
    from hsigeo.evaluation import Evaluation

EXAMPLES = """\b
Examples:
  hsigeo evaluate map.tif --labels validation.gpkg
  hsigeo evaluate map.tif --labels validation.shp --field landcover --json accuracy.json
  hsigeo evaluate map.tif --labels reference.tif --plots figures/
"""

CAUTION = """\
CAUTION: the map's model was trained on these labels. The figures below say how well it remembers
them, not how accurate the map is. Evaluate on labels that the model has not seen."""


@click.command(epilog=EXAMPLES)
@click.argument("map_path", metavar="MAP", type=click.Path())
@click.option(
    "--labels",
    metavar="FILE",
    required=True,
    type=click.Path(),
    help="Reference: vector file, CSV of points, or raster.",
)
@field_option
@layer_option
@labels_crs_option
@encoding_option
@click.option("--json", "json_path", metavar="FILE", type=click.Path(), help="Also write all figures as JSON.")
@click.option(
    "--areas/--no-areas",
    default=True,
    show_default=True,
    help="Also estimate accuracy and class areas by area, for which the whole map is read.",
)
@plots_option("the confusion matrix")
@plot_format_option
@overwrite_option
def evaluate(
    map_path: str,
    labels: str,
    field: str | None,
    layer: str | None,
    labels_crs: str | None,
    encoding: str | None,
    json_path: str | None,
    areas: bool,
    plots: str | None,
    plot_format: str,
    overwrite: bool,
) -> None:
    """Compare a class map with reference labels.

    Classes are matched by name. Pixels without a label do not count, nor do labelled pixels that are nodata or
    unclassified in the map; their number is reported. For the confidence intervals, polygons and blocks of a reference
    raster count as clusters, not as independent pixels.
    """
    if Path(labels).resolve() == Path(map_path).resolve():
        raise click.UsageError(f"{labels} is the map itself, which always agrees with itself; give reference labels")
    check_documents((json_path,), (map_path, labels), overwrite=overwrite)
    figures = plan_figures(plots, ["confusion"], plot_format, overwrite=overwrite)
    for file in figures.values():
        check_not_an_input(file, (map_path, labels))

    from hsigeo.evaluation import evaluate as evaluate_map
    from hsigeo.fingerprint import fingerprint

    with progress_bar("areas", "row") as show:
        result = evaluate_map(
            map_path,
            labels,
            field=field,
            layer=layer,
            labels_crs=labels_crs,
            encoding=encoding,
            areas=areas,
            progress=show,
        )
    click.echo(format_evaluation(result))
    for note in result.notes:
        say(f"note: {note}")
    if json_path is not None:
        of = {"map": map_path, "map_fingerprint": fingerprint(map_path), "reference": labels}
        write_json(json_path, {**of, **result.to_json()}, overwrite=overwrite)
    if figures:
        from hsigeo.plots.confusion import draw_confusion

        report_undrawable(result.accuracy.names)
        title = "labels the model was trained on" if result.on_training_labels else ""
        with folder_of_figures(figures):
            draw_confusion(result.accuracy, figures["confusion"], title=title, overwrite=overwrite)


def format_evaluation(result: Evaluation) -> str:
    """The figures as text for a terminal."""
    accuracy = result.accuracy
    caution = [CAUTION, ""] if result.on_training_labels else []
    estimate = [] if result.areas is None else area_lines(result.areas)
    lines = [
        *caution,
        f"{accuracy.total} reference pixels; the map classifies {percent(accuracy.coverage)} % of those there are",
        "",
        *figure_lines(accuracy, result.intervals),
        "",
        *class_lines(accuracy, result.intervals),
        "",
        *matrix_lines(accuracy),
        "",
        *estimate,
        f"area-adjusted figures{'' if result.areas else ' left out'}: {result.area_note}",
    ]
    return "\n".join(lines)
