"""Zarr stores, beside xarray."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from affine import Affine
from envi_files import make_encoded_cube
from rasterio.crs import CRS

import hsigeo
from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io import open_cube
from hsigeo.scene import grid_of, make_scene

BANDS, LINES, SAMPLES = 3, 7, 5
UTM = CRS.from_epsg(32633).to_wkt()
NORTH_UP = Affine(4, 0, 5e5, 0, -4, 4.2e6)
ROTATED = Affine.translation(5e5, 4.2e6) @ Affine.rotation(30) @ Affine.scale(4, -4)


def scene_of(transform: Affine = NORTH_UP) -> xr.DataArray:
    values = make_encoded_cube(BANDS, LINES, SAMPLES, "float32") / 100_000
    values[:, 2, 1] = np.nan
    bands = BandTable(
        count=BANDS,
        wavelength=np.array([450.0, 550, 650]),
        fwhm=np.array([5.0, 6, 7]),
        good=np.array([True, False, True]),
    )
    return make_scene(
        values, grid=Grid(lines=LINES, samples=SAMPLES, transform=transform, crs=UTM), bands=bands, attrs={}
    )


def write(data: xr.DataArray, path: Path, zarr_format: int = 3, **encoding) -> Path:
    with warnings.catch_warnings(action="ignore"):  # zarr's own, of what version 3 does not standardise yet
        data.to_dataset(name=data.name or "reflectance").to_zarr(
            path, zarr_format=zarr_format, encoding={data.name or "reflectance": encoding} if encoding else None
        )
    return path


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("transform", [NORTH_UP, ROTATED])
def test_a_scene_comes_back_as_it_was_written(zarr_format: int, transform: Affine, tmp_path: Path) -> None:
    written = scene_of(transform)
    read = hsigeo.open_scene(write(written, tmp_path / "a.zarr", zarr_format))
    np.testing.assert_array_equal(read.values, written.values)
    for name in ("wavelength", "fwhm", "good"):
        np.testing.assert_array_equal(read[name], written[name])
    assert grid_of(read).transform.almost_equals(transform, 1e-6)
    assert CRS.from_wkt(grid_of(read).crs).to_epsg() == 32633
    assert read.attrs["reader"] == "zarr"
    assert read.attrs["repairs"] == []


@pytest.mark.parametrize("transform", [NORTH_UP, ROTATED])
def test_a_cut_that_was_written_lies_where_it_was(transform: Affine, tmp_path: Path) -> None:
    cut = scene_of(transform).isel(y=slice(1, None, 2), x=slice(2, None))
    grid = grid_of(cut)
    assert grid.transform.almost_equals(transform @ Affine.translation(2, 0.5) @ Affine.scale(1, 2), 1e-6)
    assert open_cube(write(cut, tmp_path / "a.zarr")).header.grid.transform.almost_equals(grid.transform, 1e-6)


def test_a_store_whose_pixels_are_not_even_is_refused(tmp_path: Path) -> None:
    path = write(scene_of().isel(y=[0, 1, 3, 4, 6]), tmp_path / "a.zarr")
    with pytest.raises(SceneError, match=r"a\.zarr: the y coordinate is not evenly spaced"):
        open_cube(path)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_packed_numbers_and_other_dims_are_read_as_xarray_reads_them(zarr_format: int, tmp_path: Path) -> None:
    data = scene_of().rename({"band": "wavelength_index"}).transpose("y", "x", "wavelength_index")
    path = write(
        data, tmp_path / "a.zarr", zarr_format, dtype="int16", scale_factor=0.0001, _FillValue=-9999, chunks=(3, 5, 3)
    )
    opened = open_cube(path)
    assert (opened.header.interleave, opened.header.dtype, opened.header.nodata) == ("bip", np.int16, -9999)
    with warnings.catch_warnings(action="ignore"), xr.open_zarr(path, chunks=None) as dataset:
        expected = dataset["reflectance"].transpose("wavelength_index", "y", "x").values
    np.testing.assert_allclose(hsigeo.open_scene(path).values, expected, rtol=1e-6)
    np.testing.assert_array_equal(
        opened.read(slice(2, 6), slice(1, 4), slice(1, 3)), opened.read(slice(None), slice(None))[1:3, 2:6, 1:4]
    )


def test_a_store_without_a_scene_says_what_it_holds(tmp_path: Path) -> None:
    path = write(xr.DataArray(np.zeros((2, 3)), dims=("y", "x"), name="height"), tmp_path / "a.zarr")
    with pytest.raises(SceneError, match="holds 0 variables of numbers with three dims"):
        open_cube(path)
    path = write(xr.DataArray(np.zeros((2, 3, 4)), dims=("x", "y", "band"), name="r"), tmp_path / "b.zarr")
    with pytest.raises(SceneError, match=r"has the dims .'x', 'y', 'band'.; a scene has y and x"):
        open_cube(path)


def test_a_cut_store_is_one_line(tmp_path: Path) -> None:
    path = write(scene_of(), tmp_path / "a.zarr")
    (path / "reflectance" / "zarr.json").write_text("{")
    with pytest.raises(SceneError, match=r"cannot be opened as Zarr|holds 0 variables"):
        open_cube(path)


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_codecs_that_run_code_are_refused(place: str, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (Path(tmp_path / "ran").touch, ())

    path = write(scene_of(), tmp_path / "a.zarr", 2)
    meta = path / "reflectance" / ".zarray"
    document = json.loads(meta.read_text())
    codec = {"id": "pickle", "protocol": 5}
    document |= {"filters": [codec], "compressor": None} if place == "filters" else {"compressor": codec}
    meta.write_text(json.dumps(document))
    (path / "reflectance" / "0.0.0").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(SceneError, match=r"stored with pickle, which hsigeo does not decode|cannot be opened as Zarr"):
        open_cube(path).read(slice(None), slice(None))
    assert not (tmp_path / "ran").exists()
