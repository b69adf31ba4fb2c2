"""The command line of the classifiers benchmark."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click
import numpy as np
from tqdm import tqdm

from benchmarks.accuracy.splits import REPORTING, Split, make_split
from benchmarks.classifiers.contest import Contest, Entry, UnavailableError
from benchmarks.classifiers.contestants import CONTESTANTS, HSIGEO
from benchmarks.cubes import Library, write_cube
from benchmarks.options import data_option
from benchmarks.rounds import Cost, Stopwatch, ratio_of_medians, run_rounds


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--classifiers", default=",".join(CONTESTANTS), show_default=True, help="Which to compare.")
@click.option("--task", default="potsdam_validation/all", show_default=True, help="A task of the accuracy benchmark.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--lines", type=click.IntRange(16), default=512, show_default=True, help="Rows of the scene.")
@click.option("--samples", type=click.IntRange(16), default=512, show_default=True, help="Columns of the scene.")
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True, help="Rounds of all classifiers.")
@data_option
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where scene and maps are written. What takes long to train stays there for the next run. "
    "[default: a temporary one]",
)
def main(
    classifiers: str, task: str, seed: int, lines: int, samples: int, repeats: int, data: Path, folder: Path | None
) -> None:
    r"""Time the map of one scene by hsigeo and by what people use otherwise, and test all of them on the same pixels.

    \b
    Examples:
      python -m benchmarks.classifiers --task potsdam_validation/20
      python -m benchmarks.classifiers --classifiers hsigeo,svc --repeats 1
    """
    names = [name.strip() for name in classifiers.split(",")]
    if unknown := [name for name in names if name not in CONTESTANTS]:
        raise click.BadParameter(f"there is no classifier {unknown[0]!r}; there are {', '.join(CONTESTANTS)}")
    source, _, size = task.partition("/")
    if source not in REPORTING or not (size == "all" or size.isdecimal()):
        raise click.BadParameter(
            f"{task!r} is no task; there are {', '.join(REPORTING)}, each with a size: 'berlin/20'"
        )
    split = make_split(source, REPORTING[source](data), per_class=None if size == "all" else int(size), seed=seed)
    kept = folder if folder is not None else Path(tempfile.mkdtemp(prefix="hsigeo-classifiers-"))
    try:
        contest = Contest(
            split=split,
            scene=_write_scene(kept, split, lines, samples),
            folder=kept,
            cores=len(os.sched_getaffinity(0)),
        )
        bands = split.train_spectra.shape[1]
        click.echo(
            f"{task}, seed {seed}: {lines} x {samples} pixels, {bands} bands, {contest.cores} cores, {repeats} rounds"
        )
        click.echo(_compare(contest, names, repeats))
    finally:
        if folder is None:
            shutil.rmtree(kept)


def _write_scene(folder: Path, split: Split, lines: int, samples: int) -> Path:
    """A scene that mixes the task's own pixels."""
    library = Library(
        spectra=np.concatenate([split.train_spectra, split.test_spectra]),
        labels=np.concatenate([split.train_labels, split.test_labels]),
        wavelengths=split.wavelengths,
    )
    return write_cube(folder, "bil", library, lines=lines, samples=samples, noise=0)


def _compare(contest: Contest, names: list[str], repeats: int) -> str:
    entries: dict[str, Entry] = {}
    absent: list[str] = []
    for name in tqdm(names, desc="training", leave=False):
        try:
            entries[name] = CONTESTANTS[name](contest)
        except UnavailableError as reason:
            absent.append(f"{name} did not take part: {reason}")
    with tqdm(total=(repeats + 1) * len(entries), desc="maps", leave=False) as bar:
        measures = {name: _timed(contest, name, entry) for name, entry in entries.items()}
        run_rounds(measures, 1, done=bar.update)  # imports, compiled code, the scene in memory
        costs = run_rounds(measures, repeats, done=bar.update)
    rows = ["| classifier | seconds | Mpx/s | times hsigeo's | accuracy, % | |", "|---|---|---|---|---|---|"]
    for name, entry in entries.items():
        walls = [cost.wall for cost in costs[name]]
        base = [cost.wall for cost in costs[HSIGEO]] if HSIGEO in costs else walls
        middle, least, most = ratio_of_medians(walls, base)
        pixels = contest.data.stat().st_size / (2 * contest.split.train_spectra.shape[1])
        right = float((entry.predict(contest.split.test_spectra) == contest.split.test_labels).mean())
        rows.append(
            f"| {name} | {median(walls):.2f} | {pixels / median(walls) / 1e6:.3f} "
            f"| {middle:.1f} ({least:.1f}-{most:.1f}) | {100 * right:.1f} | {entry.note} |"
        )
    return "\n".join([*rows, *absent])


def _timed(contest: Contest, name: str, entry: Entry) -> Callable[[], Cost]:
    def measure() -> Cost:
        watch = Stopwatch()
        with watch.running():
            entry.make_map(contest.folder / f"{name}.tif")
        return watch.cost

    return measure


if __name__ == "__main__":
    sys.exit(main())
