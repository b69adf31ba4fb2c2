"""Elementary functions against NumPy's in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.kernels.lanes import LANES, exponential, logarithm, precise_exponential, softmax


def test_logarithms_are_right_to_a_rounding_or_1e_7():
    values = np.concatenate([np.geomspace(1e-6, 1e6, 4001), np.linspace(0.98, 1.02, 501)]).astype(np.float32)
    found = np.array([logarithm(value) for value in values])
    exact = np.log(values.astype(np.float64))
    assert (np.abs(found - exact) <= np.maximum(1e-7, 6e-8 * np.abs(exact) * 2)).all()


def test_exponentials_are_right_relative_to_their_size():
    values = np.concatenate([np.linspace(-86, 87, 4001), [0.0, -0.0, 1e-20]]).astype(np.float32)
    found = np.array([exponential(value) for value in values], dtype=np.float64)
    exact = np.exp(values.astype(np.float64))
    assert (np.abs(found / exact - 1) < 2e-7 + 1.2e-7 * np.abs(values)).all()


def test_precise_exponentials_have_twelve_digits():
    values = np.concatenate([np.linspace(-700, 0, 4001), np.linspace(-1, 0, 1001), [-0.0, -1e-20]])
    found = np.array([precise_exponential(value) for value in values])
    np.testing.assert_allclose(found, np.exp(values), rtol=2e-12, atol=0)


@pytest.mark.parametrize("value", [-88.0, -1e4, -3e38, -np.inf])
def test_exponentials_of_very_little_are_nearly_nothing(value):
    assert 0 <= exponential(value) < 2e-38


def test_probabilities_survive_logits_of_any_size():
    scores, shares = np.zeros((8, LANES)), np.zeros((8, LANES), dtype=np.float32)
    scores[:5, :4] = np.array([[1e4, -1e4, 3e38, 0.0]] * 5) * np.array([[1.0], [0.5], [1.0], [-1.0], [0.25]])
    softmax(scores, 5, np.empty(LANES), shares)
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares[:5].sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(shares[:5, 0], [0.5, 0, 0.5, 0, 0], atol=1e-30)
