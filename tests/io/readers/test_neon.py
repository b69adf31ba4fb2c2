"""NEON AOP reflectance: both layouts, and the real piece."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
from envi_files import make_encoded_cube
from products.neon import write_flat_neon, write_neon

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.scene import grid_of

WAVELENGTH = np.array([450.0, 1339.9, 1340.0, 1445.0, 1800.0, 2400.0])


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(6, 5, 4) % 9999
    values[:, 1, 2] = -9999
    return values


def test_a_tile_has_its_scale_place_and_windows(cube: np.ndarray, tmp_path: Path) -> None:
    scene = hsigeo.open_scene(write_neon(tmp_path / "a.h5", cube, WAVELENGTH))
    np.testing.assert_allclose(scene.values, np.where(cube == -9999, np.nan, cube / 10_000), rtol=1e-6)
    assert scene.good.values.tolist() == [True, True, False, False, False, True]
    assert scene.fwhm.values == pytest.approx([5.6] * 6)
    grid = grid_of(scene)
    assert grid.transform.to_gdal() == (257_000, 1, 0, 4_112_000, 0, -1)
    assert rasterio.CRS.from_wkt(grid.crs).to_epsg() == 32611
    assert scene.attrs["repairs"] == []


def test_the_flat_layout_gives_the_same_scene(cube: np.ndarray, tmp_path: Path) -> None:
    stored = np.where(cube == -9999, 15_000, cube)
    scene = hsigeo.open_scene(write_flat_neon(tmp_path / "a.h5", stored, WAVELENGTH))
    tile = hsigeo.open_scene(write_neon(tmp_path / "b.h5", cube, WAVELENGTH))
    np.testing.assert_array_equal(scene.values, tile.values)
    np.testing.assert_allclose(scene.wavelength, tile.wavelength, rtol=1e-6)
    np.testing.assert_allclose(scene.fwhm, tile.fwhm, rtol=1e-6)
    np.testing.assert_array_equal(scene.good, tile.good)
    assert rasterio.CRS.from_wkt(grid_of(scene).crs).to_epsg() == 32611
    assert "states no absorption windows" in scene.attrs["repairs"][0]


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [("Reflectance_Data", "has no dataset SJER/Reflectance/Reflectance_Data"), ("Map_Info", "has no .*Map_Info")],
)
def test_what_is_missing_is_said(left_out: str, reason: str, cube: np.ndarray, tmp_path: Path) -> None:
    path = write_neon(tmp_path / "a.h5", cube, WAVELENGTH, leave_out=(left_out,))
    with pytest.raises(SceneError, match=reason) as caught:
        open_cube(path)
    assert "\n" not in str(caught.value)


def test_the_real_piece_reads_as_h5py_and_gdal_read_it(real_data: Path) -> None:
    path = real_data / "neon_sjer" / "NEON_SJER_30x30_subset.h5"
    scene = hsigeo.open_scene(path)
    with h5py.File(path) as file:
        stored = file["SJER/Reflectance/Reflectance_Data"][()].transpose(2, 0, 1)
        np.testing.assert_array_equal(scene.wavelength, file["SJER/Reflectance/Metadata/Spectral_Data/Wavelength"])
    np.testing.assert_array_equal(open_cube(path).read(slice(None), slice(None)), stored)
    np.testing.assert_allclose(scene.values, np.where(stored == -9999, np.nan, stored / 10_000), rtol=1e-6)
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(f'HDF5:"{path}"://SJER/Reflectance/Reflectance_Data') as dataset,
    ):
        by_gdal = dataset.read()
    # GDAL takes the first axis, which are lines, for bands.
    np.testing.assert_array_equal(by_gdal.transpose(2, 0, 1), stored)
    assert grid_of(scene).transform.to_gdal() == (257_000, 1, 0, 4_112_000, 0, -1)
