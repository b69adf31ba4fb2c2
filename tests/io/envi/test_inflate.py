from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.errors import SceneError
from hsigeo.io.envi import inflate
from hsigeo.io.envi.inflate import InflatedFile

CONTENT = np.random.default_rng(0).integers(0, 50, 20_000).astype("uint8").tobytes()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints every few hundred bytes, so that small files have many."""
    for name, value in (("_MIN_SPACING", 300), ("_OUTPUT_BYTES", 100), ("_INPUT_BYTES", 70), ("_CHECKPOINTS", 40)):
        monkeypatch.setattr(inflate, name, value)


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inflate") / "a.gz"
    path.write_bytes(gzip.compress(CONTENT[:7000]) + gzip.compress(CONTENT[7000:]))
    return path


@given(st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(0, 3000)), max_size=6))
def test_any_runs_are_the_bytes_of_the_file(compressed: Path, runs: list[tuple[int, int]]) -> None:
    file = InflatedFile(compressed, len(CONTENT))
    runs = [(start, min(length, len(CONTENT) - start)) for start, length in sorted(runs)]
    buffers = [bytearray(length) for _, length in runs]
    file.read_runs((start, memoryview(buffer)) for (start, _), buffer in zip(runs, buffers, strict=True))
    assert [bytes(buffer) for buffer in buffers] == [CONTENT[start : start + length] for start, length in runs]


def test_checkpoints_are_many_but_bounded(compressed: Path) -> None:
    assert 20 < len(InflatedFile(compressed, len(CONTENT))._checkpoints) <= 41


def test_a_late_read_does_not_begin_at_the_start(compressed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = InflatedFile(compressed, len(CONTENT))
    produced = []
    original = inflate._Stream.next_piece

    def counted(stream: inflate._Stream, source: object) -> bytes:
        piece = original(stream, source)  # type: ignore[arg-type]
        produced.append(len(piece))
        return piece

    monkeypatch.setattr(inflate._Stream, "next_piece", counted)
    file.read_runs([(len(CONTENT) - 50, memoryview(bytearray(50)))])
    assert sum(produced) < 1000


def test_zlib_streams_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.z").write_bytes(zlib.compress(CONTENT))
    buffer = bytearray(10)
    InflatedFile(tmp_path / "a.z", len(CONTENT)).read_runs([(12_345, memoryview(buffer))])
    assert bytes(buffer) == CONTENT[12_345:12_355]


def test_file_that_changes_after_opening_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(CONTENT))
    file = InflatedFile(path, len(CONTENT))
    path.write_bytes(b"")
    with pytest.raises(SceneError, match=r"a\.gz"):
        file.read_runs([(0, memoryview(bytearray(10)))])
    path.unlink()
    with pytest.raises(SceneError, match=r"a\.gz cannot be read"):
        file.read_runs([(0, memoryview(bytearray(10)))])
