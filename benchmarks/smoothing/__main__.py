"""The command line: ``python -m benchmarks.smoothing``."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from benchmarks.options import data_option
from benchmarks.smoothing.cases import DEVELOPMENT, REPORTING, Case
from benchmarks.smoothing.judging import Score, Way, decided, judge, smoothing, usual_ways


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tasks", metavar="GLOB", default="*", show_default=True, help="Which tasks, by name.")
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True, help="How many seeds, from 0.")
@click.option(
    "--development", is_flag=True, help="Strengths, rounds and edges on the ground that they were chosen on, instead."
)
@data_option
def main(tasks: str, seeds: int, *, development: bool, data: Path) -> None:
    """Compare maps as classified with the same maps smoothed, on ground that the model has not seen."""
    sources = DEVELOPMENT if development else REPORTING
    chosen = [name for name in sources if fnmatch.fnmatchcase(name, tasks)]
    if not chosen:
        raise click.UsageError(f"no task is called {tasks!r}; there are {', '.join(sources)}")
    ways = _grid_of_ways() if development else usual_ways()
    for name in chosen:
        scores: list[dict[str, Score]] = []
        first: Case | None = None
        for seed in tqdm(range(seeds), desc=name, leave=False):
            cases = list(sources[name](data, seed))
            first = cases[0]
            scores.append(judge(cases, ways, seed))
        assert first is not None
        click.echo(make_table(name, scores, [] if development else [*first.classes, *first.kinds]))


def _grid_of_ways() -> dict[str, Way]:
    ways: dict[str, Way] = {"as classified": decided}
    for scene, strength, rounds in product((True, False), (1, 2, 4), (1, 3, 5)):
        name = f"strength {strength}, {rounds} rounds, edges {'of the scene' if scene else 'of probabilities'}"
        ways[name] = smoothing(strength, rounds, scene=scene)
    return ways


def make_table(task: str, scores: Sequence[Mapping[str, Score]], columns: Sequence[str]) -> str:
    """Markdown: per cent, means over seeds; changes are against the map as classified, with their spread over seeds."""
    lines = [
        f"\n**{task}**, {len(scores)} seeds",
        "",
        f"| way | overall | change | average | change | {''.join(f'{name} | ' for name in columns)}",
        f"|---|---|---|---|---|{'---|' * len(columns)}",
    ]
    base = next(iter(scores[0]))
    for way in scores[0]:
        cells = []
        for figure in ("overall", "average"):
            values = 100 * np.array([[getattr(seed[name], figure) for name in (way, base)] for seed in scores])
            change = values[:, 0] - values[:, 1]
            cells += [f"{values[:, 0].mean():.1f}", "" if way == base else f"{change.mean():+.1f} ± {change.std():.1f}"]
        parts = 100 * np.array([np.concatenate([seed[way].recall, seed[way].by_kind]) for seed in scores])
        cells += ["-" if np.isnan(part) else f"{part:.0f}" for part in parts.mean(axis=0)[: len(columns)]]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
