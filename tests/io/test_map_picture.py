"""Turned pictures: each pixel must show the scene at its own place, for any rotation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from envi_files import write_envi
from rasterio.warp import Resampling, reproject

from hsigeo.io import open_cube
from hsigeo.io.class_raster import open_map
from hsigeo.io.map_picture import is_placed, make_map_picture, metres_per_unit, place_picture, turn_north
from hsigeo.io.quicklook import Look, Picture, decimated_transform, make_picture

UTM33 = rasterio.CRS.from_epsg(32633).to_wkt()


def picture_of(transform: Affine, lines: int = 17, samples: int = 11) -> Picture:
    rgba = np.full((4, lines, samples), 255, dtype=np.uint8)
    rgba[0], rgba[1] = np.mgrid[1 : lines + 1, 1 : samples + 1]
    return Picture(rgba=rgba, step=1, transform=transform, crs=UTM33, bands=(0,))


def turned(degrees: float, *, tall: float = 4.0) -> Affine:
    return Affine.translation(5e5, 4.2e6) @ Affine.rotation(degrees) @ Affine.scale(4, -tall)


@pytest.mark.parametrize("degrees", [-23.5, 30, 45, 90, 135, 180, 269.5])
def test_turning_agrees_with_gdal(degrees: float) -> None:
    picture = picture_of(turned(degrees))
    north = turn_north(picture)
    assert (north.transform.b, north.transform.d) == (0, 0)
    assert north.transform.a > 0 > north.transform.e
    warped = np.zeros_like(north.rgba)
    reproject(
        picture.rgba,
        warped,
        src_transform=picture.transform,
        dst_transform=north.transform,
        src_crs=UTM33,
        dst_crs=UTM33,
        resampling=Resampling.nearest,
    )
    shown = (north.rgba[3] == 255) & (warped[3] == 255)
    assert shown.sum() > 0.9 * (north.rgba[3] == 255).sum()
    # At borders of pixels either neighbour is right.
    assert (np.abs(north.rgba[:2].astype(int) - warped[:2])[:, shown] <= 1).mean() > 0.99
    assert (north.rgba[:, shown] == warped[:, shown]).mean() > 0.95


def test_every_pixel_of_a_turned_picture_shows_the_place_it_lies_at() -> None:
    picture = picture_of(turned(-23.5))
    north = turn_north(picture)
    for row, column in zip(*np.nonzero(north.rgba[3]), strict=True):
        x, y = north.transform @ (column + 0.5, row + 0.5)
        source_column, source_row = ~picture.transform @ (x, y)
        assert north.rgba[0, row, column] == math.floor(source_row) + 1
        assert north.rgba[1, row, column] == math.floor(source_column) + 1


def test_north_up_and_unplaced_pictures_stay_as_they_are() -> None:
    north_up = picture_of(turned(0))
    assert turn_north(north_up) is north_up
    unplaced = picture_of(Affine.identity())
    assert turn_north(unplaced) is unplaced
    assert not is_placed(unplaced)


def test_a_long_line_at_an_angle_does_not_become_a_huge_picture() -> None:
    north = turn_north(picture_of(turned(45), lines=200, samples=200))
    assert max(north.rgba.shape) <= 301


def test_decimated_pixels_keep_their_centres() -> None:
    transform = turned(-23.5)
    for step in (1, 2, 5):
        decimated = decimated_transform(transform, step)
        for column, row in ((0, 0), (3, 2)):
            assert decimated @ (column + 0.5, row + 0.5) == pytest.approx(
                transform @ (column * step + 0.5, row * step + 0.5)
            )


def test_metres_follow_the_crs() -> None:
    assert metres_per_unit(picture_of(turned(0))) == (1.0, 1.0)
    feet = rasterio.CRS.from_epsg(2263).to_wkt()
    picture = picture_of(turned(0))
    object.__setattr__(picture, "crs", feet)
    assert metres_per_unit(picture) == pytest.approx((0.3048, 0.3048), rel=1e-5)
    degrees = picture_of(Affine(0.001, 0, 13, 0, -0.001, 60))
    object.__setattr__(degrees, "crs", rasterio.CRS.from_epsg(4326).to_wkt())
    across, along = metres_per_unit(degrees) or (0, 0)
    assert across / along == pytest.approx(0.5, abs=0.001)
    object.__setattr__(degrees, "crs", None)
    assert metres_per_unit(degrees) is None


@pytest.mark.parametrize("longest_side", [1000, 7, 3])
def test_a_class_map_is_shown_in_its_colours_every_nth_pixel(longest_side: int, tmp_path: Path) -> None:
    ids = (np.arange(20 * 13).reshape(1, 20, 13) % 3).astype("uint8")
    extra = {"class names": "{none, Eiche, 竹}", "class lookup": [0, 0, 0, 10, 20, 30, 200, 100, 50]}
    raster = open_map(write_envi(tmp_path, "map", ids, header_extra=extra))
    picture = make_map_picture(raster, longest_side=longest_side)
    palette = np.array([[0, 0, 0, 0], [10, 20, 30, 255], [200, 100, 50, 255]])
    step = math.ceil(20 / longest_side)
    np.testing.assert_array_equal(picture.rgba.transpose(1, 2, 0), palette[ids[0, ::step, ::step]])


def test_a_swath_is_placed_on_its_map_grid_by_its_lookup_table(tmp_path: Path) -> None:
    from hsigeo.grid import Grid
    from hsigeo.io.geolocation import LookupTable

    class Array:
        def __init__(self, values: np.ndarray) -> None:
            self.values, self.shape = values, values.shape

        def read(self, rows: slice, cols: slice) -> np.ndarray:
            return self.values[rows, cols]

    scene = np.arange(12, dtype="float32").reshape(1, 3, 4)
    picture = make_picture(open_cube(write_envi(tmp_path, "a", scene)), Look())
    sample, line = np.array([[0, 4, 3], [2, 1, 0]]), np.array([[0, 1, 2], [3, 3, 0]])
    table = LookupTable(
        grid=Grid(lines=2, samples=3, transform=Affine(5, 0, 5e5, 0, -5, 4.2e6), crs=UTM33),
        sample=Array(sample),
        line=Array(line),
        shape=(3, 4),
        where="glt",
    )
    placed = place_picture(picture, table, scene_samples=4, longest_side=100)
    assert placed.rgba[3].tolist() == [[0, 255, 255], [255, 255, 0]]
    gray = picture.rgba[0]
    assert placed.rgba[0].tolist() == [[0, gray[0, 3], gray[1, 2]], [gray[2, 1], gray[2, 0], 0]]
    assert placed.transform == table.grid.transform
