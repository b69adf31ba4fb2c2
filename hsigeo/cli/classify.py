"""``hsigeo classify``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsigeo.atomic import check_not_an_input
from hsigeo.campaign.inputs import expand_scenes
from hsigeo.classes import UNCLASSIFIED
from hsigeo.cli.dry_run import describe_campaign, describe_plan
from hsigeo.cli.listening import listening
from hsigeo.cli.options import MemorySize, device_option, overwrite_option, progress_bar, reader_option, say
from hsigeo.cli.summary import format_summary
from hsigeo.errors import (
    HsigeoError,
    MemoryLimitError,
    ModelNotFoundError,
    OutputError,
    OutputExistsError,
    SceneNotFoundError,
)
from hsigeo.locking import locked

if TYPE_CHECKING:
    from hsigeo.campaign.job import LineJob
    from hsigeo.campaign.line import Engine, PreparedLine, Settings
    from hsigeo.campaign.manifest import LineRecord
    from hsigeo.campaign.run import Campaign

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
    type=click.FloatRange(min=0, max=1, min_open=True, max_open=True),
    help="Leave pixels unclassified (0) that are unlike anything learnt. RATE is the share of pixels of known classes "
    "that may be lost by it, such as 0.05, as measured on ground held out in training.",
)
@click.option(
    "--distance",
    metavar="FILE.tif",
    type=click.Path(),
    help="With --unknown, also write how far each pixel lies from everything learnt.",
)
@click.option(
    "--geometry",
    type=click.Choice(["ortho", "sensor"]),
    default="ortho",
    show_default=True,
    help="For scenes in sensor geometry: place the labels on a map, or leave them as the sensor saw them.",
)
@click.option(
    "--max-distance",
    metavar="METRES",
    type=click.FloatRange(min=0, min_open=True),
    help="With longitude and latitude of each pixel: how far a map pixel may lie from the sensor pixel it takes. "
    "Default: the distance between neighbouring sensor pixels.",
)
@click.option(
    "--fill-missing",
    is_flag=True,
    help="Accept a scene that lacks much of what the model reads; it is filled with what is usual in training.",
)
@reader_option
@device_option
@click.option(
    "--max-memory",
    metavar="SIZE",
    type=MemorySize(),
    help="The most that this process may have resident, e.g. 800M or 4G. Default: a quarter of what it may use.",
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
@click.option("--scheduler-file", metavar="FILE", help="As --scheduler, the address taken from a scheduler's file.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done: tiles, bytes, memory, time as tried on a few tiles. Write nothing.",
)
@click.option("--retry-failed", is_flag=True, help="Try again lines that failed before and have not changed since.")
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
    """Make the class map of a scene, or of each of many.

    The map is a GeoTIFF with the scene's CRS and transform, class names and colours; 0 is unclassified.

    SCENE may be a file, a folder of scenes, a pattern in quotes, or @FILE, a list of these.

    An interrupted or killed run goes on where it ended when the same command is given again, and makes the same
    maps to the byte. With --output-dir, maps that are there already, made from the same scene, model and options, are
    left as they are; a scene that fails is named and does not stop the others.
    """
    if (output is None) == (output_dir is None):
        raise click.UsageError("give either -o MAP.tif (one scene) or --output-dir DIR (any number of scenes)")
    if output_dir is not None and (probabilities or confidence or distance):
        raise click.UsageError(
            "--probabilities, --confidence and --distance name one file; use them with -o, or --layer here"
        )
    if unknown is None and (distance or "distance" in layers):
        raise click.UsageError("the distance goes with --unknown RATE")
    if output is not None and layers:
        raise click.UsageError(
            "--layer goes with --output-dir; with -o, name the file: --confidence, --probabilities or --distance"
        )
    named = expand_scenes([*scenes, *(f"@{path}" for path in lists)])
    if not named:
        raise click.UsageError("give the scenes to classify, or --list FILE")
    choices = _Choices(
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
        dry_run=dry_run,
        retry_failed=retry_failed,
        overwrite=overwrite,
    )
    if output is not None:
        if len(named) > 1:
            raise click.UsageError(f"-o takes one scene, {len(named)} were given; use --output-dir DIR")
        _classify_one(
            named[0], output, {"confidence": confidence, "probabilities": probabilities, "distance": distance}, choices
        )
    else:
        _classify_many(named, Path(str(output_dir)), layers, choices)


@dataclass(frozen=True, kw_only=True)
class _Choices:
    """What the options say about every scene alike."""

    model_path: str | None
    options: Mapping[str, Any]
    reader: str | None
    device: str
    max_memory: int | None
    threads: int | None
    scheduler: str | None
    scheduler_file: str | None
    dry_run: bool
    retry_failed: bool
    overwrite: bool

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """What computes the tiles: the threads of this process, or a cluster."""
        if self.threads is not None:
            os.environ.setdefault("GDAL_NUM_THREADS", str(self.threads))  # GDAL's own, for blocks and outputs
        from hsigeo.campaign.local import local_engine
        from hsigeo.model import resolve_device

        if self.scheduler is None and self.scheduler_file is None:
            with local_engine(resolve_device(self.device), threads=self.threads) as local:
                yield local
            return
        from hsigeo.campaign.cluster import cluster_engine

        with cluster_engine(self.scheduler, scheduler_file=self.scheduler_file, device=self.device) as cluster:
            yield cluster

    def settings(self, engine: Engine, *, is_campaign: bool) -> Settings:
        """As the lines take them."""
        from hsigeo.campaign.line import Settings

        return Settings(
            device=engine.device,
            device_kind=engine.device_kind,
            kernel=engine.kernel,
            max_memory=self.max_memory,
            threads=engine.threads,
            overwrite=self.overwrite,
            skip_finished=is_campaign,
        )


def _classify_one(scene: str, output: str, layers: Mapping[str, str | None], choices: _Choices) -> None:
    from hsigeo.campaign.forecast import measure_rates
    from hsigeo.campaign.job import LineJob
    from hsigeo.campaign.line import check_line, describe_line, prepare_line, run_line
    from hsigeo.campaign.names import line_name

    job = LineJob(
        name=line_name(scene),
        scene=scene,
        model=_find_model(scene, choices.model_path),
        map=Path(output),
        **{name: None if path is None else Path(path) for name, path in layers.items()},
        reader=choices.reader,
        options=choices.options,
    )
    # What would be refused at the end is refused now, before any work.
    if not choices.overwrite and job.map.exists() and not job.partial.exists():
        raise OutputExistsError(f"{output} exists; choose another name or allow overwriting (--overwrite)")
    for made in job.rasters:
        check_not_an_input(made, [job.model])
    with choices.engine() as engine:
        settings = choices.settings(engine, is_campaign=False)
        with _memory_in_use():
            line = prepare_line(job, settings, say)
        for repair in line.repairs:
            say(f"{scene}: {repair}")
        check_line(line, settings)
        if choices.dry_run:
            click.echo(describe_plan(line, engine, measure_rates(line.work, engine)))
            return
        with listening(f"classify {Path(scene).name}", line.pixels) as listener:
            result = run_line(line, engine, settings, listener)
    say(f"{output}: {describe_line(line)}{_count_unknown(output, choices)}")
    if result.counts and not any(count for class_id, count in result.counts.items() if class_id != UNCLASSIFIED):
        say(f"caution: no pixel of {output} has a class; `hsigeo info {scene}` says what the scene holds")


def _count_unknown(output: str, choices: _Choices) -> str:
    """How many pixels were left unclassified, as the map itself says."""
    if choices.options.get("unknown") is None:
        return ""
    from hsigeo.io.class_raster import open_map

    found = open_map(output).metadata["unknown"]
    return f"; {found['pixels']} pixels are unlike anything learnt and left unclassified"


def _classify_many(scenes: Sequence[str], folder: Path, layers: Sequence[str], choices: _Choices) -> None:
    from hsigeo.campaign.manifest import DONE, FAILED, Manifest
    from hsigeo.campaign.run import Campaign

    jobs = _jobs(scenes, folder, layers, choices)
    with choices.engine() as engine:
        campaign = Campaign(
            manifest=Manifest(folder),
            settings=choices.settings(engine, is_campaign=True),
            retry_failed=choices.retry_failed,
            lines_at_once=engine.lines_at_once,
        )
        if choices.dry_run:
            _plan_many(campaign, jobs, engine)
            return
        records, made = _run(campaign, jobs, engine)
    if any(record.status == DONE for record in records.values()):
        _catalogue(folder, made=made)
    say(format_summary(records[job.name] for job in jobs))
    failed = [job.scene for job in jobs if records[job.name].status == FAILED]
    if failed:
        raise HsigeoError(f"{len(failed)} of {len(jobs)} scenes failed: {', '.join(failed)}")


def _plan_many(campaign: Campaign, jobs: Sequence[LineJob], engine: Engine) -> None:
    """Print what would be done; fail as the run would."""
    from hsigeo.campaign.forecast import measure_rates
    from hsigeo.campaign.line import prepare_line
    from hsigeo.campaign.manifest import DONE, FAILED
    from hsigeo.campaign.run import survey_campaign

    with _memory_in_use():
        survey = survey_campaign(campaign, jobs)
    failed = {name: record.error for name, record in survey.records.items() if record.status == FAILED}
    lines: list[PreparedLine] = []
    for job in survey.jobs:
        try:
            lines.append(prepare_line(job, campaign.settings, say))
        except HsigeoError as error:
            failed[job.name] = str(error)
    if done := sum(record.status == DONE for record in survey.records.values()):
        say(f"{done} {'scene is' if done == 1 else 'scenes are'} done already")
    for name, reason in failed.items():
        say(f"{name}: would fail: {reason}")
    if lines:
        click.echo(describe_campaign(lines, measure_rates(lines[0].work, engine)))
    if failed:
        raise HsigeoError(f"{len(failed)} of {len(jobs)} scenes would fail: {', '.join(failed)}")


def _run(campaign: Campaign, jobs: Sequence[LineJob], engine: Engine) -> tuple[Mapping[str, LineRecord], bool]:
    """What became of each line, and whether there was anything to do."""
    from hsigeo.campaign.manifest import FAILED
    from hsigeo.campaign.processing import find_differences
    from hsigeo.campaign.run import run_campaign, survey_campaign

    with _memory_in_use():
        survey = survey_campaign(campaign, jobs)
    failed = [record for record in survey.records.values() if record.status == FAILED]
    if len(jobs) == 1 and failed:
        raise HsigeoError(failed[0].error)
    for record in failed:
        say(f"{record.line}: failed: {record.error}")
    for difference in find_differences(survey.jobs):
        say(f"caution: {difference}")
    # Where there is nothing to do nothing is written, but a manifest that is there must say what is the case.
    if not survey.jobs and not campaign.manifest.path.is_file():
        return survey.records, False
    folder = str(campaign.manifest.folder)
    with _folder(folder), listening("classify", sum(survey.pixels.values())) as listener:
        return run_campaign(campaign, survey, engine, listener), bool(survey.jobs)


def _catalogue(folder: Path, *, made: bool) -> None:
    """Renew the catalogue of the folder, if a map is new or it is not there. The maps are no worse without it."""
    from hsigeo.catalogue import write_catalogue
    from hsigeo.catalogue.folder import COLLECTION

    # One process at a time, so that half-written documents can only be those of a killed one.
    with locked(folder / ".catalogue.lock", keep_waiting=lambda: True):
        left = [path for path in folder.glob(".*.partial-*.json") if not path.name.startswith(".manifest.")]
        for path in left:
            path.unlink(missing_ok=True)
        if not made and not left and (folder / COLLECTION).is_file():
            return
        try:
            with progress_bar("catalogue", "map") as show:
                write_catalogue(folder, overwrite=True, progress=show)
        except HsigeoError as error:
            say(f"note: the maps are there, but their catalogue is not: {error}")


def _jobs(scenes: Sequence[str], folder: Path, layers: Sequence[str], choices: _Choices) -> list[LineJob]:
    from hsigeo.campaign.job import cached_model, campaign_jobs

    if choices.model_path is not None:
        cached_model(choices.model_path)  # fails for all lines alike, so it is said once
    paired = [(scene, _find_model(scene, choices.model_path)) for scene in scenes]
    try:
        return campaign_jobs(paired, folder, layers=layers, reader=choices.reader, options=choices.options)
    except OutputError as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _memory_in_use() -> Iterator[None]:
    try:
        yield
    except MemoryLimitError as error:
        raise click.UsageError(f"--max-memory is too small: {error}") from error


@contextmanager
def _folder(path: str | None) -> Iterator[None]:
    """Make the folder for the maps; where no map came to be, remove what was made."""
    made: list[Path] = []
    try:
        for folder in [] if path is None else [*reversed(Path(path).parents), Path(path)]:
            if not folder.is_dir():
                folder.mkdir()
                made.append(folder)
    except OSError as error:
        _remove_empty(made)
        raise OutputError(f"the folder {path} cannot be made: {error.filename}: {error.strerror}") from error
    try:
        yield
    finally:
        _remove_empty(made)


def _remove_empty(folders: list[Path]) -> None:
    for folder in reversed(folders):
        if not any(folder.iterdir()):
            folder.rmdir()


def _find_model(scene: str, given: str | None) -> str:
    """The model given, else the one beside the scene, else the one in the environment."""
    if given is not None:
        return given
    beside = Path(scene).with_suffix(".safetensors")
    if beside.is_file():
        return str(beside)
    if os.environ.get("HSIGEO_MODEL"):
        return os.environ["HSIGEO_MODEL"]
    if not Path(scene).exists():
        raise SceneNotFoundError(f"{scene}: there is no such file")
    raise ModelNotFoundError(
        f"no model for {scene}: {beside} does not exist and $HSIGEO_MODEL is not set; give --model FILE, "
        f"or make one with `hsigeo train {scene} --labels LABELS -o {beside}`"
    )
