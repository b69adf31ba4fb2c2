from __future__ import annotations

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from envi_files import make_encoded_cube
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.geotiff import open_raster

EVERYTHING = slice(None)
PLACE = {"crs": "EPSG:3035", "transform": Affine(5, 0, 500, 0, -5, 900)}


def write_tiff(path: Path, array: Any, *, band_tags: Any = None, descriptions: Any = None, **profile: Any) -> Path:
    array = np.asarray(array)
    count, height, width = array.shape
    known = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": array.dtype.name}
    tags, namespaces = profile.pop("tags", {}), profile.pop("namespaces", {})
    scales, offsets = profile.pop("scales", None), profile.pop("offsets", None)
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(path, "w", **known | profile) as dataset,
    ):
        dataset.write(array)
        dataset.update_tags(**tags)
        for namespace, items in namespaces.items():
            dataset.update_tags(ns=namespace, **items)
        for index in range(count):
            if band_tags:
                dataset.update_tags(index + 1, **band_tags[index])
            if descriptions:
                dataset.set_band_description(index + 1, descriptions[index])
        if scales:
            dataset.scales = scales
        if offsets:
            dataset.offsets = offsets
    return path


@pytest.mark.parametrize("interleave", ["band", "pixel"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("layout", [{}, {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}])
def test_values_are_those_that_were_written(interleave: str, dtype: str, layout: Any, tmp_path: Path) -> None:
    encoded = make_encoded_cube(3, 40, 33, dtype)
    cube = open_raster(write_tiff(tmp_path / "a.tif", encoded, interleave=interleave, **layout))
    values = cube.read(slice(3, 38), slice(1, 30), slice(1, 3))
    assert cube.header.interleave == {"band": "bsq", "pixel": "bip"}[interleave]
    assert values.dtype == cube.header.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(values, encoded[1:3, 3:38, 1:30])
    assert cube.read(slice(2, 2), EVERYTHING).shape == (3, 0, 33)
    memory = np.zeros(values.nbytes + 5, dtype=np.uint8)
    again = cube.read_into(memory, slice(3, 38), slice(1, 30), slice(1, 3))
    np.testing.assert_array_equal(again, values)
    assert np.shares_memory(again, memory)


def test_threads_that_share_a_cube_read_right_values(tmp_path: Path) -> None:
    encoded = make_encoded_cube(4, 64, 64)
    path = write_tiff(tmp_path / "a.tif", encoded, interleave="pixel", tiled=True, blockxsize=16, blockysize=16)
    cube = pickle.loads(pickle.dumps(open_raster(path)))
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda row: cube.read(slice(row, row + 1), EVERYTHING), list(range(64)) * 4))
    for row, values in zip(list(range(64)) * 4, rows, strict=True):
        np.testing.assert_array_equal(values, encoded[:, row : row + 1])


def test_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(1, 4, 4))
    open_raster(path).read(EVERYTHING, EVERYTHING)
    path.unlink()
    write_tiff(path, np.full((1, 5, 5), 7, dtype="int16"))
    assert (open_raster(path).read(EVERYTHING, EVERYTHING) == 7).all()


WAVELENGTH_SOURCES: dict[str, dict[str, Any]] = {
    "band tags": {"band_tags": [{"wavelength": str(w), "wavelength_units": "Micrometers"} for w in (0.45, 0.55, 0.65)]},
    "band tags, other case": {"band_tags": [{"WAVELENGTH": str(w), "Wavelength_Unit": "nm"} for w in (450, 550, 650)]},
    "descriptions": {"descriptions": [f"band {i} ({w} Nanometers)" for i, w in enumerate((450.0, 550.0, 650.0), 1)]},
    "ENVI namespace": {"namespaces": {"ENVI": {"wavelength": "{ 450, 550 , 650 }", "wavelength_units": "Nanometers"}}},
    "dataset tags": {"tags": {"wavelengths": "450 550 650", "wavelength_units": "nm"}},
}


@pytest.mark.parametrize("source", WAVELENGTH_SOURCES)
def test_wavelengths_are_found(source: str, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(3, 2, 2, "float32"), **WAVELENGTH_SOURCES[source])
    bands = open_raster(path).header.bands
    assert bands.wavelength is not None
    np.testing.assert_allclose(bands.wavelength, [450, 550, 650])


def test_rounded_imagery_tags_are_the_last_resort_and_said(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(2, 2, 2, "float32"))
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(path, "r+") as dataset,
    ):
        for index, centre in enumerate(("0.450", "0.551"), start=1):
            dataset.update_tags(index, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=centre, FWHM_UM="0.010")
    header = open_raster(path).header
    assert header.bands.wavelength is not None
    assert header.bands.fwhm is not None
    np.testing.assert_allclose(header.bands.wavelength, [450, 551])
    np.testing.assert_allclose(header.bands.fwhm, [10, 10])
    assert "IMAGERY" in header.repairs[0]


def test_fwhm_and_bad_bands_are_read_from_band_tags(tmp_path: Path) -> None:
    tags = [
        {"wavelength": str(w), "wavelength_units": "nm", "fwhm": "6.5", "bbl": b} for w, b in ((450, "1"), (460, "0"))
    ]
    bands = open_raster(write_tiff(tmp_path / "a.tif", make_encoded_cube(2, 2, 2), band_tags=tags)).header.bands
    assert bands.fwhm is not None
    assert bands.fwhm.tolist() == [6.5, 6.5]
    assert bands.good.tolist() == [True, False]


def test_scales_offsets_and_nodata_are_taken_as_stated(tmp_path: Path) -> None:
    header = open_raster(
        write_tiff(tmp_path / "a.tif", make_encoded_cube(2, 2, 2), scales=(1e-4, 2e-4), offsets=(0, 0.5), nodata=-9999)
    ).header
    np.testing.assert_allclose(header.scaling.gain, [1e-4, 2e-4])
    np.testing.assert_allclose(header.scaling.offset, [0, 0.5])
    assert header.nodata == -9999
    assert header.repairs == ()


def test_sixteen_bit_cube_without_scale_is_taken_as_ten_thousandths_and_said(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(3, 2, 2), **WAVELENGTH_SOURCES["descriptions"])
    header = open_raster(path).header
    np.testing.assert_allclose(header.scaling.gain, 1e-4)
    assert any("16-bit" in repair for repair in header.repairs)


@pytest.mark.parametrize("transform", [Affine(4, 1, 500, 1, -4, 900), Affine(5, 0, 500, 0, -5, 900)])
def test_crs_and_transform_are_exact(transform: Affine, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(1, 2, 2), crs="EPSG:3035", transform=transform)
    grid = open_raster(path).header.grid
    assert grid.transform == transform
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 3035


def test_ground_control_points_keep_their_crs(tmp_path: Path) -> None:
    points = [
        GroundControlPoint(0, 0, 10.0, 50.0),
        GroundControlPoint(0, 2, 11.0, 50.0),
        GroundControlPoint(2, 0, 10.0, 49.0),
    ]
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(1, 2, 2), gcps=points, crs="EPSG:4326")
    grid = open_raster(path).header.grid
    assert [(p.row, p.col, p.x, p.y) for p in grid.ground_control_points] == [(p.row, p.col, p.x, p.y) for p in points]
    assert not grid.has_transform
    assert grid.is_georeferenced


def test_raster_without_georeference_says_so_by_having_none(tmp_path: Path) -> None:
    grid = open_raster(write_tiff(tmp_path / "a.tif", make_encoded_cube(1, 2, 2))).header.grid
    assert grid.crs is None
    assert not grid.has_transform


def test_palette_is_read_without_its_black_filling(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(1, 2, 2, "uint8"))
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(path, "r+") as dataset,
    ):
        dataset.write_colormap(1, {0: (0, 0, 0), 1: (10, 20, 30), 2: (255, 0, 0)})
    header = open_raster(path).header
    assert header.class_colors == ((0, 0, 0), (10, 20, 30), (255, 0, 0))
    assert header.scaling.is_identity


def test_class_names_are_read_from_the_side_file(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(1, 2, 2, "uint8"))
    categories = "<Category>none</Category><Category>Bäume</Category>"
    (tmp_path / "a.tif.aux.xml").write_text(
        f"<PAMDataset><PAMRasterBand band='1'><CategoryNames>{categories}</CategoryNames></PAMRasterBand></PAMDataset>"
    )
    header = open_raster(path).header
    assert header.class_names == ("none", "Bäume")
    assert header.is_classification


def test_complex_values_are_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", np.zeros((1, 2, 2), dtype="complex64"))
    with pytest.raises(SceneError, match="complex64; hsigeo reads integers and real numbers"):
        open_raster(path)


def test_truncated_file_is_an_error_not_zeros(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 999, (3, 64, 64)).astype("int16")
    path = write_tiff(tmp_path / "a.tif", values, compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(SceneError, match=r"a\.tif"):
        open_raster(path).read(EVERYTHING, EVERYTHING)


def test_what_is_no_raster_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("not a raster")
    with pytest.raises(SceneError, match="not a raster") as caught:
        open_raster(tmp_path / "a.tif")
    assert "\n" not in str(caught.value)
    with pytest.raises(SceneNotFoundError, match="No such file"):
        open_raster(tmp_path / "none.tif")


@pytest.mark.parametrize("interleave", ["band", "pixel"])
def test_threads_that_decompress_change_nothing(
    interleave: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = make_encoded_cube(5, 70, 90)
    layout: Any = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate", "interleave": interleave}
    path = write_tiff(tmp_path / "a.tif", encoded, **layout)
    for threads in ("1", "3"):
        monkeypatch.setenv("GDAL_NUM_THREADS", threads)
        copy = path.with_name(f"{threads}.tif")  # a file of its own, opened anew
        copy.write_bytes(path.read_bytes())
        np.testing.assert_array_equal(open_raster(copy).read(slice(3, 60), slice(2, 90)), encoded[:, 3:60, 2:90])


@pytest.mark.parametrize("inside", [True, False])
def test_pixels_outside_a_mask_have_no_data(inside: bool, tmp_path: Path) -> None:
    encoded = make_encoded_cube(3, 40, 33)
    path = write_tiff(tmp_path / "a.tif", encoded, tiled=True, blockxsize=16, blockysize=16, **PLACE)
    mask = np.full((40, 33), 255, dtype=np.uint8)
    mask[:7] = mask[:, 30:] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    assert path.with_name("a.tif.msk").exists() != inside

    cube = open_raster(path)

    with rasterio.open(path) as dataset:
        expected = dataset.read(masked=True, out_dtype="float32").filled(np.nan)
    np.testing.assert_array_equal(cube.read(slice(3, 38), slice(1, 33), slice(1, 3)), expected[1:3, 3:38, 1:33])
    memory = np.zeros(expected.nbytes, dtype=np.uint8)
    np.testing.assert_array_equal(cube.read_into(memory, EVERYTHING, EVERYTHING, EVERYTHING), expected)
    assert cube.header.dtype == np.float32
    assert any("mask" in repair for repair in cube.header.repairs)


def test_mask_that_is_no_tiff_is_not_opened(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", make_encoded_cube(3, 4, 4))
    (tmp_path / "a.tif.msk").write_text('<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand band="1"/>')
    header = open_raster(path).header
    assert header.dtype == np.int16
    assert "a.tif.msk is not a TIFF" in header.repairs[0]


def test_alpha_band_masks_and_is_no_band(tmp_path: Path) -> None:
    encoded = make_encoded_cube(6, 8, 9, "uint16")
    encoded[5] = 65535
    encoded[5, 2:5] = 0
    tags = {"wavelength": "{450, 550, 650, 850, 1650}", "wavelength_units": "nm"}
    path = write_tiff(tmp_path / "a.tif", encoded, tags=tags, scales=(1e-4,) * 6, **PLACE)
    with rasterio.open(path, "r+") as dataset:  # as `gdalwarp -dstalpha` leaves it
        dataset.colorinterp = [*dataset.colorinterp[:5], ColorInterp.alpha]
    cube = open_raster(path)
    assert cube.header.shape == (5, 8, 9)
    assert cube.header.bands.wavelength is not None
    assert "alpha" in cube.header.repairs[0]
    values = cube.read(EVERYTHING, EVERYTHING)
    assert np.isnan(values[:, 2:5]).all()
    np.testing.assert_array_equal(values[:, 5:], encoded[:5, 5:])


def test_infrared_band_that_gdal_marks_as_alpha_stays_a_band(tmp_path: Path) -> None:
    encoded = make_encoded_cube(4, 8, 9, "uint8")
    encoded[3, 0] = 0
    path = write_tiff(tmp_path / "a.tif", encoded, **PLACE)
    with rasterio.open(path) as dataset:
        assert dataset.colorinterp[3].name == "alpha"
    cube = open_raster(path)
    assert cube.header.repairs == ()
    np.testing.assert_array_equal(cube.read(EVERYTHING, EVERYTHING), encoded)


def test_image_description_is_read(tmp_path: Path) -> None:
    tags = {"TIFFTAG_IMAGEDESCRIPTION": "reflectance [* 10000]"}
    header = open_raster(write_tiff(tmp_path / "a.tif", make_encoded_cube(3, 2, 2), tags=tags)).header
    assert header.description == "reflectance [* 10000]"
    np.testing.assert_allclose(header.scaling.gain, 1e-4)
