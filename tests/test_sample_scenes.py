"""The sample scenes are what their README says, small, and made by the script beside them."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.features import rasterize
from rasterio.warp import transform as transform_points

LINES = ("line_1", "line_2")
CLASSES = {
    "Asphalt",
    "Bare soil",
    "Clay tile roof",
    "Crops and lawns",
    "Dry grass",
    "Kaolin quarry",
    "Wald (Laubbäume)",
    "Water",
}


def read_features(path: Path) -> tuple[list[shapely.Geometry], list[str]]:
    """Geometries in the scenes' CRS, and class names."""
    meta, _, geometry, (names,) = pyogrio.raw.read(path, columns=["class"])
    assert meta["crs"] == "EPSG:4326"

    def place(points):
        return np.column_stack(transform_points("EPSG:4326", "EPSG:32633", points[:, 0], points[:, 1]))

    return [shapely.transform(shape, place) for shape in shapely.from_wkb(geometry)], list(names)


@pytest.fixture(scope="module")
def remade(sample_scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remade")
    subprocess.run([sys.executable, str(sample_scenes / "make.py"), str(folder)], check=True, timeout=240)
    return folder


def test_everything_committed_is_smaller_than_ten_megabytes(sample_scenes: Path) -> None:
    size = sum(path.stat().st_size for path in sample_scenes.iterdir() if path.is_file())

    assert size < 10_000_000


@pytest.mark.parametrize("name", LINES)
def test_the_script_makes_the_scenes_that_are_committed(sample_scenes: Path, remade: Path, name: str) -> None:
    assert (remade / f"{name}.hdr").read_text() == (sample_scenes / f"{name}.hdr").read_text()
    new = np.fromfile(remade / f"{name}.img", "<i2")
    committed = np.fromfile(sample_scenes / f"{name}.img", "<i2")

    # exp and sin differ in their last bit between processors, which turns a rounding to int16 now and then.
    assert new.shape == committed.shape
    assert np.abs(new.astype(int) - committed).max() <= 1
    assert np.mean(new != committed) < 1e-3


@pytest.mark.parametrize("name", ["training.gpkg", "validation.gpkg"])
def test_the_script_makes_the_labels_that_are_committed(sample_scenes: Path, remade: Path, name: str) -> None:
    shapes, names = read_features(remade / name)
    committed_shapes, committed_names = read_features(sample_scenes / name)

    assert names == committed_names
    assert all(shapely.equals_exact(shapes, committed_shapes, tolerance=0.01))


@pytest.mark.parametrize("name", LINES)
def test_gdal_sees_a_rotated_grid(sample_scenes: Path, name: str) -> None:
    with rasterio.open(sample_scenes / f"{name}.img") as dataset:
        transform, crs, shape = dataset.transform, dataset.crs, (dataset.count, *dataset.shape)

    assert crs.to_epsg() == 32633
    assert shape == (112, 184, 100)
    angle = math.radians(-23)
    across, along = 4 * math.cos(angle), 4 * math.sin(angle)
    assert transform.almost_equals(Affine(across, along, transform.c, along, -across, transform.f), precision=1e-6)


def test_the_flight_lines_overlap_on_one_pixel_lattice(sample_scenes: Path) -> None:
    datasets = [rasterio.open(sample_scenes / f"{name}.img") for name in LINES]
    try:
        col, row = ~datasets[0].transform @ (datasets[1].transform.c, datasets[1].transform.f)
        first, second = (dataset.read(1) != dataset.nodata for dataset in datasets)
    finally:
        for dataset in datasets:
            dataset.close()
    col, row = round(col), round(row)

    assert np.count_nonzero(first[row:, col:] & second[:-row, : 100 - col]) > 2000


@pytest.mark.parametrize("name", LINES)
def test_bad_bands_are_noise_and_marked(sample_scenes: Path, name: str) -> None:
    with rasterio.open(sample_scenes / f"{name}.img") as dataset:
        tags = {key.lower(): value for key, value in dataset.tags(ns="ENVI").items()}
        cube = dataset.read().astype(float)
    good = np.array([int(value) for value in tags["bbl"].strip("{}").split(",")], dtype=bool)
    wavelength = np.array([float(value) for value in tags["wavelength"].strip("{}").split(",")])

    vapour = ((wavelength >= 1350) & (wavelength <= 1450)) | ((wavelength >= 1800) & (wavelength <= 1950))
    np.testing.assert_array_equal(~good, vapour)
    cube[:, cube[0] == -9999] = np.nan
    mean, spread = np.nanmean(cube, axis=(1, 2)), np.nanstd(np.diff(cube, axis=2), axis=(1, 2))
    assert (mean[~good] / spread[~good]).max() < (mean[good] / spread[good]).min()


@pytest.mark.parametrize("name", ["training.gpkg", "validation.gpkg"])
def test_labels_name_all_eight_classes(sample_scenes: Path, name: str) -> None:
    _, names = read_features(sample_scenes / name)

    assert set(names) == CLASSES


def test_no_validation_point_lies_within_a_pixel_of_a_training_polygon(sample_scenes: Path) -> None:
    polygons, _ = read_features(sample_scenes / "training.gpkg")
    points, _ = read_features(sample_scenes / "validation.gpkg")

    assert shapely.distance(shapely.union_all(polygons), points).min() > 4


def test_every_label_falls_on_data_of_some_line(sample_scenes: Path) -> None:
    points, _ = read_features(sample_scenes / "validation.gpkg")
    polygons, _ = read_features(sample_scenes / "training.gpkg")
    seen: set[int] = set()
    for name in LINES:
        with rasterio.open(sample_scenes / f"{name}.img") as dataset:
            valid = dataset.read(1) != dataset.nodata
            numbered = ((shape, number) for number, shape in enumerate(points + polygons, start=1))
            burnt = rasterize(numbered, valid.shape, transform=dataset.transform, dtype="int32")
        seen.update(np.unique(burnt[valid]).tolist())

    assert seen >= set(range(1, len(points) + len(polygons) + 1))
