"""Confidence intervals against published values and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.intervals import clustered_interval, measure_intervals, tally_units, wilson_interval
from hsigeo.metrics import Accuracy, confusion_matrix


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857, table I, method 3 (score without correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_matches_newcombes_table(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(trials=st.integers(1, 5000), share=st.floats(0, 1))
def test_an_interval_holds_its_share_and_stays_between_0_and_1(trials: int, share: float) -> None:
    hits = round(share * trials)
    low, high = wilson_interval(hits, trials)

    assert 0 <= low <= hits / trials <= high <= 1


def test_nothing_is_known_without_trials() -> None:
    assert all(np.isnan(wilson_interval(0, 0)))
    assert all(np.isnan(clustered_interval(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))))


def test_pixels_that_are_right_or_wrong_together_count_as_one() -> None:
    hits, trials = np.array([50, 0, 50, 50, 0, 50, 50, 50]), np.full(8, 50)

    low, high = clustered_interval(hits, trials)

    # The variance between 8 clusters is that of 7 independent trials: p(1-p)/7.
    assert (low, high) == pytest.approx(wilson_interval(0.75 * 7, 7))
    assert high - low > 3 * (wilson_interval(300, 400)[1] - wilson_interval(300, 400)[0])


def test_clusters_of_one_pixel_are_as_good_as_independent_pixels() -> None:
    hits = np.array([1] * 80 + [0] * 20)

    assert clustered_interval(hits, np.ones(100, dtype=np.int64)) == wilson_interval(80, 100)


def test_a_perfect_score_is_worth_its_clusters_not_its_pixels() -> None:
    trials = np.full(5, 100)

    assert clustered_interval(trials, trials) == wilson_interval(5, 5)
    assert clustered_interval(trials[:1], trials[:1]) == wilson_interval(1, 1)


def test_clustered_intervals_hold_what_they_promise() -> None:
    # 40 polygons of 20 pixels whose accuracies vary as Beta(6, 2): strongly correlated within a polygon.
    generator = np.random.default_rng(0)
    covered = {"clustered": 0, "independent": 0}
    for _ in range(600):
        hits = generator.binomial(20, generator.beta(6, 2, size=40))
        low, high = clustered_interval(hits, np.full(40, 20))
        covered["clustered"] += low <= 0.75 <= high
        low, high = wilson_interval(int(hits.sum()), 800)
        covered["independent"] += low <= 0.75 <= high

    assert covered["clustered"] / 600 == pytest.approx(0.95, abs=0.03)
    assert covered["independent"] / 600 < 0.75


def test_tallies_of_parts_add_up_to_the_whole() -> None:
    generator = np.random.default_rng(1)
    reference, mapped = generator.integers(0, 4, 200), generator.integers(0, 4, 200)
    unit = generator.integers(0, 7, 200)

    whole = tally_units(reference, mapped, unit, shape=(7, 3))
    parts = sum(
        tally_units(reference[part], mapped[part], unit[part], shape=(7, 3)) for part in (slice(0, 90), slice(90, None))
    )
    accuracy = Accuracy(names=("a", "b", "c"), confusion=confusion_matrix(reference, mapped, 3))

    assert np.array_equal(whole, parts)
    assert np.array_equal(whole.sum(axis=1), [accuracy.correct, accuracy.support, accuracy.mapped])


def test_intervals_say_what_they_count() -> None:
    reference = mapped = np.array([1, 1, 2, 2])
    accuracy = Accuracy(names=("a", "b"), confusion=confusion_matrix(reference, mapped, 2))
    tally = tally_units(reference, mapped, np.array([0, 0, 1, 1]), shape=(2, 2))

    assert (measure_intervals(accuracy).units, measure_intervals(accuracy).count) == ("pixels", 4)
    assert (measure_intervals(accuracy, tally).units, measure_intervals(accuracy, tally).count) == (
        "units of ground",
        2,
    )
    assert np.allclose(measure_intervals(accuracy, tally).recall[0], wilson_interval(1, 1))
