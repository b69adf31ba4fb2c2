from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hsigeo.errors import OutputError
from hsigeo.mosaic.rules import Rule, choose_rule, is_better, most_probable, score_by_centre, score_by_zenith

NAN = np.nan


def one(value: float, dtype: type = np.float32) -> np.ndarray:
    return np.array([[value]], dtype=dtype)


@pytest.mark.parametrize(
    ("score", "best", "covered", "taken", "wins"),
    [
        (0.2, NAN, True, False, True),  # the first that says anything
        (NAN, NAN, True, False, True),  # even if how good it is is not known
        (0.9, 0.2, True, True, True),
        (0.2, 0.9, True, True, False),
        (0.5, 0.5, True, True, False),  # of equals the first stays
        (NAN, 0.1, True, True, False),  # not known never beats known
        (0.1, NAN, True, True, True),  # and known beats not known
        (NAN, NAN, True, True, False),
        (0.9, 0.2, False, True, False),  # a line that says nothing wins nothing
        (0.9, NAN, False, False, False),
        (-40.0, -50.0, True, True, True),
    ],
)
def test_who_takes_a_pixel(score, best, covered, taken, wins):
    assert is_better(one(score), one(best), one(covered, bool), one(taken, bool)).item() is wins


def test_looking_straight_down_and_lying_in_the_centre_are_best():
    assert np.argsort(score_by_zenith(np.array([30.0, 0.0, 12.0]))).tolist() == [0, 2, 1]
    assert np.argsort(score_by_centre(np.array([-300.0, 20.0, 120.0]))).tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("sums", "covered", "position"),
    [
        ([0.2, 1.5, 0.3], True, 2),
        ([0.7, 0.7, 0.6], True, 1),  # of equals the lower id
        ([0.0, 0.0, 0.0], False, 0),  # nobody says anything
    ],
)
def test_the_class_with_the_highest_mean_is_taken(sums, covered, position):
    assert most_probable(np.array(sums, dtype=np.float32).reshape(3, 1, 1), one(covered, bool)).item() == position


def line(name: str, *has: str) -> SimpleNamespace:
    return SimpleNamespace(
        name=name, **{kind: kind if kind in has else None for kind in ("probabilities", "confidence", "observation")}
    )


@pytest.mark.parametrize(
    ("first", "second", "rule", "notes"),
    [
        (("probabilities", "confidence"), ("probabilities",), Rule.PROBABILITY, 0),
        (("probabilities",), ("confidence",), Rule.CONFIDENCE, 1),  # probabilities say how sure a line is, too
        (("confidence",), ("confidence", "observation"), Rule.CONFIDENCE, 0),
        (("observation",), ("observation",), Rule.ZENITH, 0),
        (("confidence",), ("observation",), Rule.CENTRE, 2),
        ((), (), Rule.CENTRE, 0),
    ],
)
def test_one_rule_for_all_lines_the_best_that_all_can_follow(first, second, rule, notes):
    chosen, said = choose_rule([line("a", *first), line("b", *second)])

    assert chosen is rule
    assert len(said) == notes


def test_a_rule_asked_for_is_followed_or_refused_with_the_lines_that_cannot():
    lines = [line("north", "confidence"), line("south")]

    assert choose_rule(lines, Rule.ORDER) == (Rule.ORDER, [])
    with pytest.raises(OutputError, match="1 of 2 have none: south"):
        choose_rule(lines, Rule.CONFIDENCE)
