from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine
from campaigns import LONLAT, UTM33, make_line_grid

from hsigeo.grid import Grid
from hsigeo.lines.coarse import CoarseMask
from hsigeo.lines.swath import find_swath


def mask_of(classified: np.ndarray) -> CoarseMask:
    return CoarseMask(classified=classified, cell=(1.0, 1.0))


@pytest.mark.parametrize("turn", [0.0, 23.0, -140.0, 89.0])
def test_the_middle_column_of_a_turned_line_is_its_centre(turn):
    grid = make_line_grid(200, 51, turn=turn, size=4)

    swath = find_swath(grid, mask_of(np.ones(grid.shape, dtype=bool)))

    rows, cols = np.full(51, 100), np.arange(51)
    assert np.abs(swath.distance(rows, cols)) == pytest.approx(4 * np.abs(cols - 25), abs=2)
    assert swath.half_width == pytest.approx(51 * 4 / 2, rel=0.05)


def test_a_swath_that_lies_askew_in_a_north_up_raster_is_found():
    grid = Grid(lines=400, samples=300, transform=Affine(2, 0, 380000, 0, -2, 5820000), crs=UTM33)
    rows, cols = np.indices(grid.shape)
    across = ((cols - 150) * math.cos(0.4) + (rows - 200) * math.sin(0.4)) * 2
    along = ((rows - 200) * math.cos(0.4) - (cols - 150) * math.sin(0.4)) * 2
    ragged = 60 + 4 * np.sin(along / 13)
    swath = find_swath(grid, mask_of((np.abs(across) < ragged) & (np.abs(along) < 320)))

    assert np.abs(swath.distance(rows, cols) - across).max() < 12
    assert np.abs(swath.distance(np.array([200]), np.array([150]))) < 2


def test_the_side_towards_the_east_is_positive_whichever_way_the_line_was_flown():
    for turn in (10.0, 190.0):
        grid = make_line_grid(200, 50, turn=turn)
        swath = find_swath(grid, mask_of(np.ones(grid.shape, dtype=bool)))
        west, east = sorted((0, 49), key=lambda col: (grid.transform * (col, 100))[0])
        assert swath.distance(np.array([100]), np.array([west])) < 0 < swath.distance(np.array([100]), np.array([east]))


def test_distances_are_metres_also_where_the_map_is_in_degrees():
    grid = Grid(lines=300, samples=40, transform=Affine(1e-4, 0, 13, 0, -1e-4, 60), crs=LONLAT)

    swath = find_swath(grid, mask_of(np.ones(grid.shape, dtype=bool)))

    assert swath.half_width == pytest.approx(20 * 1e-4 * 111_320 * math.cos(math.radians(60)), rel=0.02)


def test_a_piece_that_is_not_clearly_longer_than_wide_follows_its_rows():
    grid = make_line_grid(60, 61, turn=30)

    swath = find_swath(grid, mask_of(np.ones(grid.shape, dtype=bool)))

    assert np.abs(swath.distance(np.array([0, 30, 59]), np.array([30, 30, 30]))).max() < 4


def test_a_map_that_says_nothing_has_no_centre():
    grid = make_line_grid(20, 10)

    swath = find_swath(grid, mask_of(np.zeros(grid.shape, dtype=bool)))

    assert math.isnan(swath.half_width)
