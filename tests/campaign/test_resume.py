"""Killed at any step or moment, the same command completes the maps, to the byte, and makes no finished tile again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flight_lines import write_line
from labelled_spectra import make_model

from hsigeo.model import write_model

HERE = Path(__file__).parent
TILES = 5


@pytest.mark.parametrize(("kind", "count"), [("steps", 24), ("moments", 8)])
def test_a_killed_run_is_completed_to_the_same_bytes(tmp_path, kind, count):
    write_line(tmp_path, "line")
    write_model(make_model(), tmp_path / "line.safetensors")
    done = subprocess.run(
        [sys.executable, str(HERE / "killed_runs.py"), str(tmp_path), kind, str(count)],
        env={"PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(reports) == count, done.stderr
    for report in reports:
        assert report["code"] == 0, report
        assert report["same"], report
        assert report["left"] == [], report
        assert report["made"] == (0 if report["finished"] else TILES - report["held"]), report
    if kind == "steps":
        assert sum(report["killed"] for report in reports) > count // 2
        assert {0 < report["held"] < TILES for report in reports} == {False, True}
