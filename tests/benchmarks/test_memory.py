"""The benchmark of memory, once, small: a run takes what it planned."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from benchmarks.memory.__main__ import main
from benchmarks.memory.commands import main as compare_commands


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is counted in kB on Linux only")
def test_the_peak_is_within_a_tenth_of_the_plan():
    done = CliRunner().invoke(
        main, ["--sizes", "40M", "--samples", "1000", "--limits", "1G", "--options", "--threads 2"]
    )
    assert done.exit_code == 0, done.output
    header, _, row, _, worst = done.output.splitlines()
    assert header == "| scene | width | limit | planned | peak | peak / planned | seconds |"
    assert row.startswith("| 40M | 1000 | 1G | ")
    assert 0.9 < float(row.split(" | ")[5]) < 1.1
    assert worst.startswith("worst: ")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is counted in kB on Linux only")
def test_peaks_of_commands_are_measured_one_by_one():
    done = CliRunner().invoke(compare_commands, ["--sizes", "2M", "--samples", "200", "--only", "statistics,info"])
    assert done.exit_code == 0, done.output
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows] == ["| command", "| info", "| statistics", "| statistics with spectra"]
