"""The command line of the memory benchmark."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.cubes import LAYOUTS, make_library, write_cube
from benchmarks.memory.runs import Run, measure_run
from benchmarks.memory.scenes import BANDS, write_library_model, write_sparse_scene
from hsigeo.model import write_model
from hsigeo.tiling import format_size, parse_size
from hsigeo.training.learning import train_on_spectra

_ROW_BYTES = 2 * BANDS
_VALID_ROWS = 200
_BLOCK = 512


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--sizes", default="64M,512M,2G,8G", show_default=True, help="Sizes of the scenes, int16, 200 bands.")
@click.option("--samples", default="2000,40000", show_default=True, help="Their widths.")
@click.option("--limits", default="", help="Values for --max-memory. [default: none is given]")
@click.option(
    "--interleave",
    type=click.Choice(LAYOUTS),
    default="bil",
    show_default=True,
    help="Of ENVI scenes, or a deflated GeoTIFF in tiles of 512 x 512: of one band each, or of all (tif-pixel).",
)
@click.option("--options", default="", help="Further options of hsigeo classify, such as '--threads 1'.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where to make the scenes; those of ENVI are sparse files. [default: the system's folder for such]",
)
def main(sizes: str, samples: str, limits: str, interleave: str, options: str, folder: Path | None) -> None:
    """Compare the peak resident size of hsigeo classify with its plan, for scenes of several sizes."""
    click.echo("| scene | width | limit | planned | peak | peak / planned | seconds |\n|---|---|---|---|---|---|---|")
    ratios = []
    with tempfile.TemporaryDirectory(prefix="hsigeo-memory-", dir=folder) as made:
        model = Path(made) / "model.safetensors"
        library = make_library(BANDS)
        if interleave.startswith("tif"):
            write_model(train_on_spectra(library.as_labelled_spectra(), check=False), model)
        else:
            write_library_model(model)
        for size in sizes.split(","):
            for width in map(int, samples.split(",")):
                if interleave.startswith("tif"):
                    lines = max(1, parse_size(size) // (_ROW_BYTES * width))
                    scene = write_cube(Path(made), interleave, library, lines=lines, samples=width, block=_BLOCK)
                else:
                    scene = make_scene(Path(made), parse_size(size), width, interleave)
                for limit, run in _runs(scene, ["--model", str(model), *options.split()], limits.split(",")):
                    click.echo(_row(size, width, limit, run))
                    ratios.append(run.ratio)
                (scene if interleave.startswith("tif") else scene.with_suffix(".img")).unlink()
    click.echo(f"\nworst: {max(ratios, key=lambda ratio: abs(ratio - 1)):.2f} of the plan; largest: {max(ratios):.2f}")


def make_scene(folder: Path, size: int, samples: int, interleave: str) -> Path:
    """A scene of about this size with some two hundred rows that have data."""
    lines = max(1, size // (_ROW_BYTES * samples))
    return write_sparse_scene(
        folder,
        f"scene_{size}_{samples}",
        shape=(BANDS, lines, samples),
        interleave=interleave,
        valid_every=max(1, lines // max(1, _VALID_ROWS * 2000 // samples)),
    )


def _runs(scene: Path, options: list[str], limits: list[str]) -> Iterator[tuple[str, Run]]:
    for limit in limits:
        given = ["--max-memory", limit] if limit else []
        yield limit, measure_run(scene, scene.with_name("map.tif"), [*options, *given])


def _row(size: str, width: int, limit: str, run: Run) -> str:
    cells = [size, str(width), limit or "default", format_size(run.planned), format_size(run.peak)]
    return f"| {' | '.join(cells)} | {run.ratio:.2f} | {run.seconds:.1f} |"


if __name__ == "__main__":
    main()
