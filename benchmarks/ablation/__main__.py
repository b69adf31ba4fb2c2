"""The command line of the ablation benchmark."""

from __future__ import annotations

import fnmatch
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from benchmarks.ablation.trials import make_trial
from benchmarks.accuracy.splits import DEVELOPMENT, make_split
from benchmarks.options import data_option
from hsigeo.atomic import replaced_on_success
from hsigeo.cli.ablation_text import component_lines
from hsigeo.training.ablation import Ablation, Fit, Score, Trial, ablate
from hsigeo.training.components import COMPONENTS, Component
from hsigeo.training.damage import DAMAGES

TASKS = "potsdam*,berlin*,santa_barbara_level_3*,indian_pines*"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--tasks", metavar="GLOBS", default=TASKS, show_default=True, help="Sources, separated by commas.")
@click.option("--sizes", default="all,20", show_default=True, help="Labelled pixels per class, separated by commas.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="How many seeds, from 0.")
@click.option("--only", metavar="NAMES", help="Components, separated by commas. [default: all]")
@click.option("--damage/--no-damage", default=True, show_default=True, help="Also test on damaged spectra.")
@data_option
@click.option(
    "--cache",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file of results: what it holds is not measured again, each trial is added when done. Delete it when "
    "the code of the default changes.",
)
def main(
    tasks: str,
    sizes: str,
    seeds: int,
    only: str | None,
    data: Path,
    cache: Path | None,
    *,
    damage: bool,
) -> None:
    """Train the default without each of its components, on the development splits.

    Ctrl-C prints what there is so far; with --cache the next run goes on from there.
    """
    components = [
        each for each in COMPONENTS if only is None or each.name in [name.strip() for name in only.split(",")]
    ]
    if not components:
        raise click.BadParameter(f"there is no such component; there are {', '.join(c.name for c in COMPONENTS)}")
    damages = tuple(DAMAGES) if damage else ()
    parts = json.loads(cache.read_text(encoding="utf-8")) if cache is not None and cache.is_file() else {}
    wanted = list(find_trials(tasks.split(","), [s.strip() for s in sizes.split(",")], seeds, data))
    try:
        for trial in tqdm(wanted, unit="trial", smoothing=0):
            key = f"{trial.task} {trial.seed}"
            if key not in parts:
                parts[key] = [fit_to_json(fit) for fit in ablate([trial], components, damages=damages).fits]
                if cache is not None:
                    with replaced_on_success(cache, overwrite=True) as temporary:
                        temporary.write_text(json.dumps(parts) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        click.echo("stopped; what was measured until then:", err=True)
    done = [trial for trial in wanted if f"{trial.task} {trial.seed}" in parts]
    if done:
        report(done, parts, components, damages)


def report(trials: list[Trial], parts: dict[str, Any], components: Iterable[Component], damages: Iterable[str]) -> None:
    """Print the table over all trials."""
    ablation = Ablation(
        components=tuple(components),
        conditions=("clean", *damages),
        trials=tuple((trial.task, trial.seed, trial.fold) for trial in trials),
        fits=tuple(
            fit_from_json(fit, number)
            for number, trial in enumerate(trials)
            for fit in parts[f"{trial.task} {trial.seed}"]
        ),
    )
    names = dict.fromkeys(trial.task for trial in trials)
    click.echo(f"{len(trials)} trials: {', '.join(names)}")
    click.echo("\n".join(component_lines(ablation)))


def find_trials(patterns: list[str], sizes: list[str], seeds: int, data: Path) -> Iterator[Trial]:
    """By seed first: whenever the run is stopped, every task has nearly as many seeds."""
    names = [name for name in DEVELOPMENT if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    divisions = {name: DEVELOPMENT[name](data) for name in names}
    for seed in range(seeds):
        for name in names:
            known = set()
            for size in sizes:
                per_class = None if size == "all" else int(size)
                split = make_split(name, divisions[name], per_class=per_class, seed=seed)
                if len(split.train_labels) not in known:  # so few that a smaller size is the same
                    yield make_trial(split)
                known.add(len(split.train_labels))


def fit_to_json(fit: Fit) -> dict[str, Any]:
    scores = {name: (score.overall, score.average) for name, score in fit.scores.items()}
    return {"component": fit.component, "seconds": fit.seconds, "scores": scores}


def fit_from_json(fit: dict[str, Any], trial: int) -> Fit:
    scores = {name: Score(overall=overall, average=average) for name, (overall, average) in fit["scores"].items()}
    return Fit(component=fit["component"], trial=trial, seconds=fit["seconds"], scores=scores)


if __name__ == "__main__":
    sys.exit(main())
