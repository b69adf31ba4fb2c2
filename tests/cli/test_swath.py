"""A scene in sensor geometry, from polygons to a map, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from products.nasa import FILL, PIXEL, sensor_positions, write_emit
from vector_files import write_vectors

from hsigeo.io.georeference import open_quietly

LINES, SAMPLES, BANDS = 24, 15, 12
ORIGIN = (-118.0, 34.5)
NAMES = ("soil", "水", "tree")


@pytest.fixture
def truth() -> np.ndarray:
    """(line, sample) 0, 1, 2: three stripes of lines."""
    return np.repeat(np.arange(LINES) * 3 // LINES, SAMPLES).reshape(LINES, SAMPLES)


@pytest.fixture
def trained(hsigeo, tmp_path: Path, truth: np.ndarray) -> Path:
    rng = np.random.default_rng(1)
    ramp = np.linspace(0, 1, BANDS)
    shapes = np.stack([0.1 + 0.4 * ramp, 0.05 + 0.02 * ramp, 0.2 + 0.2 * np.sin(6 * ramp)])
    cube = shapes[truth].transpose(2, 0, 1) + rng.normal(0, 0.005, (BANDS, LINES, SAMPLES))
    cube[:, 10, 4] = FILL
    path = write_emit(tmp_path / "EMIT_L2A_RFL.nc", cube.astype(np.float32))
    lon, lat = sensor_positions(LINES, SAMPLES, ORIGIN)
    points, names = [], []
    for line in range(1, LINES, 2):
        for sample in range(0, SAMPLES, 3):
            points.append(shapely.Point(lon[line, sample], lat[line, sample]).buffer(0.4 * PIXEL))
            names.append(NAMES[truth[line, sample]])
    write_vectors(tmp_path / "labels.gpkg", points, {"class": names}, crs="EPSG:4326")
    done = hsigeo("train", path.name, "--labels", "labels.gpkg", "-o", "m.safetensors", "--no-validation")
    assert done.returncode == 0, done.stderr
    assert "EMIT_L2A_RFL.nc: 60 labelled pixels" in done.stderr
    return path


def test_classify_places_labels_on_the_map(hsigeo, trained: Path, tmp_path: Path, truth: np.ndarray) -> None:
    done = hsigeo("classify", trained.name, "--model", "m.safetensors", "-o", "map.tif", "--confidence", "sure.tif")
    assert done.returncode == 0, done.stderr
    assert "placed through the product's geometric lookup table" in done.stderr
    lon, lat = sensor_positions(LINES, SAMPLES, ORIGIN)
    with rasterio.open(tmp_path / "map.tif") as dataset, rasterio.open(tmp_path / "sure.tif") as sure:
        places = list(zip(lon.ravel(), lat.ravel(), strict=True))
        found = np.array(list(dataset.sample(places))).reshape(LINES, SAMPLES)
        confidence = np.array(list(sure.sample(places))).reshape(LINES, SAMPLES)
        assert dataset.read(1)[0, 0] == 0
        assert dataset.crs.to_epsg() == 4326
    ids = np.array([sorted(NAMES).index(name) + 1 for name in NAMES])[truth]
    ids[10, 4] = 0
    assert (found == ids).mean() > 0.97
    assert found[10, 4] == 0
    assert np.isnan(confidence[10, 4])
    assert np.nanmin(confidence) > 1 / 3


def test_sensor_geometry_on_request(hsigeo, trained: Path, tmp_path: Path) -> None:
    done = hsigeo("classify", trained.name, "--model", "m.safetensors", "-o", "map.tif", "--geometry", "sensor")
    assert done.returncode == 0, done.stderr
    with open_quietly(tmp_path / "map.tif") as dataset:
        assert dataset.shape == (LINES, SAMPLES)
        assert dataset.crs is None


def test_info_says_how_the_scene_is_placed(hsigeo, trained: Path) -> None:
    said = hsigeo("info", trained.name).stdout
    assert "reader       emit, because it holds the groups sensor_band_parameters and location of EMIT" in said
    assert "place        in sensor geometry, placed by: geometric lookup table" in said
    assert said.splitlines()[-1].endswith("in sensor geometry; the labels will be placed on a map")
