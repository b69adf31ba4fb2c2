"""AVIRIS-3 and -5 NetCDF: on a map as GDAL sees it, and in sensor geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from envi_files import make_encoded_cube
from products.nasa import tilted_lookup, wavelengths, write_aviris, write_aviris_obs
from rasterio.crs import CRS

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.geolocation import LookupTable
from hsigeo.scene import grid_of

BANDS, LINES, SAMPLES = 4, 10, 7
NAME = "AV320250809t182459_000_L2A_OE_a1b2c3_RFL_ORT.nc"


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(BANDS, LINES, SAMPLES, "float32") / 100_000
    values[:, 2, 3] = -9999
    return values


def test_the_orthorectified_scene_is_as_gdal_sees_it(cube: np.ndarray, tmp_path: Path) -> None:
    path = write_aviris(tmp_path / NAME, cube)
    scene = hsigeo.open_scene(path)
    np.testing.assert_array_equal(scene.values, np.where(cube == -9999, np.nan, cube))
    np.testing.assert_allclose(scene.wavelength, wavelengths(BANDS))
    assert scene.attrs["reader"] == "aviris"
    with rasterio.open(f'netcdf:"{path}":/reflectance/reflectance') as dataset:
        np.testing.assert_array_equal(dataset.read(), cube)
        assert dataset.transform == grid_of(scene).transform
        assert dataset.crs == CRS.from_wkt(grid_of(scene).crs)
    assert grid_of(scene).transform.to_gdal() == (500_000, 4.5, 0, 4_000_000, 0, -4.5)


def test_without_a_geotransform_the_centres_of_pixels_say_the_same(cube: np.ndarray, tmp_path: Path) -> None:
    header = open_cube(write_aviris(tmp_path / NAME, cube, leave_out=("GeoTransform",))).header
    assert header.grid.transform.to_gdal() == pytest.approx((500_000, 4.5, 0, 4_000_000, 0, -4.5))
    assert header.grid.is_georeferenced


def test_sensor_geometry_is_placed_by_the_files_own_table(cube: np.ndarray, tmp_path: Path) -> None:
    header = open_cube(write_aviris(tmp_path / NAME, cube, ortho=False)).header
    assert isinstance(header.geolocation, LookupTable)
    glt_x, glt_y = tilted_lookup(LINES, SAMPLES)
    np.testing.assert_array_equal(
        header.geolocation.read(slice(None)), np.where(glt_x > 0, (glt_y - 1) * SAMPLES + glt_x - 1, -1)
    )
    assert header.geolocation.grid.transform.to_gdal() == (500_000, 4.5, 0, 4_000_000, 0, -4.5)


def test_sensor_geometry_is_placed_by_the_obs_file_of_the_line(cube: np.ndarray, tmp_path: Path) -> None:
    path = write_aviris(tmp_path / "AV320250809t182459_000_L2A_RFL.nc", cube, ortho=False, table=False)
    assert "neither the file nor an OBS file" in open_cube(path).header.repairs[0]
    write_aviris_obs(tmp_path / "AV320250809t182459_001_L1B_OBS.nc", LINES, SAMPLES)
    assert open_cube(path).header.geolocation is None
    write_aviris_obs(tmp_path / "AV320250809t182459_000_L1B_OBS.nc", LINES, SAMPLES)
    header = open_cube(path).header
    assert header.geolocation is not None
    assert header.repairs == ("placed by AV320250809t182459_000_L1B_OBS.nc",)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"product": "radiance"}, "holds AVIRIS radiance .L1B., not reflectance"),
        ({"ortho": False, "leave_out": ("GeoTransform",)}, "no GeoTransform, so its lookup table cannot be placed"),
    ],
)
def test_what_is_missing_is_said_in_one_line(options: dict, reason: str, cube: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=reason) as caught:
        open_cube(write_aviris(tmp_path / NAME, cube, **options))
    assert "\n" not in str(caught.value)
