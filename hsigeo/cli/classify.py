"""``hsigeo classify``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from hsigeo.atomic import check_not_an_input, check_output
from hsigeo.campaign.inputs import expand_scenes
from hsigeo.classes import UNCLASSIFIED
from hsigeo.cli.classify_campaign import classify_many
from hsigeo.cli.classify_choices import Choices, fetch_start, find_model, memory_in_use
from hsigeo.cli.dry_run import describe_plan
from hsigeo.cli.listening import listening
from hsigeo.cli.options import (
    FiniteRange,
    MemorySize,
    device_option,
    note_unused,
    overwrite_option,
    reader_option,
    say,
)
from hsigeo.errors import SceneNotFoundError
from hsigeo.line_names import line_name
from hsigeo.partial import partial_folder

EXAMPLES = """\b
Examples:
  hsigeo classify sample_scenes/line_1.hdr -o map.tif
  hsigeo classify scene.hdr -o map.tif --model forest.safetensors --confidence sure.tif
  hsigeo classify scene.hdr -o map.tif --unknown 0.05 --distance strange.tif
  hsigeo classify scene.hdr -o map.tif --dry-run --max-memory 800M
  hsigeo classify lines/ --model campaign.safetensors --output-dir maps/
  hsigeo classify 'lines/**/*_rfl.hdr' --list more.txt --output-dir maps/ --layer probabilities
"""


@click.command(epilog=EXAMPLES)
@click.argument("scenes", metavar="[SCENE]...", nargs=-1, type=click.Path())
@click.option(
    "--list", "lists", metavar="FILE", multiple=True, help="Text file with a scene, folder or pattern on each line."
)
@click.option("-o", "--output", metavar="MAP.tif", type=click.Path(), help="The class map to write (one scene).")
@click.option(
    "--output-dir",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Folder for one map per scene, SCENE_map.tif, with log, quicklook, manifest, summary and catalogue.",
)
@click.option(
    "--model",
    "model_path",
    metavar="MODEL",
    type=click.Path(),
    help="Model file. Default: SCENE.safetensors beside the scene, else $HSIGEO_MODEL.",
)
@click.option(
    "--probabilities", metavar="FILE.tif", type=click.Path(), help="Also write the probability of every class."
)
@click.option("--confidence", metavar="FILE.tif", type=click.Path(), help="Also write the mapped class's probability.")
@click.option(
    "--layer",
    "layers",
    type=click.Choice(["confidence", "probabilities", "distance"]),
    multiple=True,
    help="With --output-dir: also write SCENE_confidence.tif, SCENE_probabilities.tif or SCENE_distance.tif beside "
    "each map (repeat).",
)
@click.option(
    "--unknown",
    metavar="RATE",
    type=FiniteRange(min=0, max=1, min_open=True, max_open=True),
    help="Leave pixels unclassified (0) that resemble nothing in the training data. RATE is the share of pixels of "
    "known classes that may be lost this way, such as 0.05, as measured on ground held out in training.",
)
@click.option(
    "--distance",
    metavar="FILE.tif",
    type=click.Path(),
    help="With --unknown, also write the distance of each pixel from the training data.",
)
@click.option(
    "--geometry",
    type=click.Choice(["ortho", "sensor"]),
    default="ortho",
    show_default=True,
    help="For scenes in sensor geometry: place the labels on a map grid, or keep the sensor's grid.",
)
@click.option(
    "--max-distance",
    metavar="METRES",
    type=FiniteRange(min=0, min_open=True),
    help="With longitude and latitude of each pixel: how far a map pixel may lie from the sensor pixel it takes. "
    "Default: the distance between neighbouring sensor pixels.",
)
@click.option(
    "--fill-missing",
    is_flag=True,
    help="Accept a scene that lacks many of the model's bands; they are filled with what is usual in training.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse a scene whose values are doubtful: in another unit than the model's, filled with a number that is not "
    "declared as no data, or not laid out as its header says. Without it, a warning is printed and kept in the map.",
)
@reader_option
@device_option
@click.option(
    "--max-memory",
    metavar="SIZE",
    type=MemorySize(),
    help="Limit for the resident memory of this process, e.g. 800M or 4G. Default: a quarter of what it may use.",
)
@click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Threads that compute. Default: $OMP_NUM_THREADS, or the processors this process may use.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Compute on a dask cluster that sees the same files: tcp://host:8786."
)
@click.option("--scheduler-file", metavar="FILE", help="Like --scheduler, with the address from a scheduler file.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the plan and write nothing: tiles, bytes, memory, and the time as measured on a few tiles.",
)
@click.option("--retry-failed", is_flag=True, help="Retry lines that failed before and have not changed since.")
@overwrite_option
def classify(
    scenes: tuple[str, ...],
    lists: tuple[str, ...],
    output: str | None,
    output_dir: str | None,
    model_path: str | None,
    probabilities: str | None,
    confidence: str | None,
    layers: tuple[str, ...],
    unknown: float | None,
    distance: str | None,
    geometry: str,
    max_distance: float | None,
    fill_missing: bool,
    strict: bool,
    reader: str | None,
    device: str,
    max_memory: int | None,
    threads: int | None,
    scheduler: str | None,
    scheduler_file: str | None,
    dry_run: bool,
    retry_failed: bool,
    overwrite: bool,
) -> None:
    """Classify a scene, or each of many.

    The map is a GeoTIFF with the scene's CRS and transform, class names and colours; 0 is unclassified.

    SCENE may be a file, a folder of scenes, a pattern in quotes, or @FILE, a list of these.

    Repeating the same command resumes an interrupted or killed run, and gives the same maps, byte for byte. With
    --output-dir, existing maps of the same scene, model and options are left as they are; a scene that fails is
    reported and does not stop the others.
    """
    if (output is None) == (output_dir is None):
        raise click.UsageError("give either -o MAP.tif (one scene) or --output-dir DIR (any number of scenes)")
    if output_dir is not None and (probabilities or confidence or distance):
        raise click.UsageError(
            "--probabilities, --confidence and --distance name a single file and need -o; with --output-dir use --layer"
        )
    if scheduler is not None and scheduler_file is not None:
        raise click.UsageError("give either --scheduler or --scheduler-file")
    if unknown is None and (distance or "distance" in layers):
        raise click.UsageError("--distance needs --unknown RATE")
    if output is not None and layers:
        raise click.UsageError(
            "--layer goes with --output-dir; with -o, name the file: --confidence, --probabilities or --distance"
        )
    named = expand_scenes([*scenes, *(f"@{path}" for path in lists)])
    if not named:
        raise click.UsageError("give the scenes to classify, or --list FILE")
    choices = Choices(
        model_path=model_path,
        options={
            "geometry": geometry,
            "max_distance": max_distance,
            "fill_missing": fill_missing,
            **({} if unknown is None else {"unknown": unknown}),
        },
        reader=reader,
        device=device,
        max_memory=max_memory,
        threads=threads,
        scheduler=scheduler,
        scheduler_file=scheduler_file,
        strict=strict,
        dry_run=dry_run,
        retry_failed=retry_failed,
        overwrite=overwrite,
    )
    if output is not None:
        if len(named) > 1:
            raise click.UsageError(f"-o takes one scene, {len(named)} were given; use --output-dir DIR")
        note_unused("retry_failed", "with -o, which always tries again")
        _classify_one(
            named[0], output, {"confidence": confidence, "probabilities": probabilities, "distance": distance}, choices
        )
    else:
        classify_many(named, Path(str(output_dir)), layers, choices)


def _classify_one(scene: str, output: str, layers: Mapping[str, str | None], choices: Choices) -> None:
    # What would be refused at the end is refused now: before any work, and what can be before torch is loaded.
    resumes = os.path.exists(partial_folder(Path(output)))  # noqa: PTH110 - no error where the name is too long
    check_output(output, overwrite=choices.overwrite or resumes)
    if not Path(scene).exists():
        raise SceneNotFoundError(f"{scene}: there is no such file")
    model = find_model(scene, choices.model_path)
    for made in (output, *(path for path in layers.values() if path is not None)):
        check_not_an_input(made, [model])
    fetch_start(scene, choices.reader)

    from hsigeo.campaign.forecast import measure_rates
    from hsigeo.campaign.job import LineJob
    from hsigeo.campaign.line import check_line, run_line
    from hsigeo.campaign.preparation import describe_line, prepare_line

    job = LineJob(
        name=line_name(scene),
        scene=scene,
        model=model,
        map=Path(output),
        **{name: None if path is None else Path(path) for name, path in layers.items()},
        reader=choices.reader,
        options=choices.options,
    )
    with choices.engine() as engine:
        settings = choices.settings(engine, is_campaign=False)
        with memory_in_use():
            line = prepare_line(job, settings, say)
        for repair in line.repairs:
            say(f"{scene}: {repair}")
        if line.geolocation is None:
            note_unused("max_distance", "here: the scene has no position for each pixel")
        check_line(line, settings)
        if choices.dry_run:
            click.echo(describe_plan(line, engine, measure_rates(line.work, engine)))
            return
        with listening(f"classify {Path(scene).name}", line.pixels) as listener:
            result = run_line(line, engine, settings, listener)
    say(f"{output}: {describe_line(line)}{_count_unknown(output, choices)}")
    for doubt in line.doubts:
        say(f"caution: {output} has doubtful values: {doubt}")
    if result.counts and not any(count for class_id, count in result.counts.items() if class_id != UNCLASSIFIED):
        say(f"caution: no pixel of {output} has a class; `hsigeo info {scene}` says what the scene holds")


def _count_unknown(output: str, choices: Choices) -> str:
    """How many pixels were left unclassified, as the map itself says."""
    if choices.options.get("unknown") is None:
        return ""
    from hsigeo.io.class_raster import open_map

    found = open_map(output).metadata["unknown"]
    return f"; {found['pixels']} pixels are unlike the training data and left unclassified"
