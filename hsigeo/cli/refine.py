"""``hsigeo refine``."""

from __future__ import annotations

from pathlib import Path

import click

from hsigeo.cli.options import overwrite_option, progress_bar, say

EXAMPLES = """\b
Examples:
  hsigeo refine map.tif -o clean.tif --sieve 10
  hsigeo refine map.tif -o smooth.tif --majority 3
  hsigeo refine map.tif -o sure.tif --min-confidence 0.8 --confidence map_confidence.tif
  hsigeo refine map.tif -o groups.tif --classes groups.csv --probabilities map_probabilities.tif
"""


@click.command(epilog=EXAMPLES)
@click.argument("class_map", metavar="MAP", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="MAP.tif", required=True, type=click.Path(path_type=Path), help="The map to write."
)
@click.option(
    "--classes",
    "changes",
    metavar="TABLE",
    type=click.Path(path_type=Path),
    help="CSV or JSON with the columns class, name, color, id: renames classes, merges those with the same new name, "
    "recolours them (#rrggbb), leaves out those with id 0.",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="P",
    help="Leave pixels unclassified whose class has a probability below P, by the layer given or found beside MAP.",
)
@click.option("--confidence", metavar="FILE.tif", type=click.Path(path_type=Path), help="Confidences of MAP.")
@click.option(
    "--probabilities",
    metavar="FILE.tif",
    type=click.Path(path_type=Path),
    help="Probabilities of MAP: those of merged classes are added, and the highest sum decides.",
)
@click.option(
    "--majority",
    type=click.IntRange(3, 101),
    metavar="WIDTH",
    help="Give each pixel the most frequent class of a window so many pixels wide (odd); ties leave it as it was.",
)
@click.option(
    "--sieve",
    type=click.IntRange(2),
    metavar="PIXELS",
    help="Give patches of fewer pixels to the largest patch beside them.",
)
@click.option(
    "--neighbours",
    type=click.Choice(["4", "8"]),
    default="4",
    show_default=True,
    help="Of --sieve: whether pixels that touch at a corner are of one patch (8).",
)
@overwrite_option
def refine(
    class_map: Path,
    output: Path,
    changes: Path | None,
    min_confidence: float | None,
    confidence: Path | None,
    probabilities: Path | None,
    majority: int | None,
    sieve: int | None,
    neighbours: str,
    overwrite: bool,
) -> None:
    """Make a new map out of one: merge classes, leave out what is unsure, smooth, remove small patches.

    In this order, whatever the order of the options. The model is not run again. Nodata stays nodata, and none of this
    makes a map more accurate by itself: evaluate the new map.
    """
    from hsigeo.io import open_map
    from hsigeo.refinement.assembly import Refinement, refine_map
    from hsigeo.refinement.changes import read_changes

    if majority is not None and majority % 2 == 0:
        raise click.UsageError(f"--majority {majority}: the window needs a pixel in its middle; give an odd width")
    if confidence is not None and probabilities is not None:
        raise click.UsageError("give --confidence or --probabilities; the latter says what the former does")
    if confidence is not None and min_confidence is None:
        raise click.UsageError("--confidence does nothing without --min-confidence P")
    refinement = Refinement(
        changes=() if changes is None else read_changes(changes),
        min_confidence=min_confidence,
        probabilities=probabilities,
        confidence=confidence,
        radius=0 if majority is None else majority // 2,
        smallest_patch=sieve or 0,
        diagonal=neighbours == "8",
    )
    if refinement == Refinement():
        raise click.UsageError(
            "nothing to do: give --classes, --min-confidence, --probabilities, --majority or --sieve"
        )
    with progress_bar("refine", "px") as show:
        refined = refine_map(open_map(class_map), output, refinement, overwrite=overwrite, progress=show)
    total = sum(refined.pixels.values())
    say(f"{refined.path}: {len(refined.classes)} classes, {_share(refined.pixels[0], total)} without a class")


def _share(part: int, total: int) -> str:
    return f"{part / total:.1%}"
