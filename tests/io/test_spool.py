"""Arrays beyond the budget lie on disk, and take no memory but what is in use."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.io.spool import Spool, gather, release_pages
from hsigeo.memory import release_unused, resident_memory

MIB = 1 << 20


@pytest.mark.parametrize("budget", [0, 1 << 20])
@given(index=st.lists(st.integers(0, 999), max_size=60))
def test_gathering_is_indexing_wherever_the_array_lies(budget, index):
    with Spool(budget=budget) as spool:
        values = spool.array((3, 50, 20), np.int32, 0)
        values[...] = np.arange(3000).reshape(3, 50, 20)
        flat, picked = values.reshape(3, -1), np.array(index, dtype=np.int64)
        np.testing.assert_array_equal(gather(flat, picked), np.asarray(flat)[:, picked])


def test_pages_that_are_let_go_still_hold_what_was_written():
    with Spool(budget=0) as spool:
        values = spool.array((100, 1000), np.float32, np.nan)
        values[50] = 7
        release_pages(values)
        assert np.isnan(values[49]).all()
        assert (values[50] == 7).all()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resident sizes are read from /proc")
def test_an_array_on_disk_takes_no_memory():
    release_unused()
    before = resident_memory()
    with Spool(budget=0) as spool:
        values = spool.array((8, 1000, 4000), np.float32, 1.0)  # 122 MiB
        assert resident_memory() - before < 40 * MIB
        picked = gather(values.reshape(8, -1), np.arange(0, 4_000_000, 1000))
        assert resident_memory() - before < 40 * MIB
    assert (picked == 1).all()
