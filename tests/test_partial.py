"""What a partial map gives back is what was written, or nothing."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from hsigeo.errors import DiskFullError, OutputError
from hsigeo.partial import PartialLayer, PartialMap, empty_folder, is_emptied, read_identity
from hsigeo.tiling import TilePlan

PLAN = TilePlan(lines=10, samples=6, rows=4, columns=6)
LAYERS = (
    PartialLayer(name="class_id", dtype="uint8"),
    PartialLayer(name="probability", dtype="float32", bands=3),
)


def make_tile(tile, *, seed=0):
    rows = PLAN.rows_of(tile)
    rng = np.random.default_rng([seed, tile])
    lines = rows.stop - rows.start
    return {
        "class_id": rng.integers(0, 255, (lines, 6), dtype=np.uint8),
        "probability": rng.random((3, lines, 6), dtype=np.float32),
    }


def test_tiles_come_back_as_they_were_in_any_order(tmp_path):
    with PartialMap(tmp_path, {"model": "a"}, PLAN, LAYERS) as partial:
        for tile in (2, 0, 1):
            partial.write(tile, make_tile(tile))
    with PartialMap(tmp_path, {"model": "a"}, PLAN, LAYERS) as partial:
        assert partial.missing == []
        for name in ("class_id", "probability"):
            whole = np.concatenate([make_tile(tile)[name] for tile in range(3)], axis=-2)
            np.testing.assert_array_equal(partial.read(name, slice(0, 10)), whole)
            np.testing.assert_array_equal(partial.read(name, slice(3, 7)), whole[..., 3:7, :])


def test_another_identity_finds_nothing(tmp_path):
    with PartialMap(tmp_path, {"model": "a"}, PLAN, LAYERS) as partial:
        partial.write(1, make_tile(1))
    with PartialMap(tmp_path, {"model": "b"}, PLAN, LAYERS) as partial:
        assert partial.missing == [0, 1, 2]
    assert read_identity(tmp_path) == {"model": "b"}


@pytest.mark.parametrize("length", range(1, 30, 4))
def test_a_torn_line_is_not_believed_and_does_not_spoil_the_next(tmp_path, length):
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        partial.write(0, make_tile(0))
        whole = (tmp_path / "tiles.log").stat().st_size
        partial.write(1, make_tile(1))
    os.truncate(tmp_path / "tiles.log", min(whole + length, (tmp_path / "tiles.log").stat().st_size - 1))
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        assert partial.missing == [1, 2]
        partial.write(2, make_tile(2))
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        assert partial.missing == [1]


@pytest.mark.parametrize("spoil", ["pixels", "length", "journal"])
def test_what_a_power_cut_lost_is_made_again(tmp_path, spoil):
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        for tile in range(3):
            partial.write(tile, make_tile(tile))
    if spoil == "pixels":
        with (tmp_path / "class_id.raw").open("r+b") as file:
            file.seek(30)
            file.write(b"\0\0\0")
    elif spoil == "length":
        os.truncate(tmp_path / "probability.raw", 500)
    else:
        (tmp_path / "tiles.log").write_bytes(b"\0" * 200)
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        assert partial.missing == {"pixels": [1], "length": [1, 2], "journal": [0, 1, 2]}[spoil]


@pytest.mark.parametrize("journal", [b"7 1 1 0000\n", b"9" * 500, b"0 1\n", b"-1 2 3 00000000\n", b"\xff\xfe\n"])
def test_a_journal_of_nonsense_is_an_empty_one(tmp_path, journal):
    with PartialMap(tmp_path, {}, PLAN, LAYERS):
        pass
    (tmp_path / "tiles.log").write_bytes(journal)
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        assert partial.missing == [0, 1, 2]


def test_a_full_disk_is_one_error_and_what_was_finished_stays(tmp_path, monkeypatch):
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        partial.write(0, make_tile(0))
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", _full)
            with pytest.raises(DiskFullError, match="no space is left on the disk of"):
                partial.write(1, make_tile(1))
        assert partial.missing == [1, 2]
        partial.write(1, make_tile(1))
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        assert partial.missing == [2]


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_write_that_is_cut_short_is_carried_on(tmp_path, monkeypatch):
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, content, at: pwrite(descriptor, content[:5], at))
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        partial.write(0, make_tile(0))
        np.testing.assert_array_equal(partial.read("probability", slice(0, 4)), make_tile(0)["probability"])


def test_emptying_removes_leftovers_of_any_kind_but_not_the_lock(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "0.bin").touch()
    (tmp_path / ".map.partial-1-ab.tif").touch()
    empty_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_folder_whose_emptying_was_cut_short_counts_as_emptied(tmp_path):
    with PartialMap(tmp_path, {"scene": "a"}, PLAN, LAYERS) as partial:
        partial.write(0, make_tile(0))
    assert not is_emptied(tmp_path)
    (tmp_path / "tiles.log").unlink()  # the first thing that emptying does
    assert is_emptied(tmp_path)
    empty_folder(tmp_path)
    assert is_emptied(tmp_path)


@pytest.mark.parametrize(("name", "place"), [("class_id", 25), ("probability", 4 * 6 * 12 + 5)])
def test_a_tile_that_does_not_read_back_as_written_is_refused_and_made_again(tmp_path, name, place):
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        for tile in range(3):
            partial.write(tile, make_tile(tile))
        with (tmp_path / f"{name}.raw").open("r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1]))
        partial.read(name, slice(0, 4))
        partial.read(name, slice(8, 10))
        with pytest.raises(OutputError, match=rf"tile 1 of {name} does not read back"):
            partial.read(name, slice(0, 10))
    with PartialMap(tmp_path, {}, PLAN, LAYERS) as partial:
        assert (partial.missing, partial.disbelieved) == ([1], 1)
