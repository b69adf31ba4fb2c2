from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsigeo.metrics import Accuracy, confusion_matrix

# Congalton, R. G. (1991), "A review of assessing the accuracy of classifications of remotely sensed data", Remote
# Sensing of Environment 37, table 1: deciduous, conifer, agriculture, shrub. Its rows are the map; ours the reference.
CONGALTON = np.array([[65, 4, 22, 24], [6, 81, 5, 8], [0, 11, 85, 19], [4, 7, 3, 90]]).T


def make_accuracy(counts, unclassified=None) -> Accuracy:
    counts = np.asarray(counts, dtype=np.int64)
    last = np.zeros(len(counts), dtype=np.int64) if unclassified is None else np.asarray(unclassified)
    return Accuracy(names=tuple("abcdefgh"[: len(counts)]), confusion=np.column_stack((counts, last)))


def test_congaltons_worked_example():
    accuracy = make_accuracy(CONGALTON)

    assert accuracy.total == 434
    assert accuracy.overall == pytest.approx(0.74, abs=0.005)
    np.testing.assert_allclose(accuracy.recall, [65 / 75, 81 / 103, 85 / 115, 90 / 141])  # 87, 79, 74, 64 %
    np.testing.assert_allclose(accuracy.precision, [65 / 115, 81 / 100, 85 / 115, 90 / 104])  # 57, 81, 74, 87 %
    assert accuracy.kappa == pytest.approx(0.65, abs=0.005)


def test_a_kappa_worked_by_hand():
    accuracy = make_accuracy([[20, 5], [10, 15]])  # p_o = 0.7, p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5

    assert accuracy.kappa == pytest.approx(0.4)
    assert accuracy.overall == pytest.approx(0.7)
    assert accuracy.average == pytest.approx((0.8 + 0.6) / 2)
    np.testing.assert_allclose(accuracy.f1, [2 * 20 / (25 + 30), 2 * 15 / (25 + 20)])
    assert accuracy.macro_f1 == pytest.approx(np.mean([40 / 55, 30 / 45]))


def test_rows_are_the_reference_and_columns_the_map():
    matrix = confusion_matrix(np.array([1, 1, 1, 2, 3]), np.array([1, 2, 0, 2, 1]), 3)

    assert matrix.tolist() == [[1, 1, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]


def test_pixels_without_a_reference_never_count():
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([1, 2, 1]), 2)

    assert matrix.sum() == 1


def test_pixels_on_which_the_map_says_nothing_do_not_count_but_coverage_tells():
    cautious = make_accuracy([[9, 1], [0, 10]], unclassified=[90, 90])

    assert cautious.total == 20
    assert cautious.overall == pytest.approx(0.95)
    np.testing.assert_allclose(cautious.recall, [0.9, 1.0])
    assert cautious.kappa == pytest.approx(make_accuracy([[9, 1], [0, 10]]).kappa)
    assert cautious.coverage == pytest.approx(0.1)


def test_ratios_without_a_denominator_are_nan_and_left_out_of_means():
    accuracy = make_accuracy([[5, 0, 0], [0, 0, 0], [2, 0, 0]])  # b is nowhere, c never on the map

    assert accuracy.recall.tolist()[0] == 1
    assert math.isnan(accuracy.recall[1])
    assert math.isnan(accuracy.precision[2])
    assert accuracy.f1[2] == 0
    assert math.isnan(accuracy.f1[1])
    assert accuracy.average == pytest.approx(0.5)
    assert accuracy.macro_f1 == pytest.approx((10 / 12) / 2)


def test_no_pixels_at_all_give_no_figures():
    accuracy = make_accuracy([[0, 0], [0, 0]])

    for value in (accuracy.overall, accuracy.average, accuracy.kappa, accuracy.coverage, accuracy.macro_f1):
        assert math.isnan(value)


def test_one_class_everywhere_has_no_kappa():
    assert math.isnan(make_accuracy([[7, 0], [0, 0]]).kappa)


def test_json_says_which_way_round_the_matrix_is_and_holds_no_nan():
    document = make_accuracy([[5, 0], [0, 0]], unclassified=[1, 0]).to_json()

    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["confusion_matrix"] == {
        "rows": "reference",
        "columns": "map",
        "row_names": ["a", "b"],
        "column_names": ["a", "b", "(unclassified)"],
        "pixels": [[5, 0, 1], [0, 0, 0]],
    }
    assert document["classes"][1]["recall"] is None


@pytest.mark.parametrize(
    ("reference", "mapped", "reason"),
    [
        (np.array([1, 2]), np.array([1]), "shape"),
        (np.array([3]), np.array([1]), "reference holds positions from 3 to 3; 2 classes"),
        (np.array([1]), np.array([-1]), "map holds positions from -1"),
    ],
)
def test_positions_that_fit_no_class_are_refused(reference, mapped, reason):
    with pytest.raises(ValueError, match=reason):
        confusion_matrix(reference, mapped, 2)


def test_a_matrix_of_another_size_is_refused():
    with pytest.raises(ValueError, match="one more column"):
        Accuracy(names=("a", "b"), confusion=np.zeros((2, 2), dtype=np.int64))


pairs = st.integers(0, 60).flatmap(
    lambda size: st.tuples(*[hnp.arrays(np.int32, size, elements=st.integers(0, 4))] * 2)
)


@given(pairs)
def test_figures_agree_with_counting_pixel_by_pixel(arrays):
    reference, mapped = arrays
    labelled = reference > 0
    counted = labelled & (mapped > 0)

    accuracy = Accuracy(names=tuple("abcd"), confusion=confusion_matrix(reference, mapped, 4))

    assert accuracy.total == counted.sum()
    if counted.any():
        assert accuracy.overall == pytest.approx((reference == mapped)[counted].mean())
    if labelled.any():
        assert accuracy.coverage == pytest.approx((mapped > 0)[labelled].mean())
    for k in range(4):
        here, there = (reference == k + 1) & counted, (mapped == k + 1) & counted
        assert (accuracy.support[k], accuracy.mapped[k]) == (here.sum(), there.sum())
        if here.any():
            assert accuracy.recall[k] == pytest.approx((mapped[here] == k + 1).mean())
        if there.any():
            assert accuracy.precision[k] == pytest.approx((reference[there] == k + 1).mean())
        if accuracy.correct[k]:
            p, r = accuracy.precision[k], accuracy.recall[k]
            assert accuracy.f1[k] == pytest.approx(2 * p * r / (p + r))


@given(pairs)
def test_kappa_is_at_most_one_and_one_for_perfect_agreement(arrays):
    reference, mapped = arrays
    accuracy = Accuracy(names=tuple("abcd"), confusion=confusion_matrix(reference, mapped, 4))
    perfect = Accuracy(names=tuple("abcd"), confusion=confusion_matrix(reference, reference, 4))

    assert math.isnan(accuracy.kappa) or accuracy.kappa <= accuracy.overall + 1e-12
    assert math.isnan(perfect.kappa) or perfect.kappa == pytest.approx(1)


@given(pairs)
def test_matrices_of_parts_add_up_to_that_of_the_whole(arrays):
    reference, mapped = arrays
    half = len(reference) // 2

    parts = confusion_matrix(reference[:half], mapped[:half], 4) + confusion_matrix(reference[half:], mapped[half:], 4)

    np.testing.assert_array_equal(parts, confusion_matrix(reference, mapped, 4))
