"""The benchmark of unknown classes: its measure, and that a withheld class is not learnt."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.pixels import Pixels
from benchmarks.accuracy.splits import Division
from benchmarks.unknown.withheld import area_under_roc, withheld_cases


def test_the_area_under_roc_is_the_chance_that_a_stranger_scores_higher() -> None:
    generator = np.random.default_rng(0)
    known, strangers = generator.integers(0, 9, 40).astype(float), generator.integers(2, 12, 30).astype(float)
    pairs = [(1.0 if s > k else 0.5 if s == k else 0.0) for s in strangers for k in known]

    assert area_under_roc(known, strangers) == pytest.approx(np.mean(pairs))


def test_each_class_is_withheld_in_turn_and_strangers_are_told_apart() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    shapes = generator.uniform(0.1, 0.9, (3, 24))
    pixels = Pixels(
        spectra=(shapes[labels] + 0.01 * generator.normal(size=(180, 24))).astype(np.float32),
        labels=labels,
        groups=np.arange(180) // 6,
        wavelengths=np.linspace(450, 2400, 24),
    )
    even = pixels.groups % 2 == 0

    found = list(withheld_cases(Division(pixels=pixels, divide=lambda _: (even, ~even)), seed=0, rate=0.1))

    assert [case.withheld for case in found] == [0, 1, 2]
    assert all((case.strangers, case.known) == (30, 60) for case in found)
    assert all(case.by_distance > 0.95 and case.caught > 0.9 and case.lost < 0.4 for case in found)
