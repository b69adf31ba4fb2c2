"""Plans fit into what is allowed, or the refusal says what would do."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from envi_files import make_encoded_cube, write_envi
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.campaign import budget
from hsigeo.campaign.budget import Demand, default_limit, plan_memory
from hsigeo.errors import MemoryLimitError
from hsigeo.grid import Grid
from hsigeo.io import open_cube
from hsigeo.tiling import plan_strips

MIB = 1 << 20
DEMAND = Demand(used=200, span=200, base=300 * MIB, batches=20 * MIB, computed=72, answers=1, writing=50 * MIB)


@pytest.fixture(scope="module")
def header(tmp_path_factory):
    path = write_envi(tmp_path_factory.mktemp("scene"), "scene", make_encoded_cube(3, 4, 5))
    return open_cube(path).header


def make_header(header, lines, samples, *, bands=200, block=None, **changes):
    table = replace(
        header.bands, count=bands, wavelength=np.linspace(400, 2500, bands), fwhm=None, good=np.ones(bands, bool)
    )
    grid = Grid(lines=lines, samples=samples, transform=header.grid.transform, crs=None)
    return replace(header, bands=table, grid=grid, block_shape=block or (1, samples), **changes)


def plan(made, limit, demand=DEMAND):
    return plan_memory(made, plan_strips(lines=made.grid.lines, samples=made.grid.samples), demand, limit)


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.sampled_from([None, (256, 256), (512, 512), (16, 10**6), (4096, 4096)]),
    st.sampled_from(["ENVI", "GTiff", "NetCDF-4", "Zarr 3"]),
    st.integers(350, 5000),
)
def test_a_plan_never_exceeds_its_limit(header, lines, samples, block, form, mib):
    made = make_header(header, lines, samples, block=block, format=form, compressed=form != "ENVI")
    try:
        assert plan(made, mib * MIB).total <= mib * MIB
    except MemoryLimitError as error:
        least = int(re.search(r"--max-memory (\d+)M", str(error))[1])
        assert least > mib
        assert plan(made, least * MIB).total <= least * MIB


def test_the_size_of_a_scene_does_not_change_what_it_takes(header):
    small, large = (plan(make_header(header, lines, 2000), 1 << 30) for lines in (1000, 100_000))
    assert small == large


def test_a_row_too_wide_for_the_limit_is_read_in_parts(header):
    made = make_header(header, 100, 200_000)
    assert plan(made, 4 << 30).window.columns == 200_000
    narrow = plan(made, 420 * MIB).window
    assert narrow.rows == 1
    assert narrow.columns < 200_000


def test_blocks_of_a_tiled_file_are_read_once_as_long_as_a_column_of_them_fits(header):
    made = make_header(header, 10_000, 10_000, block=(512, 512), format="GTiff", compressed=True)
    roomy, tight, tightest = (plan(made, mib * MIB) for mib in (4000, 550, 420))
    assert (roomy.window.rows, roomy.window.columns, roomy.repeats) == (512, 512, 1)
    assert (tight.window.rows < 512, tight.window.columns, tight.repeats) == (True, 512, 1)
    assert tight.cache > 512 * 512 * 200 * 2
    assert tightest.repeats > 1


def test_compressed_blocks_are_read_whole_by_several_threads_where_there_is_room(header, monkeypatch):
    monkeypatch.setattr(budget, "gdal_threads", lambda: 4)
    made = make_header(header, 5_000, 1_000, block=(256, 256), format="GTiff", compressed=True)
    window = plan(made, 2 << 30).window
    assert (window.rows, window.columns, window.is_aligned) == (256, 256, True)
    assert (window.readers, window.held) == (3, 5)
    assert plan(made, 450 * MIB).window.readers == 1
    assert plan(replace(made, compressed=False), 2 << 30).window.readers == 1


def test_a_row_of_blocks_is_read_at_once_where_it_is_small(header):
    made = make_header(header, 5_000, 1_000, bands=50, block=(128, 250), format="GTiff", compressed=True)
    window = plan(made, 2 << 30, replace(DEMAND, used=50, span=50)).window
    assert (window.rows, window.columns) == (128, 1000)


def test_windows_of_a_row_of_blocks_wait_in_memory_where_there_is_room(header):
    made = make_header(header, 5_000, 1_000, block=(256, 1000), format="JP2OpenJPEG", compressed=True)
    roomy, short = plan(made, 2 << 30), plan(made, 500 << 20)
    windows = roomy.window.run * 16 // roomy.window.rows
    assert windows > 1
    assert roomy.window.held == windows + 2
    assert short.window.held == 3
    assert (short.repeats, roomy.repeats) == (1, 1)


def test_a_refusal_names_the_base_and_the_least(header):
    with pytest.raises(
        MemoryLimitError, match=r"^64 MiB is not enough for .*: 300 MiB are taken before the first pixel"
    ):
        plan(make_header(header, 100, 100), 64 * MIB)


def test_without_a_limit_a_quarter_is_taken_or_what_the_least_plan_needs(header, monkeypatch):
    made = make_header(header, 1000, 2000)
    monkeypatch.setattr(budget, "usable_memory", lambda: 4000 * MIB)
    assert default_limit() == 1000 * MIB
    assert plan(made, None).limit == 1000 * MIB
    monkeypatch.setattr(budget, "usable_memory", lambda: 800 * MIB)
    assert 200 * MIB < plan(made, None).limit == plan(made, None).total <= 800 * MIB
    monkeypatch.setattr(budget, "usable_memory", lambda: 310 * MIB)
    with pytest.raises(MemoryLimitError):
        plan(made, None)


def test_labels_are_kept_in_memory_as_far_as_there_is_room(header):
    made = make_header(header, 1000, 2000)
    demand = replace(DEMAND, spool=200 * MIB)
    assert plan(made, 1 << 30, demand).spool == 200 * MIB
    tight = plan(made, 450 * MIB, demand)
    assert 0 < tight.spool < 200 * MIB
    assert tight.total <= 450 * MIB


def test_blocks_of_all_bands_are_counted_as_they_are_and_compressed(header):
    kinds = {"block": (512, 512), "format": "GTiff", "interleave": "bip"}
    made = make_header(header, 5120, 2048, compressed=True, **kinds)
    block, whole = 512 * 512 * 200 * 2, 5120 * 2048 * 200 * 2
    small, large = (replace(made, stamp=replace(made.stamp, size=size)) for size in (whole // 4, 3 * whole // 4))
    one, other = (plan(each, 8 << 30) for each in (small, large))
    assert one.window == other.window
    assert other.in_flight - one.in_flight == pytest.approx(one.window.readers * block // 2, abs=8)


@pytest.mark.parametrize(("deep", "bands"), [(200, 200), (36, 216), (128, 256)])
def test_chunks_that_reach_beyond_the_last_band_are_kept_whole(header, deep, bands):
    made = make_header(header, 10_000, 1242, block=(256, 249), format="NetCDF-4", compressed=True, block_bands=deep)
    strip = next(
        each
        for each in budget._plans(made, plan_strips(lines=10_000, samples=1242), DEMAND)
        if not each.window.is_aligned and each.window.columns == 1242 and each.repeats == 1
    )
    kept = 256 * 5 * 249 * bands * 2
    assert kept < strip.cache <= kept * 5 / 4
