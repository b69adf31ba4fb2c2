"""``hsigeo classify``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import check_not_an_input
from hsigeo.cli.options import MemorySize, device_option, overwrite_option, progress_bar, reader_option, say
from hsigeo.errors import HsigeoError, ModelNotFoundError, OutputError, OutputExistsError

if TYPE_CHECKING:
    import xarray as xr

    from hsigeo.model import Model

EXAMPLES = """\b
Examples:
  hsigeo classify sample_scenes/line_1.hdr -o map.tif
  hsigeo classify scene.hdr -o map.tif --model forest.safetensors --confidence sure.tif
  hsigeo classify line_*.hdr --output-dir maps/ --overwrite
"""


@click.command(epilog=EXAMPLES)
@click.argument("scenes", metavar="SCENE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="MAP.tif", type=click.Path(), help="The class map to write (one scene).")
@click.option(
    "--output-dir", metavar="DIR", type=click.Path(file_okay=False), help="Folder for one map per scene, SCENE_map.tif."
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
    default="1G",
    show_default=True,
    help="What the tiles in flight may take, e.g. 512M or 4G.",
)
@overwrite_option
def classify(
    scenes: tuple[str, ...],
    output: str | None,
    output_dir: str | None,
    model_path: str | None,
    probabilities: str | None,
    confidence: str | None,
    geometry: str,
    max_distance: float | None,
    fill_missing: bool,
    reader: str | None,
    device: str,
    max_memory: int,
    overwrite: bool,
) -> None:
    """Make the class map of a scene.

    The map is a GeoTIFF with the scene's CRS and transform, class names and colours; 0 is unclassified.
    """
    targets = _targets(scenes, output, output_dir, probabilities or confidence)
    for scene, target in targets:
        # What would be refused at the end is refused now, before any work.
        if not overwrite and Path(target).exists():
            raise OutputExistsError(f"{target} exists; choose another name or allow overwriting (--overwrite)")
        for made in filter(None, (target, probabilities, confidence)):
            check_not_an_input(made, [_find_model(scene, model_path)])
    choices = _Choices(
        model_path=model_path,
        probabilities=probabilities,
        confidence=confidence,
        geometry=geometry,
        max_distance=max_distance,
        fill_missing=fill_missing,
        reader=reader,
        device=device,
        max_memory=max_memory,
        overwrite=overwrite,
    )
    failed = []
    with _folder(output_dir):
        for scene, target in targets:
            try:
                _classify_one(scene, target, choices)
            except HsigeoError as error:
                if len(targets) == 1:
                    raise
                say(f"hsigeo: {error}")
                failed.append(scene)
    if failed:
        raise HsigeoError(f"{len(failed)} of {len(targets)} scenes failed: {', '.join(failed)}")


@dataclass(frozen=True, kw_only=True)
class _Choices:
    """What the options say about every scene alike."""

    model_path: str | None
    probabilities: str | None
    confidence: str | None
    geometry: str
    max_distance: float | None
    fill_missing: bool
    reader: str | None
    device: str
    max_memory: int
    overwrite: bool


def _classify_one(scene_path: str, target: str, choices: _Choices) -> None:
    import dask

    from hsigeo.classification import classify as classify_scene
    from hsigeo.io import write_map
    from hsigeo.model import load_model

    model = load_model(_find_model(scene_path, choices.model_path))
    scene = _open_in_tiles(scene_path, choices)
    result = classify_scene(scene, model, device=choices.device, fill_missing=choices.fill_missing)
    _report_repairs(scene_path, result)
    # The writer keeps two strips in flight by itself; a thread pool inside each would only multiply memory.
    with (
        dask.config.set(scheduler="synchronous"),
        _on_map(result, scene, target, choices) as placed,
        progress_bar(f"classify {Path(scene_path).name}", "px") as show,
    ):
        write_map(
            placed,
            target,
            probabilities=choices.probabilities,
            confidence=choices.confidence,
            overwrite=choices.overwrite,
            progress=show,
        )
    say(f"{target}: {_summary(scene, model)}")


@contextmanager
def _on_map(result: xr.Dataset, scene: xr.DataArray, target: str, choices: _Choices) -> Iterator[xr.Dataset]:
    """The result itself; for a scene in sensor geometry, computed and placed on a map, unless that is not wanted."""
    from hsigeo.io.orthorectification import geolocation_of, orthorectified

    geolocation = geolocation_of(scene) if choices.geometry == "ortho" else None
    if geolocation is None:
        yield result
        return
    layers = [
        name for name, path in (("confidence", choices.confidence), ("probability", choices.probabilities)) if path
    ]
    with ExitStack() as stack:
        with progress_bar(f"classify {Path(target).name} in sensor geometry", "px") as show:
            placed = stack.enter_context(
                orthorectified(
                    result,
                    geolocation,
                    layers=layers,
                    max_distance=choices.max_distance,
                    folder=Path(target).absolute().parent,
                    progress=show,
                )
            )
        say(f"{target}: {placed['class_id'].attrs['metadata']['repairs'][-1]}")
        yield placed


def _targets(
    scenes: tuple[str, ...], output: str | None, output_dir: str | None, layer: str | None
) -> list[tuple[str, str]]:
    """Scene and map, paired; wrong combinations of options are usage errors."""
    if (output is None) == (output_dir is None):
        raise click.UsageError("give either -o MAP.tif (one scene) or --output-dir DIR (any number of scenes)")
    if output is not None:
        if len(scenes) > 1:
            raise click.UsageError(f"-o takes one scene, {len(scenes)} were given; use --output-dir DIR")
        return [(scenes[0], output)]
    if layer is not None:
        raise click.UsageError("--probabilities and --confidence name one file; use them with -o")
    folder = Path(str(output_dir))
    targets = [(scene, str(folder / f"{Path(scene).stem}_map.tif")) for scene in scenes]
    by_target: dict[str, str] = {}
    for scene, target in targets:
        if target in by_target:
            raise click.UsageError(f"{by_target[target]} and {scene} would both become {target}")
        by_target[target] = scene
    return targets


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
    raise ModelNotFoundError(
        f"no model for {scene}: {beside} does not exist and $HSIGEO_MODEL is not set; give --model FILE, "
        f"or make one with `hsigeo train {scene} --labels LABELS -o {beside}`"
    )


def _open_in_tiles(path: str, choices: _Choices) -> xr.DataArray:
    from hsigeo.io import mark_dead_bands, open_cube, open_scene
    from hsigeo.tiling import plan_tiles

    header = open_cube(path, reader=choices.reader).header
    try:
        plan = plan_tiles(
            lines=header.grid.lines,
            samples=header.grid.samples,
            bands=header.bands.count,
            max_memory=choices.max_memory,
        )
    except ValueError as error:
        raise click.UsageError(f"--max-memory is too small: {error}") from error
    scene: xr.DataArray = mark_dead_bands(
        open_scene(path, chunks={"y": plan.rows, "x": plan.columns}, reader=choices.reader)
    )
    return scene


def _report_repairs(path: str, result: xr.Dataset) -> None:
    for repair in result["class_id"].attrs["metadata"]["repairs"]:
        say(f"{path}: {repair}")


def _summary(scene: xr.DataArray, model: Model) -> str:
    lines, samples = scene.sizes["y"], scene.sizes["x"]
    return f"{lines} x {samples} pixels, {len(model.card.classes)} classes, model {model.digest[:12]}"
