"""Tiles cover a scene, and fit into memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.tiling import TilePlan, format_size, iter_slices, parse_size, window_plans


@st.composite
def plans_of_windows(draw):
    lines, samples = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    strips = TilePlan(lines=lines, samples=samples, rows=draw(st.sampled_from([1, 2, 4, 8])), columns=samples)
    block = draw(st.integers(1, 40)), draw(st.integers(1, 60))
    return strips, draw(st.sampled_from(list(window_plans(strips, block))))


@given(plans_of_windows())
def test_windows_cover_every_pixel_exactly_once(plans):
    strips, window = plans
    covered = np.zeros((strips.lines, strips.samples), dtype=int)
    for rows, cols in window.windows(strips, range(len(strips))):
        assert 0 < rows.stop - rows.start <= window.rows
        assert 0 < cols.stop - cols.start <= window.columns
        covered[rows, cols] += 1
    assert (covered == 1).all()


@given(plans_of_windows())
def test_a_window_holds_whole_strips_or_lies_in_one(plans):
    strips, window = plans
    for rows, _ in window.windows(strips, range(len(strips))):
        inside = rows.start // strips.rows == (rows.stop - 1) // strips.rows
        assert inside or rows.start % strips.rows == 0


@given(plans_of_windows(), st.data())
def test_windows_of_some_strips_are_read_for_these_alone(plans, data):
    strips, window = plans
    wanted = sorted(data.draw(st.sets(st.sampled_from(range(len(strips))), min_size=1)))
    read = {row // strips.rows for rows, _ in window.windows(strips, wanted) for row in range(rows.start, rows.stop)}
    assert read == set(wanted)


def test_ways_to_read_take_less_and_less_down_to_a_pixel():
    strips = TilePlan(lines=1000, samples=700, rows=16, columns=700)
    for block in [(1, 700), (256, 256), (64, 700), (16, 16)]:
        sizes = [plan.rows * plan.columns for plan in window_plans(strips, block)]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] == 1


def test_columns_of_a_tiled_file_are_whole_blocks():
    strips = TilePlan(lines=4096, samples=5000, rows=2, columns=5000)
    narrow = [plan.columns for plan in window_plans(strips, (512, 512)) if plan.rows == 2 and plan.columns < 5000]
    assert narrow == [2048, 1024, 512]


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512 << 20), ("2g", 2 << 30), ("1.5 GiB", 3 << 29), ("100", 100), ("4kb", 4096)]
)
def test_sizes_are_read_in_the_spellings_people_use(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1G", "many", "1X", "1e9"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (300 << 20, "300 MiB"), (5 << 50, "5120 TiB")],
)
def test_sizes_are_told_in_units_of_1024(size, text):
    assert format_size(size) == text


@given(start=st.integers(0, 50), length=st.integers(0, 50), size=st.integers(1, 20))
def test_slices_cover_a_range_once_and_in_order(start: int, length: int, size: int) -> None:
    parts = list(iter_slices(start, start + length, size))

    assert [value for part in parts for value in range(part.start, part.stop)] == list(range(start, start + length))
    assert all(part.stop - part.start == size for part in parts[:-1])
