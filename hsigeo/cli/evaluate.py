"""``hsigeo evaluate``."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import check_not_an_input, check_output, replaced_on_success
from hsigeo.cli.options import field_option, labels_crs_option, overwrite_option, say

if TYPE_CHECKING:
    from hsigeo.evaluation import Evaluation
    from hsigeo.metrics import Accuracy

EXAMPLES = """\b
Examples:
  hsigeo evaluate map.tif --labels validation.gpkg
  hsigeo evaluate map.tif --labels validation.shp --field landcover --json accuracy.json
  hsigeo evaluate map.tif --labels reference.tif
"""

CAUTION = """\
CAUTION: the map's model was trained on these labels. The figures below say how well it remembers
them, not how accurate the map is. Evaluate on labels that the model has not seen."""

_MOST_COLUMNS = 20
"""A wider matrix is unreadable on a terminal; the JSON file has it."""

_NAME_WIDTH = 30


@click.command(epilog=EXAMPLES)
@click.argument("map_path", metavar="MAP", type=click.Path())
@click.option("--labels", metavar="FILE", required=True, type=click.Path(), help="Reference: vector file or raster.")
@field_option
@labels_crs_option
@click.option("--json", "json_path", metavar="FILE", type=click.Path(), help="Also write all figures as JSON.")
@overwrite_option
def evaluate(
    map_path: str, labels: str, field: str | None, labels_crs: str | None, json_path: str | None, overwrite: bool
) -> None:
    """Compare a class map with reference labels.

    Classes are matched by name. Pixels without a label never count, nor do labelled pixels that are nodata or
    unclassified in the map; how many there are is said.
    """
    if json_path is not None:
        check_output(json_path, overwrite=overwrite)
        check_not_an_input(json_path, (map_path, labels))

    from hsigeo.evaluation import evaluate as evaluate_map

    result = evaluate_map(map_path, labels, field=field, labels_crs=labels_crs)
    click.echo(format_evaluation(result))
    for note in result.notes:
        say(f"note: {note}")
    if json_path is not None:
        document = {"map": map_path, "reference": labels, **result.to_json()}
        with replaced_on_success(json_path, overwrite=overwrite) as temporary:
            temporary.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def format_evaluation(result: Evaluation) -> str:
    """The figures as text for a terminal."""
    accuracy = result.accuracy
    caution = [CAUTION, ""] if result.on_training_labels else []
    lines = [
        *caution,
        f"{accuracy.total} reference pixels; the map classifies {_percent(accuracy.coverage)} % of those there are",
        "",
        f"overall accuracy  {_percent(accuracy.overall):>6} %",
        f"average accuracy  {_percent(accuracy.average):>6} %",
        f"macro F1          {_percent(accuracy.macro_f1):>6} %",
        f"kappa             {_number(accuracy.kappa):>6}",
        "",
        *_class_lines(accuracy),
        "",
        *_matrix_lines(accuracy),
    ]
    return "\n".join(lines)


def _class_lines(accuracy: Accuracy) -> list[str]:
    names = [_shorten(name) for name in accuracy.names]
    width = max(len("class"), *map(len, names))
    lines = [f"{'class':<{width}}  precision  recall      F1  reference  map"]
    figures = zip(
        names, accuracy.precision, accuracy.recall, accuracy.f1, accuracy.support, accuracy.mapped, strict=True
    )
    for name, precision, recall, f1, support, mapped in figures:
        shares = f"{_percent(precision):>9}  {_percent(recall):>6}  {_percent(f1):>6}"
        lines.append(f"{name:<{width}}  {shares}  {support:>9}  {mapped}")
    return lines


def _matrix_lines(accuracy: Accuracy) -> list[str]:
    count = len(accuracy.names)
    if count > _MOST_COLUMNS:
        return [f"confusion matrix: {count} classes are too many for a terminal; write it with --json FILE"]
    names = [_shorten(name) for name in accuracy.names]
    width = max(len(f"{count} "), *(len(f"{number} {name}") for number, name in enumerate(names, start=1)))
    cell = max(5, *(len(str(number)) for number in accuracy.confusion.ravel().tolist()))
    columns = [*map(str, range(1, count + 1)), "none"]
    lines = [
        "confusion matrix in pixels: rows are the reference, columns the map, 'none' is nodata",
        " " * width + "".join(f"  {column:>{cell}}" for column in columns),
    ]
    for number, (name, row) in enumerate(zip(names, accuracy.confusion.tolist(), strict=True), start=1):
        lines.append(f"{f'{number} {name}':<{width}}" + "".join(f"  {value:>{cell}}" for value in row))
    return lines


def _shorten(name: str) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return plain if len(plain) <= _NAME_WIDTH else plain[: _NAME_WIDTH - 1] + "…"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
