"""Pieces are computed in any order and come back in theirs; one block is taken ahead, and no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hsigeo.campaign import pieces
from hsigeo.campaign.pieces import compute_ahead
from hsigeo.io.scaling import Scaling
from hsigeo.io.spectra import StoredBlock

BANDS = 3


def make_blocks(*shapes: tuple[int, int]) -> list[tuple[int, StoredBlock]]:
    """Numbered blocks whose values say which pixel they are of."""
    blocks = []
    for number, (lines, samples) in enumerate(shapes):
        pixel = 1000 * number + np.arange(lines * samples).reshape(lines, samples)
        values = np.stack([pixel + band / 10 for band in range(BANDS)]).astype(np.float32)
        block = StoredBlock(values=values, used=np.arange(BANDS), scaling=Scaling.constant(BANDS), nodata=None)
        blocks.append((number, block))
    return blocks


def layers(spectra: NDArray[np.float32]) -> dict[str, Any]:
    return {"first": spectra[:, 0], "all": 2 * spectra.T}


@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize("piece", [1, 4, 100])
def test_layers_are_those_of_the_whole_block(threads: int, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_PIXELS", piece)
    blocks = make_blocks((2, 5), (3, 3), (1, 1), (4, 2))
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        found = list(compute_ahead(blocks, layers, pool if threads else None))

    assert [key for key, _ in found] == [0, 1, 2, 3]
    for (_, block), (_, made) in zip(blocks, found, strict=True):
        np.testing.assert_array_equal(made["first"], block.values[0])
        np.testing.assert_array_equal(made["all"], 2 * block.values)


def test_one_block_is_taken_ahead_and_no_more() -> None:
    taken = []

    def taking() -> Iterator[tuple[int, StoredBlock]]:
        for key, block in make_blocks(*[(2, 2)] * 5):
            taken.append(key)
            yield key, block

    with ThreadPoolExecutor(2) as pool:
        for key, _ in compute_ahead(taking(), layers, pool):
            assert taken == list(range(min(key + 2, 5)))


def test_pieces_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_PIXELS", 3)
    meeting = threading.Barrier(2, timeout=10)  # raises unless two pieces are inside together

    def meet(spectra: NDArray[np.float32]) -> dict[str, Any]:
        meeting.wait()
        return layers(spectra)

    with ThreadPoolExecutor(2) as pool:
        assert len(list(compute_ahead(make_blocks((2, 3)), meet, pool))) == 1


def test_an_error_in_a_piece_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_PIXELS", 1)

    def fail(spectra: NDArray[np.float32]) -> dict[str, Any]:
        raise ValueError(f"pixel {spectra[0, 0]:.0f}")

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="pixel 0"):
        list(compute_ahead(make_blocks((2, 3), (2, 3)), fail, pool))
