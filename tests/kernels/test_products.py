"""Products with a pixel to a lane against NumPy's."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from hsigeo.kernels.lanes import LANES
from hsigeo.kernels.products import add_part, add_products, block_weights, multiply, multiply_part

KINDS = [(np.float32, np.float32, 1e-5), (np.float32, np.float64, 1e-13), (np.float64, np.float64, 1e-13)]
"""Of rows and of sums, and the relative error that is allowed."""


def draw(rows, columns, of_rows, of_sums):
    random = np.random.default_rng(rows)
    matrix, values = random.normal(size=(rows, columns)), random.normal(size=(rows + 2, LANES)).astype(of_rows)
    return matrix.astype(of_sums), values, np.ones((-(-columns // 8) * 8, LANES), dtype=of_sums)


@pytest.mark.parametrize(("of_rows", "of_sums", "rtol"), KINDS)
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (8, 8), (7, 9), (33, 17)])
def test_products_are_those_of_matrices(rows, columns, of_rows, of_sums, rtol):
    matrix, values, sums = draw(rows, columns, of_rows, of_sums)
    weights, exact = block_weights(matrix, of_sums), matrix.T.astype(float) @ values[:rows]
    add_products(weights, values, sums)
    np.testing.assert_allclose(sums[:columns], 1 + exact, rtol=rtol, atol=rtol * 10)
    assert (sums[columns:] == 1).all()
    multiply(weights, values, sums)
    np.testing.assert_allclose(sums[:columns], exact, rtol=rtol, atol=rtol * 10)
    assert (sums[columns:] == 0).all()


def test_a_part_of_the_weights_may_be_for_rows_further_on():
    matrix, values, sums = draw(20, 8, np.float32, np.float32)
    weights, exact = block_weights(matrix, np.float32), matrix[5:12].T @ values[2:9]
    multiply_part(weights, 5, 12, values, 2, sums)
    np.testing.assert_allclose(sums, exact, rtol=1e-5, atol=1e-5)
    add_part(weights, 5, 12, values, 2, sums)
    np.testing.assert_allclose(sums, 2 * exact, rtol=1e-5, atol=1e-5)


def test_no_rows_add_nothing():
    _, values, sums = draw(4, 8, np.float32, np.float32)
    add_part(np.ones((1, 4, 8), np.float32), 2, 2, values, 0, sums)
    assert (sums == 1).all()


SUM = """
import numpy as np
from hsigeo.kernels.lanes import LANES
from hsigeo.kernels.products import block_weights, multiply, _REGISTERS
random = np.random.default_rng(0)
sums = np.empty((16, LANES), np.float32)
weights = block_weights(random.normal(size=(300, 16)), np.float32)
multiply(weights, random.normal(size=(300, LANES)).astype(np.float32), sums)
print(_REGISTERS.width, sums.tobytes().hex())
"""


def test_narrower_vectors_give_the_same_bits():
    """Computers that share the work on a map need not be alike."""
    found = {}
    for name, settings in {"own": {}, "other": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}}.items():
        command = [sys.executable, "-c", SUM]
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"this processor cannot do what haswell can: {done.stderr[-200:]}")
        found[name] = done.stdout.split()
    if found["own"][0] == found["other"][0]:
        pytest.skip("this processor's own vectors are as narrow")
    assert found["own"][1] == found["other"][1]
