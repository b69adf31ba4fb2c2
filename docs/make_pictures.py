"""Make the pictures of the README and the tutorial from the sample scenes: ``python docs/make_pictures.py``.

For the README, both flight lines are laid on one north-up canvas, the way a GIS shows them. The tutorial's pictures are
what its commands write.
"""

from __future__ import annotations

import html
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rioxarray  # noqa: F401 - gives scenes their .rio
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import reproject

import hsigeo

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = REPOSITORY / "docs" / "images"
LINES = ("line_1", "line_2")
METRES_PER_PIXEL = 1.5
TRUE_COLOUR_NM = (650, 550, 470)
TUTORIAL = (
    "train {scenes}/line_1.hdr {scenes}/line_2.hdr --labels {scenes}/training.gpkg --field class -o my.safetensors "
    "--plots figures",
    "classify {scenes}/line_1.hdr --model my.safetensors -o map.tif --unknown 0.05",
    "evaluate map.tif --labels {scenes}/validation.gpkg --plots judged",
    "explain map.tif --pixel 60 60 --plot pixel.png",
)
"""Those commands of docs/tutorial.md that write the pictures it shows."""

Canvas = NDArray[np.float32]


def main() -> None:
    """Write all pictures into docs/images."""
    _make_readme_pictures()
    _make_tutorial_pictures()


def _make_tutorial_pictures() -> None:
    """Write tutorial_spectra.png, tutorial_confusion.png and tutorial_pixel.png."""
    with tempfile.TemporaryDirectory() as folder:
        for command in TUTORIAL:
            words = command.format(scenes=REPOSITORY / "sample_scenes").split()
            subprocess.run([sys.executable, "-m", "hsigeo", *words], cwd=folder, check=True)  # noqa: S603
        for made in ("figures/spectra.png", "judged/confusion.png", "pixel.png"):
            shutil.copyfile(Path(folder) / made, IMAGES / f"tutorial_{Path(made).name}")


def _make_readme_pictures() -> None:
    """Write scene.png, map.png and legend.svg."""
    scenes = [hsigeo.open_scene(REPOSITORY / "sample_scenes" / f"{name}.hdr") for name in LINES]
    model = hsigeo.load_model(REPOSITORY / "sample_scenes" / f"{LINES[0]}.safetensors")
    transform, shape = _canvas(scenes)

    colour = np.full((3, *shape), np.nan, dtype=np.float32)
    classes = np.zeros((1, *shape), dtype=np.float32)
    for scene in scenes:
        visible = _read_true_colour(scene)
        _lay(visible, scene, colour, transform, fill=np.nan, resampling=Resampling.bilinear)
        class_id = hsigeo.classify(scene, model)["class_id"].values.astype(np.float32)
        _lay(class_id[None], scene, classes, transform, fill=0, resampling=Resampling.nearest)

    palette = np.zeros((65_536, 3), dtype=np.uint8)
    for entry in model.card.classes:
        palette[entry.id] = entry.color
    _write_png(IMAGES / "scene.png", _stretch(colour), alpha=np.isfinite(colour[0]))
    _write_png(IMAGES / "map.png", palette[classes[0].astype(int)].transpose(2, 0, 1), alpha=classes[0] > 0)
    (IMAGES / "legend.svg").write_text(_legend(model.card.classes), encoding="utf-8")


def _canvas(scenes: list[xr.DataArray]) -> tuple[Affine, tuple[int, int]]:
    """A north-up grid around all scenes."""
    corners = []
    for scene in scenes:
        transform = scene.rio.transform()
        corners += [transform @ (col, row) for col in (0, scene.sizes["x"]) for row in (0, scene.sizes["y"])]
    (left, bottom), (right, top) = np.min(corners, axis=0), np.max(corners, axis=0)
    shape = (round((top - bottom) / METRES_PER_PIXEL), round((right - left) / METRES_PER_PIXEL))
    return Affine(METRES_PER_PIXEL, 0, left, 0, -METRES_PER_PIXEL, top), shape


def _read_true_colour(scene: xr.DataArray) -> Canvas:
    wavelength = scene.coords["wavelength"].values
    bands = [int(np.argmin(np.abs(wavelength - centre))) for centre in TRUE_COLOUR_NM]
    return np.asarray(scene.isel(band=bands).values, dtype=np.float32)


def _lay(
    layer: Canvas, scene: xr.DataArray, canvas: Canvas, transform: Affine, *, fill: float, resampling: Resampling
) -> None:
    """Put a scene's layer on the canvas where nothing lies yet."""
    placed = np.full_like(canvas, fill)
    reproject(
        layer,
        placed,
        src_transform=scene.rio.transform(),
        src_crs=scene.rio.crs,
        src_nodata=fill,
        dst_transform=transform,
        dst_crs=scene.rio.crs,
        dst_nodata=fill,
        resampling=resampling,
    )
    free = ~np.isfinite(canvas) if np.isnan(fill) else canvas == fill
    canvas[free] = placed[free]


def _stretch(colour: Canvas) -> NDArray[np.uint8]:
    low, high = np.nanpercentile(colour, [1, 98], axis=(1, 2), keepdims=True)
    bright = np.clip((colour - low) / (high - low), 0, 1) ** 0.6
    return np.asarray(np.nan_to_num(bright) * 255).astype(np.uint8)


def _write_png(path: Path, image: NDArray[np.uint8], *, alpha: NDArray[np.bool_]) -> None:
    rgba = np.concatenate([image, 255 * alpha[None].astype(np.uint8)])
    _, height, width = rgba.shape
    profile = {"driver": "PNG", "width": width, "height": height, "count": 4, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **profile) as png:
            png.write(rgba)
    path.with_name(f"{path.name}.aux.xml").unlink(missing_ok=True)


def _legend(classes: Any) -> str:
    """Colour and name of every class, as SVG."""
    rows = [
        f'<rect x="4" y="{24 * n + 4}" width="18" height="16" fill="rgb{entry.color}" stroke="#888"/>'
        f'<text x="30" y="{24 * n + 17}">{html.escape(entry.name)}</text>'
        for n, entry in enumerate(classes)
    ]
    size = f'width="200" height="{24 * len(rows) + 4}"'
    style = 'font-family="sans-serif" font-size="14" fill="#777"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "\n".join(rows) + "\n</svg>\n"


if __name__ == "__main__":
    main()
