"""The peaks of commands for a small scene and a large one: ``python -m benchmarks.memory.commands``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from affine import Affine

from benchmarks.memory.maps import write_label_raster, write_patches
from benchmarks.memory.runs import measure_command
from benchmarks.memory.scenes import BANDS, write_library_model, write_sparse_scene
from hsigeo.grid import Grid
from hsigeo.io import open_cube
from hsigeo.tiling import format_size, parse_size

_VALID_ROWS = 200


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--sizes", default="512M,4G", show_default=True, help="Sizes of the scenes, int16, 200 bands.")
@click.option("--samples", default=2000, show_default=True, help="Their width.")
@click.option("--only", default="", help="Names of commands, such as 'train,mosaic'. [default: all]")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where to make the files. [default: the system's folder for such]",
)
def main(sizes: str, samples: int, only: str, folder: Path | None) -> None:
    """Compare the peak resident sizes of hsigeo's commands between scenes of several sizes."""
    names = sizes.split(",")
    peaks: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    for size in names:
        with tempfile.TemporaryDirectory(prefix="hsigeo-memory-", dir=folder) as made:
            for name, arguments in make_commands(Path(made), parse_size(size), samples).items():
                if only and name.split()[0].rstrip(",") not in only.split(","):
                    continue
                try:
                    peak, seconds = measure_command(arguments)
                except RuntimeError as error:
                    click.echo(str(error), err=True)
                    continue
                ratio = peak / first.setdefault(name, peak)
                peaks.setdefault(name, []).append(f"{format_size(peak)} ({ratio:.2f}) | {seconds:.1f}")
                click.echo(f"{size} {name}: {peaks[name][-1]}", err=True)
    click.echo(f"| command | {' | '.join(f'{size} | s' for size in names)} |\n|---|{'---|---|' * len(names)}")
    for name, cells in peaks.items():
        click.echo(f"| {name} | {' | '.join(cells)} |")


def make_commands(folder: Path, size: int, samples: int) -> Mapping[str, Sequence[str]]:
    """Make a scene, a model, labels and maps, and return what to run on them, by name."""
    lines = max(1, size // (2 * BANDS * samples))
    every = max(1, lines // _VALID_ROWS)
    scene = write_sparse_scene(folder, "scene", shape=(BANDS, lines, samples), valid_every=every)
    grid = open_cube(scene).header.grid
    model = folder / "model.safetensors"
    write_library_model(model)
    labels = write_label_raster(folder / "labels.tif", grid, every=every)
    one = write_patches(folder, "one", grid, scene=scene)
    two = write_patches(folder, "two", _moved(grid, samples // 2), scene=scene)
    shutil.copy(model, scene.with_suffix(".safetensors"))

    def made(name: str) -> str:
        return str(folder / name)

    return {
        "info": ["info", str(scene)],
        "quicklook": ["quicklook", str(scene), "-o", made("look.png")],
        "quicklook of a map": ["quicklook", str(one), "-o", made("map.png")],
        "classify, all layers": [
            *("classify", str(scene), "-o", made("c.tif"), "--model", str(model)),
            *("--confidence", made("c_confidence.tif"), "--probabilities", made("c_probabilities.tif")),
        ],
        "classify to a folder": ["classify", str(scene), "--output-dir", made("maps"), "--model", str(model)],
        "train": ["train", str(scene), "--labels", str(labels), "-o", made("t.safetensors")],
        "evaluate": ["evaluate", str(one), "--labels", str(labels)],
        "statistics": ["statistics", str(one)],
        "statistics with spectra": ["statistics", str(one), "--scene", str(scene), "--spectra", made("s.csv")],
        "report": ["report", str(one), "-o", made("report.html")],
        "mosaic of two": ["mosaic", str(one), str(two), "-o", made("mosaic.tif")],
        "agree": ["agree", str(one), str(two), "-o", made("agreement")],
        "refine, sieve": ["refine", str(one), "-o", made("r1.tif"), "--sieve", "300"],
        "refine, majority": ["refine", str(one), "-o", made("r2.tif"), "--majority", "3"],
        "refine, threshold": ["refine", str(one), "-o", made("r3.tif"), "--threshold", "0.6"],
        "refine, smooth": ["refine", str(one), "-o", made("r4.tif"), "--smooth", "2"],
        "vectorise": ["vectorise", str(one), "-o", made("map.gpkg")],
        "catalogue": ["catalogue", made("maps"), "--overwrite"],
    }


def _moved(grid: Grid, columns: int) -> Grid:
    return replace(grid, transform=grid.transform @ Affine.translation(columns, 0))


if __name__ == "__main__":
    main()
