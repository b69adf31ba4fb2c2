"""From real scenes and labels to maps: an ENVI scene with polygons, GeoTIFF tiles with label rasters."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import rasterio

import hsigeo
from hsigeo.scene import grid_of


@pytest.fixture(scope="module")
def berlin(real_data) -> Path:
    return real_data / "berlin" / "enmap80x60"


@pytest.fixture(scope="module")
def potsdam(real_data) -> Path:
    return real_data / "enmap_potsdam"


def map_of(scene, model, path) -> np.ndarray:
    hsigeo.write_map(hsigeo.classify(scene, model), path)
    with rasterio.open(path) as made:
        return made.read(1)


def test_berlin_compressed_envi_with_polygons(berlin, tmp_path):
    scene = hsigeo.open_scene(berlin / "EnMAP_BerlinUrbanGradient.hdr")
    assert scene.wavelength.values[0] == pytest.approx(460)
    labels = hsigeo.open_labels(berlin / "LandCov_BerlinUrbanGradient.shp", field="Level_2")
    model = hsigeo.train(scene, labels, check=False)
    ids = map_of(scene, model, tmp_path / "berlin.tif")
    with (
        rasterio.open(berlin / "EnMAP_BerlinUrbanGradient.bsq") as source,
        rasterio.open(tmp_path / "berlin.tif") as made,
    ):
        assert made.crs == source.crs
        assert made.transform == source.transform
        assert made.nodata == 0
    assert set(np.unique(ids)) <= {0, *model.card.classes.ids}
    assert model.card.classes.names == ("Low vegetation", "Other", "Pavement", "Roof", "Soil", "Tree")
    # A sanity floor, not a benchmark: trees and roofs of the training polygons are mostly recognised.
    pixels = labels.on(grid_of(scene))
    right = ids[pixels.row, pixels.col] == pixels.class_id
    assert right[pixels.class_id == model.card.classes.id_of("Tree")].mean() > 0.7
    assert right.mean() > 0.6


def test_potsdam_tiles_with_label_rasters_from_training_to_unseen_tiles(potsdam, tmp_path):
    with (potsdam / "train_files.csv").open() as file:
        tiles = [potsdam / row["image"] for row in csv.DictReader(file)]
    with (potsdam / "validation_files.csv").open() as file:
        unseen = [potsdam / row["image"] for row in csv.DictReader(file)]
    sources = [hsigeo.open_labels(potsdam / "labels" / tile.name) for tile in tiles]
    model = hsigeo.train([hsigeo.open_scene(tile) for tile in tiles], sources, check=False)
    assert model.card.bands.count == 218
    assert model.card.trained_on_count == 224
    right = total = 0
    for tile in unseen:
        ids = map_of(hsigeo.open_scene(tile), model, tmp_path / tile.name)
        with rasterio.open(tile) as source, rasterio.open(tmp_path / tile.name) as made:
            assert made.crs == source.crs
            assert made.transform == source.transform
        with rasterio.open(potsdam / "labels" / tile.name) as reference:
            truth = reference.read(1).astype(int)
        right += int((ids == truth)[truth > 0].sum())
        total += int((truth > 0).sum())
    assert total == 1206
    # A random forest reaches 74 % on these tiles; far below that, something would be broken.
    assert right / total > 0.6
