"""Tanager: basic in sensor geometry, ortho on a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from envi_files import make_encoded_cube
from products.planet import write_tanager
from rasterio.crs import CRS

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.geolocation import PixelPositions
from hsigeo.io.georeference import open_quietly
from hsigeo.scene import grid_of

BANDS, LINES, SAMPLES = 4, 6, 5


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(BANDS, LINES, SAMPLES, "float32") / 100_000
    values[:, 2, 3] = -9999
    return values


@pytest.mark.parametrize(("zone", "epsg"), [(11, 32611), (-55, 32755)])
@pytest.mark.parametrize("left_out", [(), ("epsg_code",)])
def test_ortho_lies_where_its_corners_say(
    zone: int, epsg: int, left_out: tuple, cube: np.ndarray, tmp_path: Path
) -> None:
    scene = hsigeo.open_scene(write_tanager(tmp_path / "a.h5", cube, zone=zone, leave_out=left_out))
    np.testing.assert_array_equal(scene.values, np.where(cube == -9999, np.nan, cube))
    np.testing.assert_allclose(scene.wavelength, np.linspace(376.4, 2499.0, BANDS), rtol=1e-6)
    assert scene.good.values.tolist() == [True, True, True, False]
    grid = grid_of(scene)
    assert grid.transform.to_gdal() == (500_000, 30, 0, 4_100_000, 0, -30)
    assert CRS.from_wkt(grid.crs).to_epsg() == epsg
    assert scene.attrs["repairs"] == []


def test_pixels_without_data_are_hidden_in_every_band(cube: np.ndarray, tmp_path: Path) -> None:
    outside = np.zeros((LINES, SAMPLES))
    outside[4] = 1
    path = write_tanager(tmp_path / "a.h5", cube, nodata_pixels=outside)
    assert np.isnan(hsigeo.open_scene(path).values[:, 4]).all()
    assert np.isfinite(hsigeo.open_scene(path).values[:, 5]).all()
    np.testing.assert_array_equal(open_cube(path).read(slice(4, 6), slice(1, 3))[:, 0], -9999)


def test_integers_are_scaled(cube: np.ndarray, tmp_path: Path) -> None:
    stored = np.where(cube == -9999, -9999, cube * 10_000).astype(np.int16)
    scene = hsigeo.open_scene(write_tanager(tmp_path / "a.h5", stored))
    np.testing.assert_allclose(scene.values, np.where(stored == -9999, np.nan, stored / 10_000), rtol=1e-6)


def test_basic_is_placed_by_the_position_of_each_pixel(cube: np.ndarray, tmp_path: Path) -> None:
    line, sample = np.mgrid[0:LINES, 0:SAMPLES]
    lon, lat = -117 + 0.0004 * sample, 35 - 0.0003 * line - 0.0001 * sample
    header = open_cube(write_tanager(tmp_path / "a.h5", cube, ortho=False, positions=(lon, lat))).header
    assert isinstance(header.geolocation, PixelPositions)
    np.testing.assert_array_equal(header.geolocation.y.read(slice(2, 4), slice(None)), lat[2:4])
    assert header.reader_reason == "it holds /HDFEOS/SWATHS/HYP of Tanager"
    scene = hsigeo.open_scene(tmp_path / "a.h5")
    assert scene.longitude.chunks is not None
    cut = scene.isel(y=slice(1, 5), x=[0, 3])
    np.testing.assert_array_equal(cut.longitude, lon[1:5, [0, 3]])
    np.testing.assert_array_equal(cut.latitude, lat[1:5, [0, 3]])


def test_gdal_reads_the_same_numbers(cube: np.ndarray, tmp_path: Path) -> None:
    path = write_tanager(tmp_path / "a.h5", cube)
    name = f'HDF5:"{path}"://HDFEOS/GRIDS/HYP/Data_Fields/surface_reflectance'
    with open_quietly(name) as dataset:
        np.testing.assert_array_equal(dataset.read(), open_cube(path).read(slice(None), slice(None)))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "toa_radiance"}, "holds no Tanager surface_reflectance but toa_radiance; give the file"),
        ({"leave_out": ("corners",)}, "does not hold the corners of the grid"),
        ({"leave_out": ("epsg_code",), "zone": 0}, "neither epsg_code nor a UTM zone"),
        ({"ortho": False}, "has no dataset HDFEOS/SWATHS/HYP/Geolocation Fields/Longitude"),
    ],
)
def test_what_is_missing_is_said_in_one_line(options: dict, reason: str, cube: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=reason) as caught:
        open_cube(write_tanager(tmp_path / "a.h5", cube, **options))
    assert "\n" not in str(caught.value)


def test_a_file_without_wavelengths_is_read_and_that_is_said(cube: np.ndarray, tmp_path: Path) -> None:
    header = open_cube(write_tanager(tmp_path / "a.h5", cube, leave_out=("wavelengths", "fwhm"))).header
    assert header.bands.wavelength is None
    assert "STAC item" in header.repairs[-1]
