"""``hsigeo quicklook`` as a user runs it."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from envi_files import write_envi
from rasterio.errors import NotGeoreferencedWarning
from spectral_scenes import LINES, SAMPLES, UTM, write_scene

Run = Callable[..., subprocess.CompletedProcess[str]]


def pixels(path: Path) -> np.ndarray:
    with warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning), rasterio.open(path) as dataset:
        return dataset.read()


def test_a_picture_says_what_it_shows(hsigeo: Run, tmp_path: Path) -> None:
    result = hsigeo("quicklook", write_scene(tmp_path), "-o", "a.png", "--bands", "cir")
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith(
        f"a.png: {SAMPLES} x {LINES} pixels; red 877 nm, green 674 nm, blue 572 nm; stretched"
    )
    assert pixels(tmp_path / "a.png").shape == (4, LINES, SAMPLES)


def test_an_exponent_below_1_brightens(hsigeo: Run, tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    hsigeo("quicklook", path, "-o", "a.png")
    hsigeo("quicklook", path, "-o", "b.png", "--exponent", 0.6)
    plain, bright = pixels(tmp_path / "a.png")[:3], pixels(tmp_path / "b.png")[:3]
    assert (bright >= plain).all()
    # Near black, one step of the plain picture is many of the bright one.
    np.testing.assert_allclose(bright[plain > 20], 255 * (plain[plain > 20] / 255) ** 0.6, atol=2)


def test_a_wider_stretch_clips_less(hsigeo: Run, tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    hsigeo("quicklook", path, "-o", "a.png", "--stretch", "10,90")
    hsigeo("quicklook", path, "-o", "b.png", "--stretch", "0,100")
    assert (pixels(tmp_path / "a.png")[0] == 255).sum() > (pixels(tmp_path / "b.png")[0] == 255).sum() > 0


def test_a_rotated_scene_is_turned_on_request_only(hsigeo: Run, tmp_path: Path) -> None:
    path = write_scene(tmp_path, map_info=UTM.replace("units=Meters", "units=Meters, rotation=-30"))
    hsigeo("quicklook", path, "-o", "a.png")
    hsigeo("quicklook", path, "-o", "b.png", "--north-up")
    assert (pixels(tmp_path / "a.png")[3] == 255).all()
    turned = pixels(tmp_path / "b.png")
    assert turned.shape[1] > LINES
    assert turned[3, 0, 0] == turned[3, -1, -1] == 0


def test_a_scene_of_unknown_place_cannot_be_turned(hsigeo: Run, tmp_path: Path) -> None:
    result = hsigeo("quicklook", write_scene(tmp_path, map_info=None), "-o", "a.png", "--north-up")
    assert result.returncode == 1
    assert "nothing says where it lies" in result.stderr
    assert not (tmp_path / "a.png").exists()


def test_a_sheet_shows_scene_map_and_legend(hsigeo: Run, tmp_path: Path) -> None:
    ids = (np.arange(LINES * SAMPLES).reshape(1, LINES, SAMPLES) % 3).astype("uint8")
    extra = {
        "class names": "{none, Eiche, Wasser}",
        "class lookup": [0, 0, 0, 10, 20, 30, 200, 100, 50],
        "map info": UTM,
    }
    write_envi(tmp_path, "map", ids, header_extra=extra)
    result = hsigeo("quicklook", write_scene(tmp_path), "-o", "sheet.svg", "--map", "map.hdr")
    assert result.returncode == 0, result.stderr
    content = (tmp_path / "sheet.svg").read_text()
    for text in ("scene.hdr", "map.hdr", "2 classes", "Eiche", "Wasser", "<!-- 20 m -->"):
        assert text in content
    result = hsigeo("quicklook", "map.hdr", "-o", "map.svg", "--figure")
    assert result.returncode == 0, result.stderr
    assert "<!-- Eiche -->" in (tmp_path / "map.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--bands", "pink"], 2, "is neither true-colour, cir, swir"),
        (["--stretch", "98,2"], 2, "must rise"),
        (["--stretch", "much"], 2, "is not two percentiles"),
        (["--exponent", "0"], 2, "exponent"),
        (["--bands", "9000"], 1, "cannot be shown as 9000"),
        (["--map", "gone.tif"], 1, "gone.tif does not exist"),
    ],
)
def test_what_cannot_be_shown_is_said_and_nothing_written(
    arguments: list[str], code: int, message: str, hsigeo: Run, tmp_path: Path
) -> None:
    result = hsigeo("quicklook", write_scene(tmp_path), "-o", "a.png", *arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert not (tmp_path / "a.png").exists()


def test_nothing_is_replaced_unasked_and_the_scene_never(hsigeo: Run, tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    (tmp_path / "a.png").write_text("mine")
    assert hsigeo("quicklook", path, "-o", "a.png").returncode == 1
    assert (tmp_path / "a.png").read_text() == "mine"
    assert hsigeo("quicklook", path, "-o", "a.png", "--overwrite").returncode == 0
    assert hsigeo("quicklook", "a.png", "-o", "a.png", "--overwrite").returncode == 1
    assert hsigeo("quicklook", path, "-o", "a.tif").returncode == 1
