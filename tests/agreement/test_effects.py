from __future__ import annotations

import numpy as np
import pytest

from hsigeo.agreement.counts import PairCounts
from hsigeo.agreement.effects import find_outliers, line_effects


def pair(disagreement: float, pixels: int = 1000) -> PairCounts:
    counts = PairCounts.empty(2)
    differ = round(pixels * disagreement)
    counts.add(np.zeros(pixels, dtype=int), np.arange(pixels) < differ)
    return counts


def campaign(errors: list[float], reach: int, usual: float = 0.05) -> dict[tuple[int, int], PairCounts]:
    """Lines side by side, each overlapping the next ones."""
    count = len(errors)
    return {
        (i, j): pair(usual + errors[i] + errors[j])
        for i in range(count)
        for j in range(i + 1, min(i + 1 + reach, count))
    }


@pytest.mark.parametrize("reach", [1, 2, 4])
@pytest.mark.parametrize("bad", [0, 3, 11])
def test_the_bad_line_is_told_from_its_neighbours(reach, bad):
    errors = [0.0] * 12
    errors[bad] = 0.25

    effects = line_effects(campaign(errors, reach), 12)

    assert find_outliers(effects) == [bad]
    assert effects[bad] == pytest.approx(0.25, abs=0.04)
    assert np.abs(np.delete(effects, bad)).max() < 0.06


def test_two_bad_lines_are_found_the_worse_first():
    errors = [0.0] * 10
    errors[2], errors[7] = 0.15, 0.3

    assert find_outliers(line_effects(campaign(errors, 2), 10)) == [7, 2]


def test_a_campaign_without_a_bad_line_has_none():
    errors = np.random.default_rng(0).uniform(0, 0.02, 15).tolist()

    assert find_outliers(line_effects(campaign(errors, 2), 15)) == []


def test_two_lines_share_the_blame_and_neither_is_called_odd():
    effects = line_effects({(0, 1): pair(0.4)}, 2)

    assert effects[0] == pytest.approx(effects[1])
    assert find_outliers(effects) == []


def test_a_few_pixels_say_nothing_about_a_line():
    pairs = campaign([0.0] * 6, 2) | {(0, 6): pair(0.9, pixels=20)}

    effects = line_effects(pairs, 8)

    assert np.isnan(effects[6])
    assert np.isnan(effects[7])
    assert find_outliers(effects) == []


def test_no_pairs_no_effects():
    assert np.isnan(line_effects({}, 3)).all()
