"""A map that is traced in many strips has the patches of one that GDAL traces in one piece."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from campaigns import LONLAT, make_ids, make_line_grid, write_line
from rasterio.features import shapes

from hsigeo.errors import OutputError
from hsigeo.grid import Grid
from hsigeo.io import open_map
from hsigeo.io.class_areas import measure_pixel_areas
from hsigeo.refinement import patches, polygons
from hsigeo.refinement.patches import trace_patches
from hsigeo.refinement.polygons import write_polygons
from hsigeo.refinement.staged_ids import StagedIds

GRID = make_line_grid(61, 40)


def patchy_ids():
    """Patches within rows and across them, and one from the first row to the last."""
    ids = make_ids(GRID)
    ids[:, 7] = 1
    ids[20:24, 10:30] = 0
    return ids


def traced_at_once(ids, *, diagonal):
    return sorted(
        (shapely.Polygon(outline["coordinates"][0], outline["coordinates"][1:]).wkb, int(number))
        for outline, number in shapes(ids, mask=ids > 0, connectivity=8 if diagonal else 4)
    )


def traced(raster, folder, *, diagonal=False):
    parts = list(trace_patches(raster, measure_pixel_areas(raster.grid), folder, diagonal=diagonal))
    return [
        (outline.wkb, number, area)
        for part in parts
        for outline, number, area in zip(part.outlines, part.ids.tolist(), part.areas.tolist(), strict=True)
    ]


@pytest.mark.parametrize("rows", [1, 7, 60, 61])
@pytest.mark.parametrize("diagonal", [False, True])
def test_the_patches_are_the_same_however_high_the_strips(tmp_path, monkeypatch, rows, diagonal):
    ids = patchy_ids()
    raster = open_map(write_line(tmp_path / "map.tif", GRID, ids))
    monkeypatch.setattr(patches, "STRIP_PIXELS", rows * GRID.samples)

    found = traced(raster, tmp_path, diagonal=diagonal)

    assert sorted((outline, number) for outline, number, _ in found) == traced_at_once(ids, diagonal=diagonal)
    assert [path.name for path in tmp_path.iterdir()] == ["map.tif"]


def test_many_classes_cross_strips_too(tmp_path, monkeypatch):
    ids = patchy_ids().astype(np.uint16) * 300
    path = tmp_path / "map.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint16", "height": GRID.lines, "width": GRID.samples}
    with rasterio.open(path, "w", **profile, transform=GRID.transform, crs=GRID.crs) as dataset:
        dataset.write(ids, 1)
    monkeypatch.setattr(patches, "STRIP_PIXELS", 5 * GRID.samples)

    found = traced(open_map(path), tmp_path)

    assert sorted((outline, number) for outline, number, _ in found) == traced_at_once(ids, diagonal=False)


def test_areas_of_degrees_are_those_of_all_rows_of_a_patch(tmp_path, monkeypatch):
    grid = Grid(lines=61, samples=40, transform=Affine(0.01, 0, 13, 0, -0.01, 60), crs=LONLAT)
    raster = open_map(write_line(tmp_path / "map.tif", grid, patchy_ids()))
    at_once = sorted(traced(raster, tmp_path))
    monkeypatch.setattr(patches, "STRIP_PIXELS", 7 * grid.samples)

    in_strips = sorted(traced(raster, tmp_path))

    assert [each[:2] for each in in_strips] == [each[:2] for each in at_once]
    np.testing.assert_allclose([each[2] for each in in_strips], [each[2] for each in at_once], rtol=1e-14)


def test_strips_leave_one_layer_with_its_style_and_nothing_else(tmp_path, monkeypatch):
    import pyogrio

    raster = open_map(write_line(tmp_path / "map.tif", GRID, patchy_ids()))
    write_polygons(raster, tmp_path / "whole.gpkg")
    monkeypatch.setattr(patches, "STRIP_PIXELS", 7 * GRID.samples)
    monkeypatch.setattr(polygons, "BATCH", 10)

    written = write_polygons(raster, tmp_path / "strips.gpkg")

    def read(name):
        path = tmp_path / f"{name}.gpkg"
        assert pyogrio.list_layers(path)[:, 0].tolist() == [name, "layer_styles"]
        meta, _, outlines, columns = pyogrio.raw.read(path, layer=name)
        rows = sorted(zip(outlines.tolist(), *(column.tolist() for column in columns), strict=True))
        return rows, meta["crs"], list(meta["fields"]), pyogrio.read_info(path, layer=name)["layer_metadata"]

    assert read("strips") == read("whole")
    assert written.count == len(read("whole")[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.tif", "strips.gpkg", "whole.gpkg"]


def test_pixels_that_are_lost_on_the_way_are_missed(tmp_path, monkeypatch):
    raster = open_map(write_line(tmp_path / "map.tif", GRID, patchy_ids()))
    monkeypatch.setattr(patches, "STRIP_PIXELS", 7 * GRID.samples)
    write = StagedIds.write

    def write_half(self, first, ids):
        write(self, first, ids * (first > 30))
        self.pixels += np.count_nonzero(ids * (first <= 30))

    monkeypatch.setattr(StagedIds, "write", write_half)

    with pytest.raises(OutputError, match="the disk may be full or faulty"):
        write_polygons(raster, tmp_path / "map.gpkg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.tif"]
