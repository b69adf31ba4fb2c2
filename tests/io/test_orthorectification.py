"""Known sensor pixels at known places of the map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from classifications import make_result
from products.nasa import PIXEL, sensor_positions, tilted_lookup, write_emit
from products.planet import write_tanager
from rasterio.warp import transform as transform_coordinates
from vector_files import write_vectors

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.labels.swath import labels_on
from hsigeo.io.orthorectification import geolocation_of, orthorectified
from hsigeo.io.spool import Spool

LINES, SAMPLES = 12, 9
ORIGIN = (-118.0, 34.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_emit(tmp_path / "a.nc", np.full((3, LINES, SAMPLES), 0.2, np.float32))


@pytest.fixture
def scene(path: Path):
    return hsigeo.open_scene(path)


def result_of(chunks: tuple[int, int] | None = (5, -1)):
    return make_result(LINES, SAMPLES, grid=Grid(lines=LINES, samples=SAMPLES), chunks=chunks)


@pytest.mark.parametrize("chunks", [None, (5, -1), (5, 4)])
def test_every_label_lands_where_the_lookup_table_says(scene, chunks) -> None:
    result = result_of(chunks)
    glt_x, glt_y = tilted_lookup(LINES, SAMPLES)
    known = glt_x > 0
    with orthorectified(result, geolocation_of(scene)) as placed:
        for name, fill in (("class_id", 0), ("confidence", np.nan), ("probability", np.nan)):
            sensor = result[name].values
            expected = np.full((*sensor.shape[:-2], *known.shape), fill, dtype=sensor.dtype)
            expected[..., known] = sensor[..., glt_y[known] - 1, glt_x[known] - 1]
            np.testing.assert_array_equal(placed[name].values, expected)
            assert placed[name].dtype == result[name].dtype
        assert placed["class_id"].attrs["classes"] == result["class_id"].attrs["classes"]
        assert "geometric lookup table" in placed["class_id"].attrs["metadata"]["repairs"][-1]
        assert "metadata" not in result["class_id"].attrs or not result["class_id"].attrs["metadata"].get("repairs")


def test_the_map_has_each_label_at_the_longitude_and_latitude_of_its_pixel(scene, tmp_path: Path) -> None:
    """As GDAL sees the file: no half-pixel shift."""
    result = result_of()
    with orthorectified(result, geolocation_of(scene), layers=()) as placed:
        hsigeo.write_map(placed, tmp_path / "map.tif")
    lon, lat = sensor_positions(LINES, SAMPLES, ORIGIN)
    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.crs.to_epsg() == 4326
        found = np.array(list(dataset.sample(zip(lon.ravel(), lat.ravel(), strict=True)))).reshape(LINES, SAMPLES)
        # The centre of a pixel, not its corner: a quarter of a pixel to any side is still the same pixel.
        for right, up in ((0.25, 0.25), (-0.25, -0.25)):
            shifted = dataset.sample(zip(lon.ravel() + right * PIXEL, lat.ravel() + up * PIXEL, strict=True))
            np.testing.assert_array_equal(np.array(list(shifted)).reshape(LINES, SAMPLES), found)
    np.testing.assert_array_equal(found, result["class_id"].values)


def test_results_too_large_for_memory_go_to_disk_and_leave_nothing(scene, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("hsigeo.io.orthorectification.Spool", lambda folder, budget: Spool(folder, budget=0))
    folder = tmp_path / "out"
    folder.mkdir()
    result = result_of()
    with orthorectified(result, geolocation_of(scene), folder=folder) as placed:
        assert len(list(folder.iterdir())) == 1
        labels = placed["class_id"].values
    assert list(folder.iterdir()) == []
    assert (np.bincount(labels.ravel())[1:] == np.bincount(result["class_id"].values.ravel())[1:]).all()


def test_a_cut_scene_is_not_placed(scene) -> None:
    with pytest.raises(SceneError, match="was cropped after it was opened"):
        geolocation_of(scene.isel(y=slice(2, 5)))


def test_polygons_find_their_sensor_pixels(scene, tmp_path: Path) -> None:
    lon, lat = sensor_positions(LINES, SAMPLES, ORIGIN)
    wanted = {"a": (3, 4), "b": (7, 0), "c": (11, 8)}
    geometries = [shapely.Point(lon[at], lat[at]).buffer(0.3 * PIXEL) for at in wanted.values()]
    outside = shapely.Point(ORIGIN[0] + 0.2 * PIXEL, ORIGIN[1] - 0.2 * PIXEL).buffer(5 * PIXEL / 10)
    path = write_vectors(tmp_path / "labels.gpkg", [*geometries, outside], {"class": [*wanted, "a"]}, crs="EPSG:4326")
    found = labels_on(hsigeo.open_labels(path), scene)
    by_class = dict(zip(found.class_id, zip(found.row, found.col, strict=True), strict=True))
    assert by_class == {found.classes.names.index(name) + 1: at for name, at in wanted.items()}
    assert found.report.pixels_not_seen == 1


def test_two_classes_on_one_sensor_pixel_are_a_contradiction(tmp_path: Path) -> None:
    glt_x, glt_y = np.array([[1, 1, 2]], np.int32), np.ones((1, 3), np.int32)
    scene = hsigeo.open_scene(
        write_emit(tmp_path / "b.nc", np.full((3, 1, 2), 0.2, np.float32), glt=(glt_x, glt_y), origin=(0.0, 0.0))
    )
    points = [shapely.Point((col + 0.5) * PIXEL, -0.5 * PIXEL) for col in (0, 1, 2)]
    path = write_vectors(tmp_path / "labels.gpkg", points, {"class": ["a", "b", "a"]}, crs="EPSG:4326")
    found = labels_on(hsigeo.open_labels(path), scene)
    assert (found.row.tolist(), found.col.tolist()) == ([0], [1])
    assert found.report.pixels_contradicting == 1


def test_a_raster_of_the_sensors_size_labels_its_pixels_directly(scene, tmp_path: Path) -> None:
    ids = np.zeros((LINES, SAMPLES), np.uint8)
    ids[2, 3], ids[5, 6] = 1, 2
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(
            tmp_path / "labels.tif", "w", driver="GTiff", width=SAMPLES, height=LINES, count=1, dtype="uint8"
        ) as dataset,
    ):
        dataset.write(ids, 1)
    found = labels_on(hsigeo.open_labels(tmp_path / "labels.tif"), scene)
    assert list(zip(found.row, found.col, strict=True)) == [(2, 3), (5, 6)]


def test_positions_place_labels_where_the_pixels_are(tmp_path: Path) -> None:
    line, sample = np.mgrid[0:LINES, 0:SAMPLES]
    lon, lat = -117 + 0.0004 * sample + 0.0001 * line, 35 - 0.0003 * line
    scene = hsigeo.open_scene(
        write_tanager(
            tmp_path / "a.h5", np.full((3, LINES, SAMPLES), 0.2, np.float32), ortho=False, positions=(lon, lat)
        )
    )
    result = result_of()
    with orthorectified(result, geolocation_of(scene), layers=()) as placed:
        hsigeo.write_map(placed, tmp_path / "map.tif")
        assert "nearest sensor pixel, at most" in placed["class_id"].attrs["metadata"]["repairs"][-1]
    with rasterio.open(tmp_path / "map.tif") as dataset:
        x, y = transform_coordinates("EPSG:4326", dataset.crs, lon.ravel(), lat.ravel())
        found = np.array(list(dataset.sample(zip(x, y, strict=True)))).ravel()
        # Where the map pixel that a position falls on has its centre nearest to that position, it has that label.
        col, row = ~dataset.transform @ (np.array(x), np.array(y))
        centre_x, centre_y = dataset.transform @ (np.floor(col) + 0.5, np.floor(row) + 0.5)
    far = np.hypot(centre_x[:, None] - np.array(x), centre_y[:, None] - np.array(y))
    nearest = far.argmin(axis=1)
    np.testing.assert_array_equal(found, result["class_id"].values.ravel()[nearest])
    assert (nearest == np.arange(len(nearest))).mean() > 0.9
