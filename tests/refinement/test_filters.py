"""The oracles are plain loops: a window read pixel by pixel, and patches found by walking."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rasterio.features import sieve

from hsigeo.refinement.filters import clump, majority, remove_patches

IDS = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4))


def majority_by_loops(ids: np.ndarray, radius: int) -> np.ndarray:
    out = ids.copy()
    for (row, col), own in np.ndenumerate(ids):
        window = ids[max(row - radius, 0) : row + radius + 1, max(col - radius, 0) : col + radius + 1]
        votes = Counter(window[window > 0].tolist())
        if own:
            most = max(votes.values())
            winners = sorted(number for number, count in votes.items() if count == most)
            out[row, col] = own if own in winners else winners[0]
    return out


def patches(ids: np.ndarray, *, diagonal: bool) -> list[set[tuple[int, int]]]:
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if diagonal else [])
    waiting = {(int(row), int(col)) for row, col in np.argwhere(ids > 0)}
    found = []
    while waiting:
        patch, edge = set(), [waiting.pop()]
        while edge:
            row, col = edge.pop()
            patch.add((row, col))
            for down, right in steps:
                beside = (row + down, col + right)
                if beside in waiting and ids[beside] == ids[row, col]:
                    waiting.remove(beside)
                    edge.append(beside)
        found.append(patch)
    return found


@given(ids=IDS, radius=st.integers(1, 4))
def test_the_majority_filter_is_that_of_a_plain_loop(ids, radius):
    np.testing.assert_array_equal(majority(ids, radius), majority_by_loops(ids, radius))


def test_a_single_pixel_of_another_class_is_outvoted_and_one_without_a_class_stays():
    ids = np.full((5, 5), 2, dtype=np.uint16)
    ids[1, 1], ids[3, 3] = 300, 0

    smooth = majority(ids, 1)

    assert smooth.dtype == np.uint16
    assert smooth[1, 1] == 2
    assert smooth[3, 3] == 0


@given(ids=IDS, radius=st.integers(1, 2), chosen=st.sets(st.integers(1, 4)))
def test_clumping_is_the_closing_of_scipy_decided_by_votes(ids, radius, chosen):
    ndimage = pytest.importorskip("scipy.ndimage")
    square, margin = np.ones((2 * radius + 1,) * 2, dtype=bool), 3 * radius

    joined = clump(ids, radius, chosen or None)

    expected = ids.copy()
    best = np.zeros(ids.shape)
    for number in sorted(chosen or {1, 2, 3, 4}):
        own = ids == number
        padded = np.pad(own, margin)
        closed = ndimage.binary_closing(padded, square)[margin:-margin, margin:-margin]
        votes = ndimage.convolve(own.astype(float), square.astype(float), mode="constant") + own / 2
        wins = closed & (votes > best)
        best[wins], expected[wins] = votes[wins], number
    expected[ids == 0] = 0
    np.testing.assert_array_equal(joined, expected)


def test_clumping_fills_holes_and_joins_what_is_chosen_but_leaves_corners():
    ids = np.full((12, 14), 1, dtype=np.uint16)
    ids[2:8, 2:9] = 300  # a block with a hole, which a majority filter would round
    ids[5, 5], ids[9, 9] = 1, 0
    ids[10, 1:12] = 2
    ids[10, 6] = 1  # a gap in a line

    joined, line = clump(ids, 1), clump(ids, 1, {2})

    assert joined.dtype == np.uint16
    assert (joined[2:8, 2:9] == 300).all()
    assert (majority(ids, 1)[[2, 2, 7, 7], [2, 8, 2, 8]] == 1).all()
    assert joined[9, 9] == 0
    assert (line[10, 1:12] == 2).all()
    np.testing.assert_array_equal(np.delete(line, 10, axis=0), np.delete(ids, 10, axis=0))


@settings(max_examples=60)
@given(ids=IDS, smallest=st.integers(2, 8), diagonal=st.booleans())
def test_patches_that_are_large_enough_stay_and_no_small_one_is_left_beside_a_larger(ids, smallest, diagonal):
    cleaned = remove_patches(ids, smallest, diagonal=diagonal)

    np.testing.assert_array_equal(cleaned > 0, ids > 0)
    assert set(np.unique(cleaned)) <= set(np.unique(ids))
    for patch in patches(ids, diagonal=diagonal):
        if len(patch) >= min(smallest, ids.size):
            assert {cleaned[pixel] for pixel in patch} == {ids[next(iter(patch))]}
    left = patches(cleaned, diagonal=diagonal)
    region = patches((cleaned > 0).astype(np.uint8), diagonal=diagonal)
    for patch in left:
        around = next(ground for ground in region if patch <= ground)
        alone = max(len(other) for other in left if other <= around) < smallest
        assert len(patch) >= min(smallest, ids.size) or alone


@pytest.mark.parametrize("connectivity", [4, 8])
def test_one_speckle_goes_as_gdal_removes_it(connectivity):
    ids = np.kron(np.array([[1, 2], [3, 1]], dtype=np.uint8), np.ones((8, 8), dtype=np.uint8))
    ids[3, 3], ids[12, 4], ids[0, 0] = 2, 1, 0

    cleaned = remove_patches(ids, 5, diagonal=connectivity == 8)

    np.testing.assert_array_equal(cleaned, sieve(ids, 5, mask=ids != 0, connectivity=connectivity))
    assert (cleaned[3, 3], cleaned[12, 4], cleaned[0, 0]) == (1, 3, 0)
