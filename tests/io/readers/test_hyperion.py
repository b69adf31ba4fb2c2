"""Hyperion: bands that are files, radiance, wavelengths from the mission's table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from envi_files import make_encoded_cube
from products.dlr import pack
from products.usgs import SCENE, TRANSFORM, write_hyperion
from rasterio.crs import CRS

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.readers.hyperion_bands import CENTRES, WIDTHS
from hsigeo.scene import grid_of

BANDS = [1, 8, 57, 71, 77, 79, 224, 242]
IN_USE = [1, 2, 4, 5, 6]


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(len(BANDS), 6, 5) % 4999 + 1
    values[[0, 3, 7]] = 0  # not calibrated
    values[:, 2, 1] = 0
    values[2, 4, 4] = 0  # dark in one band, so a measurement
    return values


@pytest.mark.parametrize("given", ["folder", f"{SCENE}_B057_L1T.TIF", f"{SCENE}_MTL_L1T.TXT", "a.zip"])
def test_a_scene_is_its_calibrated_bands_as_radiance(given: str, cube: np.ndarray, tmp_path: Path) -> None:
    folder = write_hyperion(tmp_path / "EO1H", cube, BANDS)
    path = {"folder": folder, "a.zip": tmp_path / "a.zip"}.get(given, folder / given)
    if given == "a.zip":
        pack(folder, path)
    scene = hsigeo.open_scene(path)
    factor = np.array([40, 40, 80, 80, 80])[:, None, None]
    expected = cube[IN_USE] / factor
    expected[:, 2, 1] = np.nan
    np.testing.assert_allclose(scene.values, expected, rtol=1e-6)
    assert scene.wavelength.values.tolist() == [426.82, 925.41, 912.45, 932.64, 2395.50]
    assert scene.good.values.tolist() == [True, True, False, True, True]
    assert grid_of(scene).transform == TRANSFORM
    assert CRS.from_wkt(grid_of(scene).crs).to_epsg() == 32612
    assert scene.attrs["repairs"][0].startswith("Hyperion L1T holds radiance")
    assert "193 calibrated bands are not there" in scene.attrs["repairs"][1]


def test_windows_of_few_bands_hide_the_same_pixels(cube: np.ndarray, tmp_path: Path) -> None:
    opened = open_cube(write_hyperion(tmp_path / "EO1H", cube, BANDS))
    whole = opened.read(slice(None), slice(None))
    for bands in (slice(1, 2), slice(2, 5)):
        np.testing.assert_array_equal(opened.read(slice(1, 5), slice(0, 5), bands), whole[bands, 1:5, 0:5])
    assert whole[1, 4, 4] == 0


def test_the_metadatas_factors_count_and_else_the_usual_ones(cube: np.ndarray, tmp_path: Path) -> None:
    header = open_cube(write_hyperion(tmp_path / "a", cube, BANDS, factors=(20.0, 50.0))).header
    assert (1 / header.scaling.gain).tolist() == pytest.approx([20, 20, 50, 50, 50])
    header = open_cube(write_hyperion(tmp_path / "b", cube, BANDS, factors=None)).header
    assert (1 / header.scaling.gain).tolist() == pytest.approx([40, 40, 80, 80, 80])
    assert "usual 40 and 80" in header.repairs[-1]


def test_a_band_of_another_size_or_a_cut_one_is_said(cube: np.ndarray, tmp_path: Path) -> None:
    folder = write_hyperion(tmp_path / "a", cube, BANDS)
    opened = open_cube(folder)
    write_hyperion(folder, cube[2:3, :4], [57])
    with pytest.raises(SceneError, match=r"_B057_L1T.TIF is .* pixels, other bands"):
        opened.read(slice(None), slice(None))
    band = folder / f"{SCENE}_B079_L1T.TIF"
    band.write_bytes(band.read_bytes()[:150])
    with pytest.raises(SceneError, match=r"_B079_L1T.TIF cannot be read; it may be damaged"):
        opened.read(slice(None), slice(None), slice(3, 4))


def test_too_few_bands_are_no_scene(cube: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="holds 1 of Hyperion's bands"):
        open_cube(write_hyperion(tmp_path / "a", cube[:2], BANDS[:2]))


def test_the_table_agrees_with_the_header_of_a_real_scene(real_data: Path) -> None:
    bands = open_cube(real_data / "gamsberg_hyperion" / "cubus_gamsberg_subset.hdr").header.bands
    index = np.r_[7:57, 78:217]
    np.testing.assert_allclose(bands.wavelength, CENTRES[index], atol=2e-4)
    np.testing.assert_allclose(bands.fwhm, WIDTHS[index], atol=1e-4)
