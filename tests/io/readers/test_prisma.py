"""PRISMA: two cubes, downwards, with absent and overlapping bands, scaled between limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from products.asi import LIMITS, SWIR, VNIR, write_prisma

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.geolocation import PixelPositions
from hsigeo.scene import grid_of

LINES, SAMPLES = 6, 5


@pytest.fixture
def cubes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    found = {
        name: rng.integers(1, 65_535, (len(bands), LINES, SAMPLES)).astype(np.uint16)
        for name, bands in (("vnir", VNIR), ("swir", SWIR))
    }
    for cube in found.values():
        cube[:, 0, :2] = 0
    found["swir"][:, 3, 3] = 0  # dark in one of the two, so a measurement
    return found


def plain(cubes: dict[str, np.ndarray]) -> tuple[np.ndarray, list[float]]:
    """The documented formula, band by band."""
    bands, centres = [], []
    for name, wavelength in (("Vnir", VNIR), ("Swir", SWIR)):
        low, high = (float(np.float32(limit)) for limit in LIMITS[name])
        for band in np.argsort(wavelength):
            if wavelength[band] > 0:
                bands.append(low + cubes[name.lower()][band] / 65_535 * (high - low))
                centres.append(wavelength[band])
    cube = np.array(bands)
    cube[:, 0, :2] = np.nan
    return cube, centres


def test_the_scene_follows_the_products_formula(cubes: dict, tmp_path: Path) -> None:
    scene = hsigeo.open_scene(write_prisma(tmp_path / "PRS_L2D_STD.he5", **cubes))
    expected, centres = plain(cubes)
    np.testing.assert_allclose(scene.values, expected, rtol=1e-6)
    np.testing.assert_allclose(scene.wavelength, centres, rtol=1e-6)
    np.testing.assert_allclose(scene.fwhm, 10 + np.array(centres) / 1000, rtol=1e-6)
    # 967.4 and 977.4 lie beyond 943.4, where the second spectrometer begins.
    assert scene.good.values.tolist() == [True, True, False, False, True, True, True, True, True]
    good = scene.wavelength.values[scene.good.values]
    assert (np.diff(good) > 0).all()
    assert scene.attrs["repairs"] == ["2 VNIR bands that overlap the SWIR spectrometer were marked bad"]


@pytest.mark.parametrize("corners", ["centres", "outer"])
def test_the_corners_are_those_that_make_pixels_of_30_m(corners: str, cubes: dict, tmp_path: Path) -> None:
    grid = grid_of(hsigeo.open_scene(write_prisma(tmp_path / "a.he5", **cubes, corners=corners)))
    assert grid.transform.to_gdal() == pytest.approx((600_000, 30, 0, 4_500_000, 0, -30))
    assert rasterio.CRS.from_wkt(grid.crs).to_epsg() == 32632


def test_bands_and_windows_are_those_of_the_whole(cubes: dict, tmp_path: Path) -> None:
    cube = open_cube(write_prisma(tmp_path / "a.he5", **cubes))
    whole = cube.read(slice(None), slice(None))
    for bands in (slice(0, 1), slice(1, 3), slice(3, 6), slice(5, 9)):
        np.testing.assert_array_equal(
            cube.read(slice(0, 4), slice(1, 5), bands), whole[bands, 0:4, 1:5], err_msg=str(bands)
        )


def test_the_error_matrix_hides_what_was_invalid(cubes: dict, tmp_path: Path) -> None:
    errors = {name: np.zeros(cubes[name.lower()].shape, np.uint8) for name in ("Vnir", "Swir")}
    errors["Vnir"][2, 4, 1] = 1  # 500 nm
    errors["Swir"][1, 4, 1] = 2  # negative before it was clipped: a measurement
    scene = hsigeo.open_scene(write_prisma(tmp_path / "a.he5", **cubes, errors=errors))
    hidden = np.argwhere(np.isnan(scene.values[:, 1:]))
    assert hidden.tolist() == [[1, 3, 1]]
    assert scene.wavelength.values[1] == 500


def test_gdal_reads_the_same_numbers_with_other_axes(cubes: dict, tmp_path: Path) -> None:
    path = write_prisma(tmp_path / "a.he5", **cubes)
    name = f'HDF5:"{path}"://HDFEOS/SWATHS/PRS_L2D_HCO/Data_Fields/VNIR_Cube'
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(name) as dataset:
        by_gdal = dataset.read()  # (line, band, sample)
    stored = open_cube(path).stored.read(slice(None), slice(None), slice(0, 4))
    np.testing.assert_array_equal(stored, by_gdal.transpose(1, 0, 2)[[3, 2, 1, 0]])


def test_l2c_lies_in_sensor_geometry(cubes: dict, tmp_path: Path) -> None:
    line, sample = np.mgrid[0:LINES, 0:SAMPLES]
    positions = (9 + 0.0004 * sample + 0.0001 * line, 45 - 0.00027 * line)
    header = open_cube(write_prisma(tmp_path / "a.he5", **cubes, level="L2C", positions=positions)).header
    assert isinstance(header.geolocation, PixelPositions)
    np.testing.assert_array_equal(header.geolocation.x.read(slice(1, 3), slice(None)), positions[0][1:3])
    assert not header.grid.has_transform


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"level": "L1"}, "is PRISMA L1; hsigeo reads reflectance: L2D"),
        ({"leave_out": ("Swir_Cube",)}, "has no dataset HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/SWIR_Cube"),
        ({"leave_out": ("L2ScaleVnirMax",)}, "L2ScaleVnirMin and Max are 0.0 and None"),
        ({"leave_out": ("List_Cw_Swir",)}, "has no List_Cw_Swir for the 6 bands"),
        ({"leave_out": ("Epsg_Code",)}, "has no georeference: Epsg_Code missing"),
    ],
)
def test_what_is_missing_is_said_in_one_line(options: dict, reason: str, cubes: dict, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=reason) as caught:
        open_cube(write_prisma(tmp_path / "a.he5", **cubes, **options))
    assert "\n" not in str(caught.value)
