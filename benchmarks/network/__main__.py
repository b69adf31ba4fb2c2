"""The command line: ``python -m benchmarks.network``."""

from __future__ import annotations

import sys
from statistics import median

import click
import torch

from benchmarks.network.stages import Subject, make_subject, stage_times
from benchmarks.rounds import ratio_of_medians, run_rounds
from hsigeo.kernels.choice import describe_kernel

STAGE_BANDS = 200


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--bands", default="50,100,200,400", show_default=True, help="Of the spectra.")
@click.option("--classes", type=click.IntRange(2, 255), default=8, show_default=True)
@click.option("--pixels", type=click.IntRange(1), default=8192, show_default=True, help="Asked about at a time.")
@click.option("--odd", type=click.FloatRange(0, 1), default=0.01, show_default=True, help="Share with dead bands.")
@click.option("--repeats", type=click.IntRange(1), default=9, show_default=True, help="Rounds of all measures.")
@click.option("--unknown", is_flag=True, help="With the distances that --unknown needs.")
@click.option("--stages", is_flag=True, help="Also where the time goes.")
def main(bands: str, classes: int, pixels: int, odd: float, repeats: int, *, unknown: bool, stages: bool) -> None:
    r"""Time the default network on one core: as machine code for vectors, and in plain torch.

    Both work in float32; how far each is off the same network in double precision is the last column.

    \b
    Examples:
      python -m benchmarks.network --stages
      python -m benchmarks.network --bands 200 --odd 1
      python -m benchmarks.network --bands 200 --unknown
    """
    torch.set_num_threads(1)
    click.echo(
        f"{describe_kernel('cpu')} and torch {torch.__version__}, one core, {classes} classes, {pixels} pixels at a "
        f"time, {repeats} rounds{', with distances' if unknown else ''}\n"
    )
    click.echo("| bands | odd pixels | compiled, px/s | plain, px/s | compiled / plain | off double precision by |")
    click.echo("|---|---|---|---|---|---|")
    for count in (int(part) for part in bands.split(",")):
        subject = make_subject(count, classes=classes, pixels=pixels, odd=odd)
        click.echo(_row(count, subject, repeats, unknown=unknown))
    if stages:
        click.echo(_stage_table(make_subject(STAGE_BANDS, classes=classes, pixels=pixels, odd=0.0), repeats))


def _row(bands: int, subject: Subject, repeats: int, *, unknown: bool) -> str:
    errors = [subject.error_of(kernel) for kernel in ("cpu", "plain")]  # before the clock starts, and to compile
    costs = run_rounds(
        {
            "cpu": lambda: subject.time("cpu", measured=unknown),
            "plain": lambda: subject.time("plain", measured=unknown),
        },
        repeats,
    )
    speed = {name: [len(subject.spectra) / cost.wall for cost in found] for name, found in costs.items()}
    middle, least, most = ratio_of_medians(speed["cpu"], speed["plain"])
    cells = (
        f"{bands}",
        f"{subject.odd_share:.1%}",
        f"{median(speed['cpu']):,.0f}",
        f"{median(speed['plain']):,.0f}",
        f"{middle:.1f} ({least:.1f}-{most:.1f})",
        " and ".join(f"{error:.0e}" for error in errors),
    )
    return f"| {' | '.join(cells)} |"


def _stage_table(subject: Subject, repeats: int) -> str:
    lines = [
        f"\n| stage, {STAGE_BANDS} bands | compiled, µs a pixel | plain, µs a pixel | plain / compiled |",
        "|---|---|---|---|",
    ]
    for name, (compiled, plain) in stage_times(subject, 10 * repeats).items():
        lines.append(f"| {name} | {compiled:.2f} | {plain:.2f} | {plain / compiled:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
