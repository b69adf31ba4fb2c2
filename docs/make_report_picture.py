"""Make the pictures of reports on the sample scenes: ``python docs/make_report_picture.py``.

Needs Chromium (Debian: ``apt-get install chromium``), and takes the test suite's way of driving it.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from hsigeo.io.quicklook import write_picture

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURE = REPOSITORY / "docs" / "images" / "report.png"
INDEX_PICTURE = PICTURE.with_name("report_index.png")
SCENES = REPOSITORY / "sample_scenes"
WIDTH, HEIGHT = 1000, 1480
INDEX_WIDTH, INDEX_HEIGHT = 1300, 1640
GAP = 24


def main() -> None:
    """Write report.png, the upper part of the page, light and dark; and report_index.png, that of a campaign."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    from chromium import open_page

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, index = make_report(folder), make_index(folder / "campaign")
        with open_page(folder / "profile", folder / "net.json") as tab:
            tab.go(page.as_uri())
            looks = [tab.look(width=WIDTH, height=HEIGHT, dark=dark) for dark in (False, True)]
            tab.go(index.as_uri())
            index_look = tab.look(width=INDEX_WIDTH, height=INDEX_HEIGHT)
    light, dark = (_read(look) for look in looks)
    gap = np.zeros((4, light.shape[1], GAP), dtype=np.uint8)
    # Every second row and column of the mean of four: sharp enough to see what the page is like, and small.
    write_picture(_halve(np.concatenate([light, gap, dark], axis=2)), PICTURE, overwrite=True)
    write_picture(_halve(_read(index_look)), INDEX_PICTURE, overwrite=True)


def make_report(folder: Path) -> Path:
    """Map, confidence and evaluation of a sample scene, and the report on them."""
    run("classify", SCENES / "line_1.hdr", "-o", folder / "map.tif", "--confidence", folder / "map_confidence.tif")
    labels = SCENES / "validation.gpkg"
    run("evaluate", folder / "map.tif", "--labels", labels, "--json", folder / "map_accuracy.json")
    run("report", folder / "map.tif")
    return folder / "map_report.html"


def make_index(folder: Path) -> Path:
    """Maps of both sample scenes, how they agree, and the index of reports on them."""
    lines = [SCENES / "line_1.hdr", SCENES / "line_2.hdr", "--model", SCENES / "line_1.safetensors"]
    run("classify", *lines, "--output-dir", folder, "--layer", "confidence", "--unknown", 0.05)
    run("agree", folder, "-o", folder / "agreement")
    run("report", folder)
    return folder / "index.html"


def run(*words: Any) -> None:
    """One hsigeo command."""
    command = [sys.executable, "-m", "hsigeo", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def _read(png: bytes) -> NDArray[np.uint8]:
    quiet = warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning)
    with quiet, rasterio.open(io.BytesIO(png)) as dataset:
        colour: NDArray[np.uint8] = dataset.read()[:3]
    return np.concatenate([colour, np.full_like(colour[:1], 255)])


def _halve(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bands, lines, samples = rgba.shape
    blocks = rgba[:, : lines // 2 * 2, : samples // 2 * 2].reshape(bands, lines // 2, 2, samples // 2, 2)
    return np.asarray(blocks.mean(axis=(2, 4)).round().astype(np.uint8))


if __name__ == "__main__":
    main()
