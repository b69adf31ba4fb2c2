"""Accuracy's confusion matrix, tested against published examples, is the oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsigeo.agreement.counts import PairCounts, PositionCounts, class_agreement, class_kappa
from hsigeo.metrics import Accuracy, confusion_matrix

SAID = arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 3))


@given(first=SAID, second=SAID)
def test_agreement_and_kappa_are_those_of_a_confusion_matrix(first, second):
    size = min(len(first), len(second))
    first, second = first[:size], second[:size]
    counts = PairCounts.empty(4)
    half = size // 2
    counts.add(first[:half], second[:half])
    counts.add(first[half:], second[half:])

    oracle = Accuracy(names=tuple("abcd"), confusion=confusion_matrix(first + 1, second + 1, 4))

    assert counts.pixels == oracle.total
    assert counts.agreement == pytest.approx(oracle.overall)
    assert counts.kappa == pytest.approx(oracle.kappa, nan_ok=True)
    assert class_agreement(counts.first, counts.second, counts.both) == pytest.approx(oracle.f1, nan_ok=True)


def test_the_kappa_of_cohens_grant_example():
    # Two readers of 50 applications: 20 both yes, 15 both no, 5 and 10 one each; kappa is 0.4.
    first = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    second = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    counts = PairCounts.empty(2)
    counts.add(first, second)

    assert counts.agreement == pytest.approx(0.7)
    assert counts.kappa == pytest.approx(0.4)
    # With two classes each is the other's complement.
    assert class_kappa(counts.first, counts.second, counts.both) == pytest.approx([0.4, 0.4])


def test_nothing_and_one_class_only_have_no_kappa():
    empty, single = PairCounts.empty(2), PairCounts.empty(2)
    single.add(np.zeros(5, dtype=int), np.zeros(5, dtype=int))

    assert math.isnan(empty.agreement)
    assert math.isnan(empty.kappa)
    assert single.agreement == 1
    assert math.isnan(single.kappa)
    assert np.isnan(class_kappa(single.first, single.second, single.both)).all()


def test_positions_beyond_the_last_edge_belong_to_the_last_bin():
    positions = PositionCounts(
        edges=np.array([-1.0, 0.0, 1.0]),
        lines=np.zeros((1, 2, 2), dtype=np.int64),
        outer_edges=np.array([0.0, 0.5, 1.0]),
        confusion=np.zeros((2, 2, 2), dtype=np.int64),
    )

    assert positions.bin_of(np.array([-1.3, -1.0, -0.1, 0.0, 0.99, 1.0, 1.2])).tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert positions.outer_bin_of(np.array([0.0, 0.49, 0.5, 7.0])).tolist() == [0, 0, 1, 1]
