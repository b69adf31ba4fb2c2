"""The benchmark of smoothing: what is hidden stays hidden, and it runs on the sample scenes with their model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.smoothing.__main__ import make_table
from benchmarks.smoothing.cases import DEVELOPMENT, REPORTING, few_of_each
from benchmarks.smoothing.judging import judge, smoothing, usual_ways
from hsigeo.model import load_model


@pytest.fixture(scope="module")
def case(sample_scenes):
    """The first of the sample scenes, as a case."""
    (found,) = REPORTING["invented/20"](sample_scenes, 0)
    return replace(found, tiles=found.tiles[:1])


def test_on_the_sample_scenes_smoothing_helps_and_the_table_says_so(case, sample_scenes):
    scores = judge([case], usual_ways(), 0, load_model(sample_scenes / "line_1.safetensors"))

    assert scores["--smooth 2 --scene"].overall > scores["as classified"].overall > 0.7
    # What a majority filter takes away are small patches.
    assert scores["--majority 3"].by_kind[0] < scores["--smooth 2 --scene"].by_kind[0]
    assert max(case.train.counts.values()) == 20
    assert 0.5 < (case.tiles[0].truth > 0).mean() < 0.9
    table = make_table("invented/20", [scores, scores], [*case.classes, *case.kinds])
    assert "| as classified | " in table
    assert "± 0.0 |" in table


def test_training_pixels_pull_nobody_and_tasks_are_apart(case, sample_scenes):
    model = load_model(sample_scenes / "line_1.safetensors")
    tile = case.tiles[0]
    patch = np.zeros_like(tile.hidden)
    patch[90:96, 40:46] = True
    seen = []

    def look(tile, probabilities):
        seen.append(probabilities)
        return smoothing(4, 3, scene=False)(tile, probabilities)

    judge([replace(case, tiles=(replace(tile, hidden=patch),))], {"look": look}, 0, model)

    assert np.isnan(seen[0][:, patch]).all()
    assert not set(REPORTING) & set(DEVELOPMENT)
    assert len(few_of_each(case.train, None, 0)) == len(case.train)
