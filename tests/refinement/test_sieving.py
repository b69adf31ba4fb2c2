"""Small patches go from a map on disk as they do from one in memory."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.errors import MemoryLimitError
from hsigeo.memory import resident_memory
from hsigeo.refinement import sieving
from hsigeo.refinement.filters import remove_patches
from hsigeo.refinement.sieving import check_room, remove_patches_on_disk
from hsigeo.refinement.staged_ids import StagedIds

IDS = np.random.default_rng(3).choice(4, (70, 50), p=(0.1, 0.3, 0.3, 0.3)).astype(np.uint8)


def rows_of(ids):
    return lambda first, stop: ids[first:stop]


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("smallest", [2, 12, 10_000])
@pytest.mark.parametrize(("dtype", "factor"), [("uint8", 1), ("uint16", 300)])
def test_a_map_on_disk_is_sieved_like_one_in_memory(tmp_path, monkeypatch, dtype, factor, smallest, diagonal):
    ids = IDS.astype(dtype) * np.array(factor, dtype)
    monkeypatch.setattr(sieving, "_STRIP_PIXELS", 350)

    kept = remove_patches_on_disk(rows_of(ids), ids.shape, dtype, smallest, diagonal=diagonal, folder=tmp_path)

    np.testing.assert_array_equal(kept, remove_patches(ids, smallest, diagonal=diagonal))
    assert kept.dtype == dtype
    assert not list(tmp_path.iterdir())


def test_what_the_disk_loses_is_missed(tmp_path, monkeypatch):
    write = StagedIds.write

    def lose(self, first, ids):
        write(self, first, ids)
        self.pixels += 1

    monkeypatch.setattr(StagedIds, "write", lose)
    with pytest.raises(OSError, match="the disk may be full or faulty"):
        remove_patches_on_disk(rows_of(IDS), IDS.shape, "uint8", 5, diagonal=False, folder=tmp_path)


def test_a_map_that_does_not_fit_into_memory_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(sieving, "usable_memory", lambda: resident_memory() + (10 << 20))
    check_room((1000, 1000), "uint8")
    with pytest.raises(MemoryLimitError, match="1000 x 6000 pixels or 11 MiB, and this process may use 1") as refused:
        check_room((1000, 6000), "uint16")
    assert "\n" not in str(refused.value)
