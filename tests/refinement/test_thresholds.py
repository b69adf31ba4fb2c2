from __future__ import annotations

import numpy as np
import pytest

from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError
from hsigeo.refinement.thresholds import Thresholds, parse_thresholds

CLASSES = ClassTable.from_names(["Oak & elm", "pH=7", "水", "1"])


def test_a_name_may_hold_an_equals_sign_and_comes_before_an_id():
    thresholds = parse_thresholds(["0.5", "pH=7=0.75", "1=0.25"])

    least = thresholds.by_id(CLASSES)

    assert thresholds.everywhere == 0.5
    np.testing.assert_array_equal(least, np.array([-np.inf, 0.5, 0.75, 0.5, 0.25], dtype=np.float32))


def test_a_stored_nine_tenths_is_no_less_than_nine_tenths():
    assert np.float32(0.9) >= parse_thresholds(["水=0.9"]).by_id(CLASSES)[3]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["high"], "is not a threshold"),
        (["水="], "is not a threshold"),
        (["=0.5"], "names no class"),
        (["1.5"], "between 0 and 1"),
        (["水=nan"], "between 0 and 1"),
        (["0.5", "0.6"], "2 thresholds for all"),
        (["水=0.5", "水=0.6"], "two thresholds"),
    ],
)
def test_what_is_no_threshold_is_said(texts, message):
    with pytest.raises(ValueError, match=message):
        parse_thresholds(texts)


def test_a_class_by_name_and_id_is_one_class():
    with pytest.raises(LabelError, match="one class"):
        Thresholds(of_classes=(("水", 0.5), ("3", 0.6))).by_id(CLASSES)
    with pytest.raises(LabelError, match="no class 'Birke'"):
        Thresholds(of_classes=(("Birke", 0.5),)).by_id(CLASSES)
