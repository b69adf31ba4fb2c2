"""GDAL, which cuts at the 180th meridian too, is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import shapely
import shapely.geometry
from affine import Affine
from campaigns import LONLAT, UTM32, make_line_grid
from rasterio.warp import transform_geom

from hsigeo.grid import Grid
from hsigeo.lines.coarse import CoarseMask
from hsigeo.lines.footprint import find_footprint

WEB = rasterio.CRS.from_epsg(3857).to_wkt()


def outline_by_gdal(grid: Grid):
    """The raster's edge with many corners, taken to longitude and latitude by GDAL."""
    edge = shapely.segmentize(shapely.box(0, 0, grid.samples, grid.lines), 1)
    corners = [grid.transform * corner for corner in shapely.get_coordinates(edge).tolist()]
    moved = transform_geom(
        grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [corners]}, antimeridian_cutting=True
    )
    return shapely.geometry.shape(moved)


def near_180(epsg: int, latitude: float) -> Grid:
    x, y = rasterio.warp.transform("EPSG:4326", f"EPSG:{epsg}", [180.0], [latitude])
    return make_line_grid(
        80, 50, east=x[0] - 150, north=y[0], size=5, turn=15, crs=rasterio.CRS.from_epsg(epsg).to_wkt()
    )


@pytest.mark.parametrize(
    "grid",
    [
        make_line_grid(90, 41),
        make_line_grid(90, 41, turn=-140, size=100, crs=UTM32),
        Grid(lines=60, samples=80, transform=Affine(5e-5, 1e-5, 13.2, 1e-5, -4e-5, 52.5), crs=LONLAT),
        Grid(lines=50, samples=70, transform=Affine(4, 0, 1e6, 0, 4, 6e6), crs=WEB),
        near_180(32760, -17),
        near_180(32701, -17),
        # Conic projections: their cone does not reach the other pole.
        make_line_grid(90, 41, east=700_000, north=6_600_000, crs=rasterio.CRS.from_epsg(2154).to_wkt()),
        make_line_grid(90, 41, east=980_000, north=190_000, crs=rasterio.CRS.from_epsg(2263).to_wkt()),
    ],
)
def test_the_outline_is_that_of_gdal(grid):
    footprint = find_footprint(grid)

    ours, theirs = shapely.geometry.shape(footprint.geometry), outline_by_gdal(grid)
    assert ours.is_valid
    assert ours.geom_type == theirs.geom_type
    assert ours.symmetric_difference(theirs).area < 2e-3 * theirs.area


def test_a_line_across_the_180th_meridian_has_two_parts_and_a_box_from_east_to_west():
    footprint = find_footprint(near_180(32760, -17))

    west, south, east, north = footprint.bbox
    assert footprint.geometry["type"] == "MultiPolygon"
    assert 179 < west < 180
    assert -180 < east < -179
    assert south < -17 < north
    for polygon in footprint.geometry["coordinates"]:
        longitudes = [point[0] for point in polygon[0]]
        assert max(longitudes) - min(longitudes) < 1


@pytest.mark.parametrize("left", [-180.00000000000003, -180.0, 170.00000000000003])
def test_a_tile_that_ends_at_the_180th_meridian_is_one_piece(left):
    tile = Grid(lines=70, samples=100, transform=Affine(0.1, 0, left, 0, -0.1, 5), crs=LONLAT)
    footprint = find_footprint(tile)
    assert footprint.geometry["type"] == "Polygon"
    assert footprint.bbox == (round(left), -2, round(left) + 10, 5)


def test_the_whole_earth_is_one_piece():
    earth = Grid(lines=200, samples=7, transform=Affine(360 / 7, 0, -180, 0, -0.9, 90), crs=LONLAT)
    footprint = find_footprint(earth)
    assert footprint.bbox == (-180, -90, 180, 90)
    assert shapely.geometry.shape(footprint.geometry).area == pytest.approx(360 * 180)


def test_rings_run_counter_clockwise():
    for grid in (make_line_grid(20, 10), near_180(32760, -17)):
        shape = shapely.geometry.shape(find_footprint(grid).geometry)
        assert all(part.exterior.is_ccw for part in getattr(shape, "geoms", [shape]))


@pytest.mark.parametrize(("epsg", "pole"), [(3413, 90), (3031, -90)])
def test_a_map_around_a_pole_reaches_it(epsg, pole):
    crs = rasterio.CRS.from_epsg(epsg).to_wkt()
    grid = Grid(lines=100, samples=90, transform=Affine(1000, 0, -40_000, 0, -1000, 55_000), crs=crs)

    footprint = find_footprint(grid)

    shape = shapely.geometry.shape(footprint.geometry)
    assert shape.is_valid
    assert footprint.bbox[0], footprint.bbox[2] == (-180, 180)
    assert pole in (footprint.bbox[1], footprint.bbox[3])
    assert shape.covers(shapely.Point(77, pole * 0.9995))
    assert not shape.covers(shapely.Point(77, pole * 0.98))


def test_a_swath_that_lies_askew_is_outlined_where_it_says_something():
    grid = Grid(lines=120, samples=100, transform=Affine(4, 0, 380000, 0, -4, 5820000), crs=make_line_grid(1, 1).crs)
    rows, cols = np.indices(grid.shape)
    swath = np.abs(rows - cols - 10) < 25

    footprint = find_footprint(grid, CoarseMask(classified=swath, cell=(1.0, 1.0)))

    outline = shapely.geometry.shape(footprint.geometry)
    points = [grid.transform * (col + 0.5, row + 0.5) for row, col in zip(*np.nonzero(swath), strict=True)]
    xs, ys = rasterio.warp.transform(grid.crs, "EPSG:4326", *map(list, zip(*points, strict=True)))
    assert shapely.contains_xy(outline.buffer(1e-6), xs, ys).all()
    whole = shapely.geometry.shape(find_footprint(grid).geometry)
    assert outline.area < 0.7 * whole.area


def test_no_place_no_outline():
    assert find_footprint(Grid(lines=3, samples=3)) is None
    assert find_footprint(Grid(lines=3, samples=3, crs=LONLAT)) is None
