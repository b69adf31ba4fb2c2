"""The command line of the accuracy benchmark."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Iterable
from pathlib import Path

import click
from tqdm import tqdm

from benchmarks.accuracy.methods import METHODS, USUAL
from benchmarks.accuracy.own import divide_own
from benchmarks.accuracy.results import Cache, CacheError, Result, measure
from benchmarks.accuracy.splits import DEVELOPMENT, REPORTING, Source, Split, make_split
from benchmarks.accuracy.table import Measured, make_markdown, make_summary
from benchmarks.options import data_option
from hsigeo.errors import HsigeoError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it."""

Job = tuple[str, Split]


def _parse_methods(_: click.Context, __: click.Parameter, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in METHODS]:
        raise click.BadParameter(f"there is no method {unknown[0]!r}; there are {', '.join(METHODS)}")
    return list(dict.fromkeys(names))


def _parse_sizes(_: click.Context, __: click.Parameter, text: str) -> list[int | None]:
    sizes: list[int | None] = []
    for word in (part.strip() for part in text.split(",")):
        if word != "all" and not (word.isascii() and word.isdigit() and int(word) > 0):
            raise click.BadParameter(
                f"{word!r} is not a number of pixels per class; give 'all' or numbers like 5,10,20"
            )
        sizes.append(None if word == "all" else int(word))
    return list(dict.fromkeys(sizes))


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--methods",
    callback=_parse_methods,
    default=",".join(USUAL),
    show_default=True,
    help=f"What to compare, separated by commas, of {', '.join(METHODS)}.",
)
@click.option(
    "--tasks",
    metavar="GLOB",
    default="*",
    show_default=True,
    help="Which tasks, by name and size: 'berlin/*', '*/20', 'potsdam_validation/all'.",
)
@click.option(
    "--sizes",
    callback=_parse_sizes,
    default="all,20,10,5",
    show_default=True,
    help="Labelled pixels per class, separated by commas.",
)
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many seeds, from 0.")
@data_option
@click.option(
    "--scene",
    "scenes",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A scene of yours instead, with --labels; several make one task.",
)
@click.option(
    "--labels",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Labels of --scene: one file for all, or one for each in the same order.",
)
@click.option("--field", help="Column of --labels that holds the class, where there are several.")
@click.option("--development", is_flag=True, help="The splits that choices are made on, instead of those reported.")
@click.option(
    "--cache",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file of results: what it holds is not measured again, what is measured is added at once.",
)
@click.option("--no-run", is_flag=True, help="Measure nothing; show what the cache holds.")
@click.option("--markdown", is_flag=True, help="Print the whole table instead of one line for each method.")
def main(
    methods: list[str],
    tasks: str,
    sizes: list[int | None],
    seeds: int,
    data: Path,
    scenes: tuple[Path, ...],
    labels: tuple[Path, ...],
    field: str | None,
    *,
    development: bool,
    cache: Path | None,
    no_run: bool,
    markdown: bool,
) -> None:
    r"""Measure the accuracy of hsigeo and its rivals on real data.

    Results go to stdout, progress to stderr. Stop it with Ctrl-C whenever you like: with --cache it goes on from there.

    \b
    Examples:
      python -m benchmarks.accuracy --methods hsigeo,lda --tasks 'indian_pines/*' --seeds 2 --markdown
      python -m benchmarks.accuracy --scene scene.hdr --labels labels.gpkg
    """
    if bool(scenes) != bool(labels) or (field and not labels):
        raise click.UsageError("--scene and --labels go together, and --field with them")
    if scenes and development:
        raise click.UsageError("--development chooses among the benchmark's own data; leave out --scene, or it")
    sources = DEVELOPMENT if development else REPORTING
    if scenes:
        sources = {scenes[0].stem: lambda _: divide_own(scenes, labels, field)}
    try:
        results = Cache(cache)
        splits = _choose_splits(sources, tasks, sizes, seeds, data)
        jobs = [(name, split) for split in splits for name in methods]
        finished = no_run or _run([job for job in jobs if _known(results, job) is None], results)
    except (HsigeoError, CacheError, OSError) as error:
        raise click.ClickException(str(error)) from error
    measured = Measured(
        methods=methods,
        tasks=list(dict.fromkeys(split.task for split in splits)),
        seeds=range(seeds),
        results={(job[0], job[1].task, job[1].seed): found for job in jobs if (found := _known(results, job))},
    )
    if not measured.results:
        raise click.ClickException("nothing was measured yet; leave out --no-run, or name the cache of an earlier run")
    click.echo(make_markdown(measured) if markdown else make_summary(measured))
    if not finished:
        sys.exit(INTERRUPTED)


def _choose_splits(
    sources: dict[str, Source], pattern: str, sizes: Iterable[int | None], seeds: int, data: Path
) -> list[Split]:
    """By seed first: whenever the run is stopped, every task has nearly as many seeds."""
    wanted = [
        (name, size)
        for name in sources
        for size in sizes
        if fnmatch.fnmatchcase(f"{name}/{'all' if size is None else size}", pattern)
    ]
    if not wanted:
        raise click.BadParameter(
            f"no task fits {pattern!r}; there are {', '.join(sources)}, each with a size: 'berlin/20', '*/all'",
            param_hint="--tasks",
        )
    divisions = {name: sources[name](data) for name in dict.fromkeys(name for name, _ in wanted)}
    return [
        make_split(name, divisions[name], per_class=size, seed=seed) for seed in range(seeds) for name, size in wanted
    ]


def _known(results: Cache, job: Job) -> Result | None:
    name, split = job
    return results.get(name, METHODS[name], split)


def _run(jobs: list[Job], results: Cache) -> bool:
    """Whether all was measured, rather than stopped by Ctrl-C."""
    with tqdm(total=len(jobs), unit="fit", smoothing=0, disable=not jobs) as bar:
        try:
            for name, split in jobs:
                bar.set_description(f"{name} on {split.task}, seed {split.seed}", refresh=False)
                results.put(name, METHODS[name], split, measure(METHODS[name], split))
                bar.update()
        except KeyboardInterrupt:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
