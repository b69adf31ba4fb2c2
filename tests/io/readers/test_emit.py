"""EMIT L2A NetCDF, beside xarray and GDAL."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from envi_files import make_encoded_cube
from products.nasa import PIXEL, tilted_lookup, wavelengths, write_emit

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.spool import Spool

BANDS, LINES, SAMPLES = 5, 7, 4


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(BANDS, LINES, SAMPLES, "float32") / 100_000
    values[:, 2, 1] = -9999
    return values


@pytest.fixture
def path(cube: np.ndarray, tmp_path: Path) -> Path:
    return write_emit(tmp_path / "EMIT_L2A_RFL_001.nc", cube, good=np.array([1, 1, 0, 1, 1]))


def test_the_scene_is_the_products_reflectance_in_sensor_geometry(path: Path, cube: np.ndarray) -> None:
    scene = hsigeo.open_scene(path)
    expected = np.where(cube == -9999, np.nan, cube)
    np.testing.assert_array_equal(scene.values, expected)
    np.testing.assert_allclose(scene.wavelength, wavelengths(BANDS))
    assert scene.fwhm.values.tolist() == [8.5] * BANDS
    assert scene.good.values.tolist() == [True, True, False, True, True]
    assert scene.attrs["reader"] == "emit"
    assert scene.attrs["repairs"] == []


def test_xarray_reads_the_same_values(path: Path) -> None:
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        by_xarray = dataset["reflectance"].transpose("bands", "downtrack", "crosstrack").values
    np.testing.assert_array_equal(hsigeo.open_scene(path).values, by_xarray)
    with xr.open_dataset(path, engine="hsigeo") as dataset:
        np.testing.assert_array_equal(dataset["reflectance"].values, by_xarray)


def test_gdal_reads_the_same_numbers(path: Path) -> None:
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(f'netcdf:"{path}":reflectance') as dataset,
    ):
        stored = dataset.read()
    # Without a coordinate variable for the lines GDAL takes the first one for the southernmost.
    np.testing.assert_array_equal(open_cube(path).read(slice(None), slice(None)), stored[:, ::-1])


def test_windows_are_those_of_the_whole(path: Path, cube: np.ndarray) -> None:
    opened = pickle.loads(pickle.dumps(open_cube(path)))
    np.testing.assert_array_equal(opened.read(slice(2, 5), slice(1, 3), slice(1, 4)), cube[1:4, 2:5, 1:3])
    assert opened.read(slice(0, 0), slice(None)).shape == (BANDS, 0, SAMPLES)


def test_the_lookup_table_is_read_by_windows_and_counts_from_zero(path: Path) -> None:
    table = open_cube(path).header.geolocation
    with Spool() as spool, table.lookup(spool) as lookup:
        index = lookup.read(slice(None))
        np.testing.assert_array_equal(lookup.read(slice(2, 5), slice(1, 3)), index[2:5, 1:3])
    glt_x, glt_y = tilted_lookup(LINES, SAMPLES)
    np.testing.assert_array_equal(index, np.where(glt_x > 0, (glt_y - 1) * SAMPLES + glt_x - 1, -1))
    assert lookup.grid.transform == Affine(PIXEL, 0, -118.0, 0, -PIXEL, 34.5)
    assert "4326" in lookup.grid.crs


def test_infilled_neighbours_count_as_the_pixel_they_repeat(cube: np.ndarray, tmp_path: Path) -> None:
    glt_x, glt_y = tilted_lookup(LINES, SAMPLES)
    glt_x[0, 0], glt_y[0, 0] = -3, -2
    table = open_cube(write_emit(tmp_path / "a.nc", cube, glt=(glt_x, glt_y))).header.geolocation
    assert table.read(slice(0, 1))[0, 0] == 1 * SAMPLES + 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"variable": "radiance"}, "holds EMIT radiance .L1B., not reflectance; give the file EMIT_L2A_RFL_"),
        ({"variable": "toa"}, "has no dataset reflectance, where EMIT's reflectance should be; it holds"),
        ({"leave_out": ("glt_y",)}, "has no dataset location/glt_y, where EMIT's lookup table should be"),
        ({"leave_out": ("fwhm",)}, "has no dataset sensor_band_parameters/fwhm"),
        ({"leave_out": ("geotransform",)}, "no attribute geotransform of six numbers"),
    ],
)
def test_what_is_missing_is_said_in_one_line(options: dict, reason: str, cube: np.ndarray, tmp_path: Path) -> None:
    path = write_emit(tmp_path / "a.nc", cube, **options)
    with pytest.raises(SceneError, match=reason) as caught:
        open_cube(path)
    assert "\n" not in str(caught.value)


def test_a_lookup_table_of_another_scene_is_refused(cube: np.ndarray, tmp_path: Path) -> None:
    path = write_emit(tmp_path / "a.nc", cube, glt=tilted_lookup(LINES + 5, SAMPLES))
    with pytest.raises(SceneError, match="so they do not match"):
        open_cube(path).header.geolocation.read(slice(None))
