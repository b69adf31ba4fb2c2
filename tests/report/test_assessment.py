from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.intervals import measure_intervals
from hsigeo.report.assessment import read_evaluation, read_held_out
from hsigeo.report.findings import Findings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
MATRIX = {"confusion_matrix": {"row_names": ["a", "b"], "pixels": [[8, 1, 0], [2, 9, 3]]}}
KEYS = (
    "split", "notes", "disjoint", "confidence_intervals", "disjoint_spread", "random_split_optimistic",
    "expected_calibration_error", "reliability", "area_adjusted", "reference", "confusion_matrix", "on_training_labels",
)  # fmt: skip


def test_what_training_wrote_is_read_to_the_last_digit(full: tuple[Findings, str]) -> None:
    stated = full[0].metadata["validation"]
    found = read_held_out(stated)
    assert found is not None
    assert found.accuracy.overall == stated["disjoint"]["overall_accuracy"]
    assert found.random == stated["random_split_optimistic"]["overall_accuracy"]
    assert list(found.intervals.overall) == stated["confidence_intervals"]["overall_accuracy"]
    assert found.intervals.units == "units of ground"
    assert found.calibration is not None
    assert found.calibration.after == stated["expected_calibration_error"]["after"]
    assert [list(line) for line in found.calibration.bins_after] == stated["reliability"]["after"]


def test_what_evaluate_wrote_is_read_to_the_last_digit(full: tuple[Findings, str]) -> None:
    stated = json.loads((Path(full[0].raster.path).parent / "accuracy.json").read_text())
    found = read_evaluation(stated)
    assert found is not None
    assert not found.on_training_labels
    assert found.accuracy.overall == stated["overall_accuracy"]
    assert [row.area for row in found.areas] == [row["area"] for row in stated["area_adjusted"]["classes"]]


def test_intervals_that_do_not_fit_are_measured_anew() -> None:
    found = read_held_out({"disjoint": MATRIX, "confidence_intervals": {"overall_accuracy": [0.2, 0.9], "classes": []}})
    assert found is not None
    expected = measure_intervals(found.accuracy)
    assert found.intervals.overall == expected.overall
    np.testing.assert_array_equal(found.intervals.recall, expected.recall)


def test_a_share_beyond_all_bounds_is_not_believed() -> None:
    found = read_held_out({"disjoint": MATRIX, "random_split_optimistic": {"overall_accuracy": 1.7}})
    assert found is not None
    assert found.random is None


def test_whoever_does_not_say_that_labels_are_others_is_not_believed() -> None:
    found = read_evaluation(MATRIX)
    assert found is not None
    assert found.on_training_labels


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_anything_at_all_is_read_or_refused(document: dict[str, Any]) -> None:
    read_held_out(document)
    read_evaluation(document)
    found = read_held_out(document | {"disjoint": MATRIX})
    assert found is not None
    assert found.accuracy.total == 20
    read_evaluation(document | MATRIX)


@given(JSON, JSON)
def test_a_broken_matrix_is_none(names: Any, pixels: Any) -> None:
    found = read_evaluation({"confusion_matrix": {"row_names": names, "pixels": pixels}})
    assert found is None or found.accuracy.total > 0
