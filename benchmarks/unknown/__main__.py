"""The command line: ``python -m benchmarks.unknown``."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import click
import numpy as np

from benchmarks.accuracy.splits import DEVELOPMENT, REPORTING
from benchmarks.options import data_option
from benchmarks.unknown.withheld import Found, withheld_cases

NOT_ASKED = ("potsdam_validation",)
"""Two tiles, which the folds over tiles already are an example of."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tasks", metavar="GLOB", default="*", show_default=True, help="Which sources, by name.")
@click.option("--seeds", type=click.IntRange(1, 100), default=2, show_default=True, help="How many seeds, from 0.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Also say what `hsigeo classify --unknown RATE` would reject; takes eight times as long.",
)
@click.option("--development", is_flag=True, help="The splits that choices are made on, instead of those reported.")
@data_option
def main(tasks: str, seeds: int, rate: float | None, development: bool, data: Path) -> None:
    """Withhold one class after the other, and see whether its pixels are told from those of known classes.

    Training and test share no tile, block or polygon. Figures are areas under the ROC curve (0.5 is chance, 1 is
    perfect), one line for each withheld class, and the mean and standard deviation over classes and seeds.
    """
    sources = DEVELOPMENT if development else REPORTING
    chosen = [name for name in sources if fnmatch.fnmatchcase(name, tasks) and name not in NOT_ASKED]
    if not chosen:
        raise click.UsageError(f"no source is called {tasks!r}; there are {', '.join(sources)}")
    summary = []
    for name in chosen:
        division = sources[name](data)
        found: list[Found] = []
        for seed in range(seeds):
            for case in withheld_cases(division, seed=seed, rate=rate):
                found.append(case)
                click.echo(_line(name, seed, case))
        if found:
            summary.append(_summary(name, found))
    click.echo("\n" + "\n".join([*_HEADING, *summary]))


_HEADING = (
    "| source | cases | by distance | by confidence | caught | lost |",
    "|---|---|---|---|---|---|",
)


def _line(name: str, seed: int, case: Found) -> str:
    return (
        f"{name} seed {seed} without class {case.withheld} ({case.strangers} strangers, {case.known} known): "
        f"distance {case.by_distance:.3f}, confidence {case.by_confidence:.3f}, "
        f"caught {case.caught:.3f}, lost {case.lost:.3f}"
    )


def _summary(name: str, found: list[Found]) -> str:
    columns = [
        np.array([getattr(case, field) for case in found])
        for field in ("by_distance", "by_confidence", "caught", "lost")
    ]
    cells = [
        "-" if np.isnan(column).all() else f"{np.nanmean(column):.2f} ± {np.nanstd(column):.2f}" for column in columns
    ]
    return f"| {name} | {len(found)} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
