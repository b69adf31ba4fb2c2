"""The benchmark of the default network runs, and its two sides are asked about the same pixels."""

from __future__ import annotations

import numpy as np
from click.testing import CliRunner

from benchmarks.network.__main__ import main
from benchmarks.network.stages import make_subject


def test_it_runs_and_prints_both_tables(monkeypatch):
    monkeypatch.setattr("benchmarks.network.__main__.STAGE_BANDS", 20)
    arguments = ["--bands", "10,20", "--classes", "3", "--pixels", "300", "--repeats", "2", "--stages", "--unknown"]

    result = CliRunner().invoke(main, arguments, catch_exceptions=False)

    assert result.exit_code == 0, result.output
    rows = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert [row.split("|")[1].strip() for row in rows[2:4]] == ["10", "20"]
    assert len(rows) == 4 + 2 + 4


def test_both_sides_give_the_same_and_dead_bands_make_pixels_odd():
    subject = make_subject(60, classes=3, pixels=500, odd=0.2)

    assert 0.1 < subject.odd_share < 0.3
    # Most agree to 1e-5; what is healed is settled in float32, and these materials ask much of that.
    np.testing.assert_allclose(subject.ask("cpu", measured=True)[:3], subject.ask("plain"), atol=1e-3)
