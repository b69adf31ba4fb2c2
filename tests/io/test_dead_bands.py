"""Dead bands that nobody marked."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from classifications import make_grid

from hsigeo.bands import BandTable
from hsigeo.io import mark_dead_bands, open_scene
from hsigeo.io.geotiff import RasterCube
from hsigeo.scene import make_scene

TRANSFORM = Affine(5, 0, 380_000, 0, -5, 5_820_000)


def scene_of(values):
    bands = BandTable(count=len(values), wavelength=np.linspace(450, 2300, len(values)))
    grid = make_grid(values.shape[1], values.shape[2])
    return make_scene(values.astype(np.float32), grid=grid, bands=bands, attrs={"source": "s", "repairs": ["one"]})


def values(bands=12, lines=20, samples=15):
    return np.random.default_rng(0).random((bands, lines, samples)).astype(np.float32)


@pytest.mark.parametrize("stuck", [0.0, 0.7, np.nan])
def test_a_band_that_holds_one_number_or_none_is_marked_and_said(stuck):
    cube = values()
    cube[4] = stuck
    marked = mark_dead_bands(scene_of(cube))
    np.testing.assert_array_equal(np.flatnonzero(~marked.good.values), [4])
    assert marked.attrs["repairs"][0] == "one"
    assert marked.attrs["repairs"][1].endswith("band 5")


def test_a_sound_scene_is_left_as_it_is():
    scene = scene_of(values())
    assert mark_dead_bands(scene) is scene


def test_the_ragged_edge_of_a_swath_is_no_dead_band():
    cube = values()
    cube[:, :, :9] = np.nan
    scene = scene_of(cube)
    assert mark_dead_bands(scene) is scene


@pytest.mark.parametrize(
    "cube", [np.full((12, 20, 15), 0.3), np.full((12, 20, 15), np.nan), values(lines=1, samples=3)]
)
def test_a_scene_that_is_constant_empty_or_tiny_is_not_judged(cube):
    scene = scene_of(cube)
    assert mark_dead_bands(scene) is scene


def test_of_a_file_in_compressed_blocks_whole_rows_are_not_decompressed(tmp_path, monkeypatch):
    stored = np.random.default_rng(0).integers(100, 9_000, (12, 320, 320), dtype=np.int16)
    stored[4] = 0
    profile = {"driver": "GTiff", "dtype": "int16", "count": 12, "height": 320, "width": 320, "tiled": True}
    with rasterio.open(
        tmp_path / "scene.tif", "w", **profile, blockxsize=64, blockysize=64, compress="deflate", transform=TRANSFORM
    ) as file:
        file.write(stored)
        for band in range(12):
            file.update_tags(band + 1, wavelength=str(450 + 50 * band), wavelength_units="Nanometers")
    scene = open_scene(tmp_path / "scene.tif")
    read, original = [], RasterCube.read
    monkeypatch.setattr(
        RasterCube,
        "read",
        lambda cube, rows, cols, *bands: read.append((rows, cols)) or original(cube, rows, cols, *bands),
    )
    marked = mark_dead_bands(scene)
    np.testing.assert_array_equal(np.flatnonzero(~marked.good.values), [4])
    assert len(read) == 5
    for rows, cols in read:
        assert rows.start // 64 == (rows.stop - 1) // 64
        assert cols.start // 64 == (cols.stop - 1) // 64
