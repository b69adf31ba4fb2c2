"""Tiles cover a scene, and fit into memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.tiling import COPIES_PER_TILE, TILES_IN_FLIGHT, parse_size, plan_tiles


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 300), st.integers(20_000, 3_000_000))
def test_tiles_cover_every_pixel_exactly_once(lines, samples, bands, memory):
    plan = plan_tiles(lines=lines, samples=samples, bands=bands, max_memory=memory)
    covered = np.zeros((lines, samples), dtype=int)
    for rows, columns in plan:
        covered[rows, columns] += 1
    assert (covered == 1).all()
    assert len(plan) == len(list(plan))


@given(st.integers(1, 10**6), st.integers(1, 10**5), st.integers(1, 500), st.integers(20_000, 2**33))
def test_tiles_in_flight_stay_within_the_memory_they_are_given(lines, samples, bands, memory):
    plan = plan_tiles(lines=lines, samples=samples, bands=bands, max_memory=memory)
    assert plan.rows * plan.columns * bands * 4 * COPIES_PER_TILE * TILES_IN_FLIGHT <= memory


def test_rows_stay_whole_unless_one_row_is_too_much():
    assert plan_tiles(lines=1000, samples=500, bands=200, max_memory=1 << 30).columns == 500
    assert plan_tiles(lines=1000, samples=10**6, bands=200, max_memory=1 << 24).columns < 10**6


def test_memory_for_less_than_a_pixel_is_refused():
    with pytest.raises(ValueError, match="cannot hold one pixel of 400 bands"):
        plan_tiles(lines=1, samples=1, bands=400, max_memory=100)


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512 << 20), ("2g", 2 << 30), ("1.5 GiB", 3 << 29), ("100", 100), ("4kb", 4096)]
)
def test_sizes_are_read_in_the_spellings_people_use(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1G", "many", "1X", "1e9"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
