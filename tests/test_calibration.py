"""Temperature scaling and calibration error."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.calibration import (
    choose_temperature,
    cross_fitted,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    soften,
)


def draw(temperature, pixels=20_000, classes=4, seed=0):
    """Logits whose true probabilities are their softmax at `temperature`, and classes drawn from those."""
    rng = np.random.default_rng(seed)
    logits = 3 * rng.normal(size=(pixels, classes))
    probability = soften(logits, temperature)
    target = (rng.random(pixels)[:, None] > probability.cumsum(axis=1)).sum(axis=1)
    return logits, target.clip(max=classes - 1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_data_is_found(temperature):
    assert fit_temperature(*draw(temperature)) == pytest.approx(temperature, rel=0.05)


def test_no_temperature_nearby_is_more_likely():
    logits, target = draw(1.7)
    best = fit_temperature(logits, target)
    for other in (0.98 * best, 1.02 * best):
        assert negative_log_likelihood(logits, target, best) < negative_log_likelihood(logits, target, other)


def test_calibration_error_is_small_at_the_right_temperature_and_large_elsewhere():
    logits, target = draw(2.0)
    assert expected_calibration_error(soften(logits, 2.0), target) < 0.02
    assert expected_calibration_error(soften(logits, 0.5), target) > 0.1


def test_calibration_error_of_a_worked_example():
    # Two pixels at confidence 0.9, one right: gap 0.4. Two at 0.6, both right: gap 0.4.
    probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    assert expected_calibration_error(probability, np.array([0, 1, 0, 0])) == pytest.approx(0.4)


def test_logits_of_any_size_do_not_overflow():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]])
    assert np.isfinite(soften(logits, 0.05)).all()
    assert negative_log_likelihood(logits, np.array([0, 1]), 0.05) == 0


def test_a_few_pixels_that_happen_to_be_right_do_not_make_a_model_certain():
    logits = np.tile([1.5, 0.0], (12, 1))

    sure = soften(logits, fit_temperature(logits, np.zeros(12, dtype=int))).max()

    assert 0.9 < sure < 0.999


def test_each_fold_is_judged_at_the_temperature_of_the_others():
    logits, target = draw(2.0, pixels=3000)
    fold = np.arange(3000) % 3

    probability, temperatures = cross_fitted(logits, target, fold)

    for number in range(3):
        expected = fit_temperature(logits[fold != number], target[fold != number])
        assert temperatures[number] == expected
        np.testing.assert_array_equal(probability[fold == number], soften(logits[fold == number], expected))


def test_a_single_fold_keeps_its_probabilities():
    logits, target = draw(2.0, pixels=50)

    probability, temperatures = cross_fitted(logits, target, np.zeros(50, dtype=int))

    assert temperatures == {0: 1.0}
    np.testing.assert_array_equal(probability, soften(logits, 1.0))


def test_a_temperature_that_helps_other_folds_is_taken():
    logits, target = draw(2.5, pixels=3000)
    fold = np.arange(3000) % 5

    temperature, probability = choose_temperature(logits, target, fold)

    assert temperature == fit_temperature(logits, target)
    np.testing.assert_array_equal(probability, cross_fitted(logits, target, fold)[0])


def test_folds_that_ask_for_opposite_temperatures_get_none():
    cold, hot = draw(0.3, pixels=500, seed=1), draw(3.0, pixels=500, seed=2)
    logits, target = np.concatenate([cold[0], hot[0]]), np.concatenate([cold[1], hot[1]])

    temperature, probability = choose_temperature(logits, target, np.repeat([0, 1], 500))

    assert temperature == 1.0
    np.testing.assert_array_equal(probability, soften(logits, 1.0))


def test_two_pixels_that_were_surely_wrong_do_not_soften_all_others():
    """A mean over pixels gains by them; most folds lose."""
    logits, target = draw(1.0, 200, seed=4)
    logits[:2] = 0.0
    logits[np.arange(2), (target[:2] + 1) % 4] = 40.0
    fold = np.arange(200) % 5
    fold[:2] = 0, 1
    _, temperatures = cross_fitted(logits, target, fold)
    assert all(temperature > 1.3 for temperature in temperatures.values())

    temperature, probability = choose_temperature(logits, target, fold)

    assert temperature == 1
    np.testing.assert_array_equal(probability, soften(logits, 1))
