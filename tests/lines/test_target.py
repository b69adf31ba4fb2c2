from __future__ import annotations

import math

import pytest
import rasterio
from affine import Affine
from campaigns import LONLAT, UTM32, UTM33, make_line_grid

from hsigeo.errors import OutputError
from hsigeo.grid import Grid
from hsigeo.lines.target import choose_grid


def test_the_commonest_crs_and_pixel_size_win():
    grids = [
        make_line_grid(10, 10, size=4, crs=UTM32),
        make_line_grid(10, 10, size=4),
        make_line_grid(10, 10, size=5, turn=70),
        make_line_grid(10, 10, size=4, turn=-13),
    ]

    grid = choose_grid(grids)

    assert rasterio.CRS.from_wkt(grid.crs).to_epsg() == 32633
    assert grid.pixel_size == (4, 4)
    assert grid.rotation == 0


def test_of_equally_common_sizes_the_finest_is_taken():
    assert choose_grid([make_line_grid(9, 9, size=5), make_line_grid(9, 9, size=2)]).pixel_size == (2, 2)


def test_edges_lie_at_multiples_of_the_pixel_size_and_hold_every_map():
    grids = [make_line_grid(33, 21, turn=turn, size=3, east=380_001.3) for turn in (5, 95, -40)]

    grid = choose_grid(grids)

    t = grid.transform
    assert t.c / 3 == round(t.c / 3)
    assert t.f / 3 == round(t.f / 3)
    for line in grids:
        for corner in ((0, 0), (line.samples, 0), (0, line.lines), (line.samples, line.lines)):
            col, row = ~t * (line.transform * corner)
            assert -1e-6 <= col <= grid.samples + 1e-6
            assert -1e-6 <= row <= grid.lines + 1e-6


@pytest.mark.parametrize("north_up", [True, False])
def test_maps_that_lie_on_one_grid_are_not_moved(north_up):
    """Tiles of EnMAP have their edges at odd multiples of half a pixel."""
    tiles = [
        Grid(lines=32, samples=32, transform=Affine(30, 0, x, 0, -30, y), crs=UTM33)
        for x, y in ((366975.0, 5805165.0), (364095.0, 5809965.0), (368895.0, 5805165.0 + 15))
    ]
    if not north_up:
        tiles = [
            Grid(lines=32, samples=32, transform=Affine(30, 0, t.transform.c, 0, 30, t.transform.f - 960), crs=UTM33)
            for t in tiles
        ]

    grid = choose_grid([*tiles, make_line_grid(30, 30, size=30, turn=20, east=366_000)])

    for tile in tiles[:2]:
        col, row = ~grid.transform * (tile.transform.c, tile.transform.f)
        assert (col, row) == (round(col), round(row))
    assert grid.transform.c % 30 == 15


def test_bounds_that_are_multiples_are_kept_to_the_digit():
    grid = choose_grid([make_line_grid(9, 9)], resolution=0.1, bounds=(0.3, 0.1, 0.7, 0.6))

    assert grid.shape == (5, 4)
    assert grid.transform.almost_equals(Affine(0.1, 0, 0.3, 0, -0.1, 0.6))


def test_a_metre_map_on_degrees_gets_pixels_of_about_its_size():
    grid = choose_grid([make_line_grid(50, 50, size=4)], crs="EPSG:4326")

    assert grid.pixel_size[0] == pytest.approx(4 / 111_320, rel=0.7)
    assert rasterio.CRS.from_wkt(grid.crs).is_geographic


def test_longitudes_on_both_sides_of_180_make_a_small_grid():
    grids = [
        Grid(lines=10, samples=10, transform=Affine(0.01, 0, start, 0, -0.01, 5), crs=LONLAT)
        for start in (179.95, -179.98, -180.0)
    ]

    grid = choose_grid(grids)

    assert grid.shape == (10, 17)
    assert grid.transform.c == pytest.approx(179.95)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"crs": "EPSG:0"}, "not a CRS"),
        ({"crs": "no such thing"}, "not a CRS"),
        ({"resolution": 0.0}, "resolution of 0.0"),
        ({"resolution": -4.0}, "resolution of -4.0"),
        ({"resolution": math.nan}, "resolution of nan"),
        ({"crs": "EPSG:4326", "resolution": 30.0}, "a pixel of 30 is larger than the whole extent .* EPSG:4326"),
        ({"bounds": (10.0, 0.0, 0.0, 10.0)}, "enclose nothing"),
        ({"bounds": (0.0, 0.0, math.inf, 10.0)}, "enclose nothing"),
        ({"resolution": 1e-4}, "is the most"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(options, words):
    with pytest.raises(OutputError, match=words):
        choose_grid([make_line_grid(9, 9), make_line_grid(9, 9, east=420_000)], **options)


def test_a_map_on_another_continent_is_a_slip_and_said():
    grids = [make_line_grid(9, 9, size=0.5), make_line_grid(9, 9, size=0.5, north=100_000, crs=UTM33)]

    with pytest.raises(OutputError, match="lie far from"):
        choose_grid([*grids, make_line_grid(9, 9, east=800_000, size=0.5)])
