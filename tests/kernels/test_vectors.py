"""Vectors are sixteen numbers each of which is computed as NumPy computes it."""

from __future__ import annotations

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from hsigeo.kernels.exponential import SCALE, scaled_power  # noqa: E402 - after numba is known to be there
from hsigeo.kernels.vectors import NUMBERS, load, spread, store, total  # noqa: E402


@numba.njit
def combine(row, other, number, answer):
    for j in range(0, len(row), NUMBERS):
        vector = load(row, j) * load(other, j)
        vector += number
        store(answer, j, (vector - load(row, j)) + number * spread(number))
    return total(load(row, 0))


@numba.njit
def raise_two(row, answer):
    for j in range(0, len(row), NUMBERS):
        store(answer, j, scaled_power(load(row, j)))


def test_vectors_compute_as_numpy_does():
    row, other = np.arange(32, dtype=np.float32), np.arange(32, 0, -1, dtype=np.float32)
    answer = np.empty_like(row)
    assert combine(row, other, np.float32(3), answer) == row[:16].sum()
    np.testing.assert_array_equal(answer, row * other + 3 - row + 9)


def test_powers_of_two_have_the_digits_of_float32_and_nan_stays_nan():
    exponents = np.append(np.linspace(-100, 116, 10_015, dtype=np.float32), np.float32(np.nan))
    found = np.empty_like(exponents)
    raise_two(exponents, found)
    np.testing.assert_allclose(found[:-1] / SCALE, np.exp2(exponents[:-1].astype(float)), rtol=3e-7)
    assert np.isnan(found[-1])
