"""The claims of the first architecture on real ground: `hsigeo ablate --claims` on the development splits.

Pixels, wavelengths and labels are those of `python -m benchmarks.ablation`; nothing that a report tests on is seen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from tqdm import tqdm

from benchmarks.ablation.__main__ import find_trials
from benchmarks.options import data_option
from hsigeo.cli.ablation_text import claim_lines
from hsigeo.training.claims import measure_claims
from hsigeo.training.damage import DAMAGES


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--tasks", metavar="GLOBS", default="potsdam*", show_default=True, help="Sources, separated by commas.")
@click.option("--sizes", default="20", show_default=True, help="Labelled pixels per class, separated by commas.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="How many seeds, from 0.")
@click.option("--steps", type=click.IntRange(1), default=1000, show_default=True, help="Of each of five trainings.")
@click.option("--damage/--no-damage", default=True, show_default=True, help="Also test on damaged spectra.")
@data_option
def main(tasks: str, sizes: str, seeds: int, steps: int, data: Path, *, damage: bool) -> None:
    """Train the variant `plain` with and without what was claimed for it, task by task."""
    trials = list(find_trials(tasks.split(","), [size.strip() for size in sizes.split(",")], seeds, data))
    for task in dict.fromkeys(trial.task for trial in trials):
        with tqdm(unit="step", desc=task, smoothing=0) as bar:

            def show(done: int, total: int, bar: tqdm[None] = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            chosen = [trial for trial in trials if trial.task == task]
            found = measure_claims(chosen, steps=steps, damages=tuple(DAMAGES) if damage else (), progress=show)
        click.echo(f"{task}: {len(chosen)} seeds, {found.pixels:.0f} training pixels, {steps} steps")
        click.echo("\n".join(claim_lines(found)))


if __name__ == "__main__":
    sys.exit(main())
