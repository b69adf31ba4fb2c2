"""The command line of the kernel benchmark."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click
import numba
import torch

from benchmarks.kernels.c_loop import NoCompilerError
from benchmarks.kernels.measures import (
    Costs,
    time_after_attention,
    time_embedding,
    time_loop,
    time_training,
)
from benchmarks.kernels.rivals import Problem
from benchmarks.kernels.sweep import draw_sweep, sweep
from benchmarks.rounds import ratio_of_medians
from hsigeo.plots.figure import check_figure


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--bands", type=click.IntRange(1, 1024), default=200, show_default=True)
@click.option("--heads", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--width", type=click.IntRange(1), default=64, show_default=True, help="Of a token.")
@click.option("--pixels", type=click.IntRange(8), default=2048, show_default=True, help="Of one measure.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Pixels of a training step.")
@click.option("--threads", type=click.IntRange(1), help="Of torch and of the kernel. [default: torch's own]")
@click.option("--repeats", type=click.IntRange(1), default=7, show_default=True, help="Rounds of all measures.")
@click.option(
    "--sweep",
    "figure",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FIGURE",
    help="Instead, vary bands, heads and pixels, and draw the cost: a .png, .svg or .pdf file.",
)
@click.option("--overwrite", is_flag=True, help="Replace the figure.")
@click.option("--smoke", is_flag=True, help="As little as shows that everything runs; the numbers mean nothing.")
def main(
    bands: int,
    heads: int,
    width: int,
    pixels: int,
    batch: int,
    threads: int | None,
    repeats: int,
    figure: Path | None,
    *,
    overwrite: bool,
    smoke: bool,
) -> None:
    r"""Time spectral attention against torch's own and against C, in turn, as ratios of medians.

    A way goes from values (pixel, band) to one embedding a pixel. torch's ways make tokens, attend and take the mean;
    hsigeo's compute the same numbers without tokens. Each has the batch at which it is fastest, and is timed with
    torch's threads inside its operations and with a batch a core. In brackets: the least and the largest of the
    rounds.

    \b
    Examples:
      python -m benchmarks.kernels
      python -m benchmarks.kernels --threads 1 --bands 50
      python -m benchmarks.kernels --sweep kernels.png --repeats 3
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if smoke:
        pixels, repeats = 8, 1
    cores, used = len(os.sched_getaffinity(0)), torch.get_num_threads()
    versions = f"torch {torch.__version__}, numba {numba.__version__}"
    click.echo(
        f"{cores} cores, {used} threads, {versions}, {repeats} rounds; {bands} bands, {heads} heads, width {width}"
    )
    if figure is not None:
        check_figure(figure, overwrite=overwrite)
        points = sweep(bands=bands, heads=heads, width=width, repeats=repeats, quick=smoke)
        click.echo("\n| varied | to | way | µs per pixel |\n|---|---|---|---|")
        for point in points:
            spread = f"{point.middle:.1f} ({point.least:.1f}-{point.most:.1f})"
            click.echo(f"| {point.axis} | {point.value} | {point.name} | {spread} |")
        title = f"{bands} bands, {heads} heads, width {width} where not varied; one thread"
        draw_sweep(points, figure, title=title, overwrite=overwrite)
        return
    try:
        _print("Bare weights", time_loop(bands=bands, heads=heads, pixels=pixels, repeats=repeats))
    except NoCompilerError as error:
        click.echo(f"\nBare weights beside a C loop: skipped, {error}")
    problem = Problem.draw(bands=bands, heads=heads, width=width)
    _print("Embedding", *time_embedding(problem, pixels=pixels, repeats=repeats))
    batch = min(batch, pixels)
    for count in sorted({1, used}):
        costs = time_training(problem, batch=batch, threads=count, repeats=repeats)
        _print(f"Training step, {batch} pixels, {count} thread{'s' if count > 1 else ''}", costs)
    costs = time_after_attention(bands=bands, heads=heads, width=width, pixels=min(pixels, 512), repeats=repeats)
    whole, attention = costs["network"], costs["attention"]
    rest = [(all_of_it - part) / part for all_of_it, part in zip(whole, attention, strict=True)]
    click.echo(f"\nAll other layers, as a share of attention: {median(rest):.3f} ({min(rest):.3f}-{max(rest):.3f})")


def _print(title: str, costs: Costs, batches: dict[str, int] | None = None) -> None:
    """A table: rates, and how many times as fast the first way is."""
    own = next(iter(costs.values()))
    click.echo(f"\n| {title} |{' batch |' if batches else ''} pixels/s | hsigeo is faster by |")
    click.echo(f"|---|{'---|' if batches else ''}---|---|")
    for name, found in costs.items():
        batch = f" {batches[name]} |" if batches else ""
        click.echo(f"| {name} |{batch} {_rates(found)} | {_ratio(found, own)} |")


def _rates(costs: Sequence[float]) -> str:
    return f"{1 / median(costs):,.0f} ({1 / max(costs):,.0f}-{1 / min(costs):,.0f})".replace(",", " ")


def _ratio(above: Sequence[float], below: Sequence[float]) -> str:
    middle, least, most = ratio_of_medians(above, below)
    return f"{middle:.2f} ({least:.2f}-{most:.2f})"


if __name__ == "__main__":
    sys.exit(main())
