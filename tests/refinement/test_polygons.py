"""GDAL rasterises the polygons again, and PROJ's geodesic area is the oracle for degrees."""

from __future__ import annotations

import sqlite3

import numpy as np
import pyogrio
import pytest
import shapely
from affine import Affine
from campaigns import CLASSES, LONLAT, make_ids, make_line_grid, write_line
from pyogrio.errors import FeatureError
from rasterio.features import rasterize

from hsigeo.errors import DiskFullError, OutputError, OutputExistsError
from hsigeo.grid import Grid
from hsigeo.io import open_map
from hsigeo.io.georeference import quiet_about_georeference
from hsigeo.refinement.polygons import write_polygons
from hsigeo.refinement.statistics import measure_classes


def read(path):
    meta, _, wkb, values = pyogrio.raw.read(path, layer=path.stem)
    return meta, shapely.from_wkb(wkb), dict(zip(meta["fields"], values, strict=True))


@pytest.mark.parametrize("diagonal", [False, True])
def test_the_polygons_are_the_map(tmp_path, diagonal):
    grid = make_line_grid(40, 31)
    ids = make_ids(grid)
    raster = open_map(write_line(tmp_path / "map.tif", grid, ids))

    written = write_polygons(raster, tmp_path / "map.gpkg", diagonal=diagonal)

    meta, outlines, columns = read(tmp_path / "map.gpkg")
    assert meta["crs"] == "EPSG:32633"
    assert written.count == len(outlines)
    painted = rasterize(
        zip(outlines, columns["class_id"].tolist(), strict=True), out_shape=grid.shape, transform=grid.transform
    )
    np.testing.assert_array_equal(painted, ids)
    assert columns["pixels"].sum() == (ids > 0).sum()
    np.testing.assert_allclose(columns["area_ha"], shapely.area(outlines) / 10_000, rtol=1e-9)
    names = {entry.id: entry.name for entry in CLASSES}
    assert [names[number] for number in columns["class_id"].tolist()] == columns["class"].tolist()
    assert set(columns["color"]) == {"#{:02x}{:02x}{:02x}".format(*entry.color) for entry in CLASSES}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.gpkg", "map.tif"]


def test_areas_of_degrees_are_those_on_the_ellipsoid(tmp_path):
    pyproj = pytest.importorskip("pyproj")
    grid = Grid(lines=30, samples=20, transform=Affine(0.01, 0, 13, 0, -0.01, 60), crs=LONLAT)
    ids = make_ids(grid)
    raster = open_map(write_line(tmp_path / "map.tif", grid, ids))

    written = write_polygons(raster, tmp_path / "map.gpkg")

    _, outlines, columns = read(tmp_path / "map.gpkg")
    along_parallels = shapely.segmentize(outlines, 0.002)  # an edge between far corners would be a great circle
    geodesic = pyproj.Geod(ellps="WGS84")
    expected = [abs(geodesic.geometry_area_perimeter(outline)[0]) / 10_000 for outline in along_parallels]
    assert "ellipsoid" in written.note
    np.testing.assert_allclose(columns["area_ha"], expected, rtol=2e-5)
    statistics = measure_classes(raster)
    for row in statistics.classes:
        assert row.area == pytest.approx(columns["area_ha"][columns["class_id"] == row.entry.id].sum())
        assert row.pixels == (ids == row.entry.id).sum()
    assert sum(row.share for row in statistics.classes) == pytest.approx(1)
    assert statistics.unclassified_pixels == (ids == 0).sum()


def test_an_empty_map_gives_an_empty_layer(tmp_path):
    grid = make_line_grid(5, 6)
    raster = open_map(write_line(tmp_path / "map.tif", grid, np.zeros(grid.shape, dtype=np.uint8)))

    assert write_polygons(raster, tmp_path / "map.gpkg").count == 0

    with sqlite3.connect(tmp_path / "map.gpkg") as database:
        assert database.execute("select count(*) from map").fetchone() == (0,)
    assert {row.share for row in measure_classes(raster).classes} == {0.0}


def test_a_map_without_a_place_is_measured_in_pixels(tmp_path):
    grid = Grid(lines=6, samples=7)
    with quiet_about_georeference():
        path = write_line(tmp_path / "map.tif", grid, np.ones(grid.shape, dtype=np.uint8))
    raster = open_map(path)

    written = write_polygons(raster, tmp_path / "map.gpkg")

    _, outlines, columns = read(tmp_path / "map.gpkg")
    assert written.unit == "pixels"
    assert "area_ha" not in columns
    assert outlines[0].bounds == (0, -6, 7, 0)
    assert measure_classes(raster).classes[0].area is None


def test_nothing_is_overwritten_unasked(tmp_path):
    grid = make_line_grid(6, 7)
    raster = open_map(write_line(tmp_path / "map.tif", grid, make_ids(grid)))
    (tmp_path / "map.gpkg").write_text("mine")

    with pytest.raises(OutputExistsError):
        write_polygons(raster, tmp_path / "map.gpkg")
    with pytest.raises(OutputError, match=r"\.gpkg"):
        write_polygons(raster, tmp_path / "map.shp")
    write_polygons(raster, tmp_path / "map.gpkg", overwrite=True)

    assert len(read(tmp_path / "map.gpkg")[1])


def test_the_layer_is_the_one_that_programs_take_by_default(tmp_path):
    grid = make_line_grid(6, 7)
    write_polygons(open_map(write_line(tmp_path / "map.tif", grid, make_ids(grid))), tmp_path / "map.gpkg")

    names = [name for name, kind in pyogrio.list_layers(tmp_path / "map.gpkg") if kind is not None]
    with pytest.warns(UserWarning, match=r"'map' \(default\)"):
        taken = pyogrio.read_info(tmp_path / "map.gpkg")["layer_name"]

    assert names == ["map"]
    assert taken == "map"


def test_a_full_disk_is_said_in_one_line_whatever_sqlite_says(tmp_path, monkeypatch):
    def full(*_, **__):
        raise FeatureError("sqlite3_exec(CREATE TABLE …) failed: disk I/O error")

    grid = make_line_grid(6, 7)
    raster = open_map(write_line(tmp_path / "map.tif", grid, make_ids(grid)))
    monkeypatch.setattr(pyogrio.raw, "write", full)
    with pytest.raises(OutputError, match=r"out\.gpkg cannot be written: sqlite3_exec"):
        write_polygons(raster, tmp_path / "out.gpkg")
    monkeypatch.setattr("hsigeo.atomic._free_bytes", lambda folder: 0)
    with pytest.raises(DiskFullError, match="no space is left"):
        write_polygons(raster, tmp_path / "out.gpkg")
    assert not (tmp_path / "out.gpkg").exists()
