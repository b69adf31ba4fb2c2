from __future__ import annotations

import time
import tracemalloc
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
import rasterio
import rioxarray
import xarray as xr
from envi_files import header_text, make_encoded_cube, write_envi
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning

import hsigeo
from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io import open_cube
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.scene_reader import CubeArray, cube_behind, stored_numbers
from hsigeo.scene import grid_of

UTM = "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters}"
ROTATED = "{UTM, 3, 2, 500000, 4200000, 5, 2, 33, North, WGS-84, units=Meters, rotation=-23.5}"


@dataclass
class RecordingCube:
    """A cube that remembers how it was read."""

    cube: Cube
    reads: list[tuple[slice, slice, slice]] = field(default_factory=list)

    @property
    def header(self) -> CubeHeader:
        return self.cube.header

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> Any:
        self.reads.append((bands, rows, cols))
        return self.cube.read(rows, cols, bands)


def test_scene_holds_the_scaled_values_and_nan_for_no_data(tmp_path: Path) -> None:
    stored = np.array([[[100, -99], [0, 10000]], [[1, 2], [-99, 4]]], dtype="int16")
    extra = {"data ignore value": -99, "reflectance scale factor": 10000}
    scene = hsigeo.open_scene(write_envi(tmp_path, "a", stored, header_extra=extra))
    assert scene.dims == ("band", "y", "x")
    assert scene.dtype == np.float32
    expected = np.where(stored == -99, np.nan, stored / 10000).astype("float32")
    np.testing.assert_allclose(scene.values, expected, rtol=1e-6)
    assert scene.attrs["source"] == str(tmp_path / "a.hdr")
    assert scene.attrs["repairs"] == []


def test_gains_and_offsets_apply_to_their_own_bands(tmp_path: Path) -> None:
    stored = make_encoded_cube(3, 2, 2)
    extra = {"data gain values": [1, 2, 0.5], "data offset values": [0, -1, 10]}
    path = write_envi(tmp_path, "a", stored, header_extra=extra)
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(path.with_suffix(".img")) as dataset,
    ):
        scaled = stored * np.array(dataset.scales)[:, None, None] + np.array(dataset.offsets)[:, None, None]
    scene = hsigeo.open_scene(path)
    np.testing.assert_allclose(scene.values, scaled, rtol=1e-6)
    np.testing.assert_allclose(scene[2, 1].values, scaled[2, 1], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64", "float64"])
def test_wide_types_are_scaled_before_they_are_rounded(dtype: str, tmp_path: Path) -> None:
    stored = np.array([[[2**30 + 1, 2**30 + 65]]], dtype=dtype)
    extra = {"data offset values": [-(2.0**30)]}
    scene = hsigeo.open_scene(write_envi(tmp_path, "a", stored, header_extra=extra))
    assert scene.values.tolist() == [[[1.0, 65.0]]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_no_data(value: float, tmp_path: Path) -> None:
    stored = np.array([[[1.0, value]]], dtype="float32")
    assert np.isnan(hsigeo.open_scene(write_envi(tmp_path, "a", stored)).values[0, 0, 1])


def test_no_data_is_compared_as_stored(tmp_path: Path) -> None:
    stored = np.array([[[0.1, 0.2]]], dtype="float32")  # 0.1 in float32 is not 0.1
    scene = hsigeo.open_scene(write_envi(tmp_path, "a", stored, header_extra={"data ignore value": 0.1}))
    assert np.isnan(scene.values).tolist() == [[[True, False]]]


@pytest.mark.parametrize("map_info", [UTM, ROTATED])
def test_rioxarray_sees_crs_and_transform(map_info: str, tmp_path: Path) -> None:
    assert rioxarray is not None
    path = write_envi(tmp_path, "a", make_encoded_cube(1, 4, 3), header_extra={"map info": map_info})
    scene = hsigeo.open_scene(path)
    assert scene.rio.crs == CRS.from_epsg(32633)
    assert scene.rio.transform() == grid_of(scene).transform == open_cube(path).header.grid.transform
    assert ("x" in scene.coords) == (map_info == UTM)


def test_spectral_axis_is_in_nm_with_bad_bands(tmp_path: Path) -> None:
    extra = {"wavelength": [0.4, 0.5], "wavelength units": "Micrometers", "fwhm": [0.01, 0.02], "bbl": [1.0, 0.0]}
    scene = hsigeo.open_scene(write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2), header_extra=extra))
    np.testing.assert_allclose(scene.wavelength, [400, 500])
    np.testing.assert_allclose(scene.fwhm, [10, 20])
    assert scene.good.values.tolist() == [True, False]
    assert scene.band.values.tolist() == [1, 2]


def test_opening_twenty_gigabytes_takes_no_time_and_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "big.img").open("wb") as file:
        file.truncate(20_000_000_000)  # sparse: takes no disk
    fields = {"samples": 1000, "lines": 50_000, "bands": 200, "data type": 2, "interleave": "bil", "byte order": 0}
    (tmp_path / "big.hdr").write_text(header_text(fields))
    tracemalloc.start()
    started = time.perf_counter()
    scene = hsigeo.open_scene(tmp_path / "big.hdr")
    corner = scene[:, -1, -1].values
    seconds, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert scene.shape == (200, 50_000, 1000)
    assert (corner == 0).all()
    assert seconds < 5
    assert peak < 100 << 20


def test_slicing_a_scene_slices_the_read(tmp_path: Path) -> None:
    encoded = make_encoded_cube(6, 8, 5)
    recorder = RecordingCube(open_cube(write_envi(tmp_path, "a", encoded, interleave="bsq")))
    array = CubeArray(recorder)
    np.testing.assert_array_equal(array[2:4, 3, ::-2], encoded[2:4, 3, ::-2])
    np.testing.assert_array_equal(array[[4, 1], 3:5, 2], encoded[[4, 1], 3:5, 2])
    assert array[2:2, :, []].shape == (0, 8, 0)
    assert recorder.reads[:2] == [
        (slice(2, 4), slice(3, 4), slice(0, 5)),
        (slice(1, 5), slice(3, 5), slice(2, 3)),
    ]


def test_slices_reach_the_reader_through_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(6, 8, 5), interleave="bsq")
    recorder = RecordingCube(open_cube(path))
    monkeypatch.setattr("hsigeo.io.scene_reader.open_cube", lambda _, *, reader: recorder)
    with dask.config.set(scheduler="synchronous"):
        hsigeo.open_scene(path)[2, 3:5].compute()
    (bands, rows, cols) = recorder.reads[0]
    assert (bands, rows, cols) == (slice(2, 3), slice(3, 5), slice(0, 5))


def test_any_selection_is_that_of_the_values(tmp_path: Path) -> None:
    encoded = make_encoded_cube(6, 8, 5, "float32")
    scene = hsigeo.open_scene(write_envi(tmp_path, "a", encoded), chunks={"y": 3, "x": 2})
    for key in ((4,), (slice(None), 7), ([5, 0, 3],), ([1, 2], slice(1, 7), slice(None, None, -1)), (..., [4, 0])):
        np.testing.assert_array_equal(scene[key].values, encoded[key])
    np.testing.assert_array_equal(scene[:, 2][[0, 3]][:, [4, 1]].values, encoded[:, 2][[0, 3]][:, [4, 1]])


def test_chunks_are_full_width_strips_by_default_and_as_asked_else(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(3, 9, 7))
    assert hsigeo.open_scene(path).chunks == ((3,), (9,), (7,))
    assert hsigeo.open_scene(path, chunks={"y": 4, "band": -1}).chunks == ((3,), (4, 4, 1), (7,))
    with pytest.raises(ValueError, match="line"):
        hsigeo.open_scene(path, chunks={"line": 4})


def test_chunking_never_changes_the_values(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(5, 9, 7), interleave="bip")
    whole = hsigeo.open_scene(path).values
    for chunks in ({"band": 2}, {"y": 1}, {"x": 3, "y": 2}, {"band": 1, "y": 4, "x": 1}):
        np.testing.assert_array_equal(hsigeo.open_scene(path, chunks=chunks).values, whole)


def test_token_follows_the_content_of_the_file(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(1, 2, 2))
    first = hsigeo.open_scene(path).data.name
    assert hsigeo.open_scene(path).data.name == first
    write_envi(tmp_path, "a", make_encoded_cube(1, 2, 2) + 1)
    assert hsigeo.open_scene(path).data.name != first


def test_xarray_opens_scenes_by_engine_and_headers_by_name(tmp_path: Path) -> None:
    extra = {"map info": UTM, "wavelength": [400, 500], "wavelength units": "nm"}
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 6, 5), header_extra=extra)
    expected = hsigeo.open_scene(path)
    for opened in (
        xr.open_dataarray(path, engine="hsigeo"),
        xr.open_dataarray(path.with_suffix(".img"), engine="hsigeo"),
        xr.open_dataarray(path, chunks={}),
        xr.open_dataset(str(path), engine="hsigeo", drop_variables=["fwhm"])["reflectance"],
    ):
        xr.testing.assert_equal(opened, expected)
        assert grid_of(opened) == grid_of(expected)
        np.testing.assert_array_equal(opened[1, ::2, [0, 3]].values, expected.values[1, ::2][:, [0, 3]])
    assert xr.open_dataarray(path, engine="hsigeo", chunks={}).chunks == expected.chunks


def test_xarray_reads_nothing_before_values_are_asked_for(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 6, 5))
    scene = xr.open_dataarray(path, engine="hsigeo")
    path.with_suffix(".img").unlink()
    assert scene.shape == (2, 6, 5)
    with pytest.raises(SceneError, match="cannot be read"):
        scene.values  # noqa: B018


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"CDF\x02", "NetCDF"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (b"<VRTDataset rasterXSize", "VRT"),
        (b"<GDAL_WMS>", "not a raster that hsigeo reads"),
        (b"", "not a raster that hsigeo reads"),
    ],
)
def test_other_formats_are_refused_with_what_would_do(start: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.img"
    path.write_bytes(start)
    with pytest.raises(SceneError, match=message):
        hsigeo.open_scene(path)


def test_what_is_not_there_or_a_folder_is_said(tmp_path: Path) -> None:
    for name in ("none.hdr", "none.tif", "none"):
        with pytest.raises(SceneNotFoundError, match="no such file"):
            hsigeo.open_scene(tmp_path / name)
    with pytest.raises(SceneError, match="is a folder"):
        hsigeo.open_scene(tmp_path)


def test_raster_with_an_esri_header_is_read_through_gdal(tmp_path: Path) -> None:
    (tmp_path / "a.bil").write_bytes(make_encoded_cube(1, 2, 3, "uint8").tobytes())
    (tmp_path / "a.hdr").write_text("BYTEORDER I\nLAYOUT BIL\nNROWS 2\nNCOLS 3\nNBANDS 1\nNBITS 8\n")
    assert open_cube(tmp_path / "a.bil").header.format == "EHdr"


@pytest.mark.parametrize("form", ["envi", "geotiff"])
def test_a_scene_opened_by_a_relative_path_can_be_read_from_another_folder(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = make_encoded_cube(2, 3, 4)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    if form == "envi":
        name = write_envi(Path(), "scene", cube, header_extra={"reflectance scale factor": 1}).name
    else:
        name = "scene.tif"
        profile = {"driver": "GTiff", "count": 2, "height": 3, "width": 4, "dtype": "float32", "crs": "EPSG:32633"}
        with rasterio.open(name, "w", **profile, transform=rasterio.Affine(5, 0, 5e5, 0, -5, 4e6)) as dataset:
            dataset.write(cube.astype("float32"))

    scene = hsigeo.open_scene(name)
    monkeypatch.chdir(tmp_path / "elsewhere")

    np.testing.assert_array_equal(scene.values, cube)


def test_a_model_given_as_a_scene_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "scene.safetensors").write_bytes(bytes(20))

    with pytest.raises(SceneError, match="is a model, not a scene"):
        open_cube(tmp_path / "scene.safetensors")


def test_the_cube_behind_a_scene_is_known_as_long_as_its_values_are_those_of_the_file(tmp_path: Path) -> None:
    encoded = make_encoded_cube(4, 9, 7)
    path = write_envi(tmp_path, "a", encoded, header_extra={"reflectance scale factor": 10_000})
    scene = hsigeo.open_scene(path, chunks={"band": 3, "y": 4})

    cube = cube_behind(scene.assign_attrs(note="more"))

    assert cube is not None
    assert cube.header.path == str(path)
    stored = stored_numbers(scene, cube)
    assert (stored.chunks, stored.dtype) == (scene.data.chunks, encoded.dtype)
    np.testing.assert_array_equal(stored.compute(), encoded)
    np.testing.assert_array_equal(stored[1:3, :, 5].compute(), encoded[1:3, :, 5])
    for changed in (scene + 1, scene[1:], scene.isel(x=slice(None, None, -1)), scene.compute(), scene.chunk(y=2)):
        assert cube_behind(changed) is None
