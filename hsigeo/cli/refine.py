"""``hsigeo refine``."""

from __future__ import annotations

from pathlib import Path

import click

from hsigeo.cli.options import FiniteRange, note_unused, overwrite_option, progress_bar, say

EXAMPLES = """\b
Examples:
  hsigeo refine map.tif -o clean.tif --sieve 10
  hsigeo refine map.tif -o smooth.tif --majority 3
  hsigeo refine map.tif -o sure.tif --threshold 0.6 --threshold Water=0.9
  hsigeo refine map.tif -o groups.tif --classes groups.csv --probabilities map_probabilities.tif
  hsigeo refine map.tif -o calm.tif --smooth 2 --scene scene.hdr
  hsigeo refine map.tif -o joined.tif --clump 3 --clump-class Water
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
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="[CLASS=]P",
    help="Leave pixels unclassified whose class has a probability below P, by the layer given or found beside MAP. "
    "May be repeated: P for all classes, CLASS=P (name or id) for one.",
)
@click.option("--confidence", metavar="FILE.tif", type=click.Path(path_type=Path), help="Confidences of MAP.")
@click.option(
    "--probabilities",
    metavar="FILE.tif",
    type=click.Path(path_type=Path),
    help="Probabilities of MAP: those of merged classes are added, and the highest sum decides.",
)
@click.option(
    "--smooth",
    type=FiniteRange(0, 20, min_open=True),
    metavar="STRENGTH",
    help="Smooth the probabilities, stopping at edges, before the decision: neighbours that agree add this much to the "
    "log-odds of their class (2 is moderate).",
)
@click.option(
    "--scene",
    metavar="SCENE",
    type=click.Path(path_type=Path),
    help="For --smooth: the scene of MAP, to find edges in. Default: edges are where probabilities differ.",
)
@click.option(
    "--majority",
    type=click.IntRange(3, 101),
    metavar="WIDTH",
    help="Give each pixel the most frequent class of a window WIDTH pixels wide (odd); ties leave it unchanged.",
)
@click.option(
    "--clump",
    type=click.IntRange(3, 101),
    metavar="WIDTH",
    help="Close gaps: dilate, then erode each class by a square WIDTH pixels wide (odd).",
)
@click.option(
    "--clump-class",
    "clumped",
    multiple=True,
    metavar="CLASS",
    help="For --clump: a class to close, by name or id; the others give way. May be repeated. Default: every class.",
)
@click.option(
    "--sieve",
    type=click.IntRange(2),
    metavar="PIXELS",
    help="Merge patches of fewer pixels into their largest neighbour.",
)
@click.option(
    "--neighbours",
    type=click.Choice(["4", "8"]),
    default="4",
    show_default=True,
    help="For --sieve: 4- or 8-connectivity of patches.",
)
@click.option(
    "--write-confidence",
    metavar="FILE.tif",
    type=click.Path(path_type=Path),
    help="Also write the probability of each pixel's class in the new map; needs probabilities.",
)
@overwrite_option
def refine(
    class_map: Path,
    output: Path,
    changes: Path | None,
    thresholds: tuple[str, ...],
    confidence: Path | None,
    probabilities: Path | None,
    smooth: float | None,
    scene: Path | None,
    majority: int | None,
    clump: int | None,
    clumped: tuple[str, ...],
    sieve: int | None,
    neighbours: str,
    write_confidence: Path | None,
    overwrite: bool,
) -> None:
    """Make a new map from a map: merge classes, smooth, drop uncertain pixels, filter, remove small patches.

    In this order, whatever the order of the options. The model is not run again, nodata stays nodata, and none of this
    makes a map more accurate by itself: evaluate the new map.
    """
    from hsigeo.io import open_map
    from hsigeo.refinement import Refinement, Smoothing, read_changes, refine_map
    from hsigeo.refinement.thresholds import parse_thresholds

    for option, width in (("--majority", majority), ("--clump", clump)):
        if width is not None and width % 2 == 0:
            raise click.UsageError(f"{option} {width}: the window needs a pixel in its middle; give an odd width")
    if confidence is not None and probabilities is not None:
        raise click.UsageError("give --confidence or --probabilities; the latter include the former")
    if confidence is not None and not thresholds:
        raise click.UsageError("--confidence does nothing without --threshold P")
    if scene is not None and smooth is None:
        raise click.UsageError("--scene does nothing without --smooth STRENGTH")
    if clumped and clump is None:
        raise click.UsageError("--clump-class does nothing without --clump WIDTH")
    if sieve is None:
        note_unused("neighbours", "without --sieve PIXELS")
    try:
        least = parse_thresholds(thresholds)
    except ValueError as error:
        raise click.UsageError(f"--threshold: {error}") from error
    refinement = Refinement(
        changes=() if changes is None else read_changes(changes),
        thresholds=least,
        probabilities=probabilities,
        confidence=confidence,
        smoothing=None if smooth is None else Smoothing(strength=smooth, scene=scene),
        radius=0 if majority is None else majority // 2,
        clump_radius=0 if clump is None else clump // 2,
        clumped=clumped,
        smallest_patch=sieve or 0,
        diagonal=neighbours == "8",
    )
    if refinement == Refinement():
        raise click.UsageError(
            "nothing to do: give --classes, --threshold, --probabilities, --smooth, --majority, --clump or --sieve"
        )
    with progress_bar("refine", "px") as show:
        refined = refine_map(
            open_map(class_map), output, refinement, confidence=write_confidence, overwrite=overwrite, progress=show
        )
    total = sum(refined.pixels.values())
    say(f"{refined.path}: {len(refined.classes)} classes, {_share(refined.pixels[0], total)} without a class")


def _share(part: int, total: int) -> str:
    return f"{part / total:.1%}"
