"""The command line of the throughput benchmark."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import click
import torch
from tqdm import tqdm

from benchmarks.cubes import LAYOUTS, make_library, write_cube
from benchmarks.rounds import Cost, ratio_of_medians, run_rounds
from benchmarks.throughput.stages import Run
from hsigeo.model import write_model
from hsigeo.training.learning import train_on_spectra

PARTS = ("reading", "computing", "writing")
SPARE = 1.3
"""Room on the disk that is asked for, times the scene's size: a map is written beside it."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--sizes", default="0.5", show_default=True, help="GB of the scenes, uncompressed: '0.5,2,8'.")
@click.option("--layouts", default=",".join(LAYOUTS[:4]), show_default=True, help=f"Of {', '.join(LAYOUTS)}.")
@click.option("--bands", type=click.IntRange(10, 1000), default=200, show_default=True)
@click.option("--samples", type=click.IntRange(16), default=1000, show_default=True, help="Columns of the scenes.")
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True, help="Rounds of all measures.")
@click.option("--cold", is_flag=True, help="Forget the scene's pages before each reading.")
@click.option("--lazy", is_flag=True, help="Compare hsigeo's own engine with dask instead.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where scenes and maps are written, and removed again. [default: the system's place for such files]",
)
@click.option("--keep", is_flag=True, help="Leave scenes and model in --folder, and use those that are there.")
def main(
    sizes: str,
    layouts: str,
    bands: int,
    samples: int,
    repeats: int,
    folder: Path | None,
    *,
    cold: bool,
    lazy: bool,
    keep: bool,
) -> None:
    r"""Time reading, computing and writing alone, and a whole run, which should take as long as the slowest of them.

    \b
    Examples:
      python -m benchmarks.throughput --sizes 0.5,2
      python -m benchmarks.throughput --sizes 8 --layouts bil --repeats 1 --folder /scratch --keep
      python -m benchmarks.throughput --lazy
    """
    wanted = [(float(size), layout.strip()) for size in sizes.split(",") for layout in layouts.split(",")]
    if unknown := {layout for _, layout in wanted} - set(LAYOUTS):
        raise click.BadParameter(f"there is no layout {sorted(unknown)[0]!r}; there are {', '.join(LAYOUTS)}")
    if keep and folder is None:
        raise click.UsageError("--keep needs --folder")
    cores = len(os.sched_getaffinity(0))
    pages = "dropped before each reading" if cold else "warm"
    click.echo(
        f"{cores} cores, torch {torch.__version__}, {bands} bands of int16, page cache {pages}, {repeats} rounds\n"
    )
    click.echo(_head(lazy=lazy))
    parent = Path(tempfile.mkdtemp(prefix="hsigeo-throughput-", dir=folder)) if not keep else Path(str(folder))
    try:
        model = _model(parent, bands)
        for size, layout in wanted:
            lines = max(1, round(size * 1e9 / (2 * bands * samples)))
            _check_room(parent, size)
            scene = _scene(parent / f"{size:g}", layout, bands, lines, samples)
            run = Run(scene=scene, model=model, output=parent / "map.tif", cold=cold)
            run.read()  # warm, and compiled
            measures = run.lazily() if lazy else run.measures()
            with tqdm(total=repeats * len(measures), desc=f"{size:g} GB {layout}", unit="measure", leave=False) as bar:
                costs = run_rounds(measures, repeats, done=bar.update)
            click.echo(_row(f"{size:g} GB {layout}", run, costs, cores))
            if not keep:
                shutil.rmtree(scene.parent)
    finally:
        if not keep:
            shutil.rmtree(parent, ignore_errors=True)


def _model(folder: Path, bands: int) -> Path:
    path = folder / f"{bands}.safetensors"
    if not path.exists():
        library = make_library(bands)
        write_model(train_on_spectra(library.as_labelled_spectra(), check=False), path)
    return path


def _scene(folder: Path, layout: str, bands: int, lines: int, samples: int) -> Path:
    folder.mkdir(exist_ok=True)
    known = folder / (f"cube_{layout}.tif" if layout.startswith("tif") else f"cube_{layout}.hdr")
    return known if known.exists() else write_cube(folder, layout, make_library(bands), lines=lines, samples=samples)


def _check_room(folder: Path, size: float) -> None:
    free = shutil.disk_usage(folder).free / 1e9
    if free < SPARE * size:
        raise click.ClickException(
            f"{folder} has {free:.1f} GB free; {SPARE * size:.1f} are needed, or name another --folder"
        )


def _head(*, lazy: bool) -> str:
    names = (
        ["scene", "engine, s", "threads, s", "dask, s", "dask / engine", "dask / threads"]
        if lazy
        else [
            "scene",
            *(f"{part}, s" for part in PARTS),
            "whole, s",
            "whole / slowest",
            "whole / least",
            "MB/s",
            "Mpx/s",
        ]
    )
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _row(name: str, run: Run, costs: Mapping[str, Sequence[Cost]], cores: int) -> str:
    walls = {part: [cost.wall for cost in found] for part, found in costs.items()}
    if "dask" in walls:
        cells = [
            *(_seconds(walls[name]) for name in ("engine", "threads", "dask")),
            *(_ratio(walls["dask"], walls[name]) for name in ("engine", "threads")),
        ]
        return f"| {name} | {' | '.join(cells)} |"
    slowest = max(PARTS, key=lambda part: median(walls[part]))
    whole = median(walls["whole"])
    cells = [
        *(_seconds(walls[part]) for part in (*PARTS, "whole")),
        f"{_ratio(walls['whole'], walls[slowest])}",
        f"{_ratio(walls['whole'], _least(costs, cores))}",
        f"{run.stored_bytes / whole / 1e6:.0f}",
        f"{run.pixels / whole / 1e6:.3f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _least(costs: Mapping[str, Sequence[Cost]], cores: int) -> list[float]:
    """What no arrangement can beat: the slowest part, or all cores busy with what the parts take of them."""
    rounds = zip(*(costs[part] for part in PARTS), strict=True)
    return [max(*(cost.wall for cost in parts), sum(cost.cpu for cost in parts) / cores) for parts in rounds]


def _seconds(times: Sequence[float]) -> str:
    middle = median(times)
    return f"{middle:.2f} ({min(times):.2f}-{max(times):.2f})" if len(times) > 1 else f"{middle:.2f}"


def _ratio(above: Sequence[float], below: Sequence[float]) -> str:
    middle, least, most = ratio_of_medians(above, below)
    return f"{middle:.2f} ({least:.2f}-{most:.2f})" if len(above) > 1 else f"{middle:.2f}"


if __name__ == "__main__":
    sys.exit(main())
