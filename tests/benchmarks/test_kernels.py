"""The kernel benchmark runs, and its rivals compute the same numbers."""

from __future__ import annotations

import shutil

import pytest
import torch
from click.testing import CliRunner

pytest.importorskip("numba")

from benchmarks.kernels.__main__ import main
from benchmarks.kernels.rivals import Problem, kernel_of

SMALL = ["--smoke", "--bands", "20", "--heads", "2", "--width", "8"]


def test_all_ways_give_the_same_embedding():
    problem, values = Problem.draw(bands=20, heads=2, width=8), torch.randn(5, 20)
    found = []
    with torch.inference_mode():
        for name, way in problem.ways().items():
            with kernel_of(name):
                found.append(way(values))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-5)


def test_every_table_is_printed():
    said = CliRunner().invoke(main, SMALL)
    assert said.exit_code == 0, said.output
    for part in ("Embedding", "Training step", "Bare weights", "All other layers"):
        assert part in said.output
    if any(map(shutil.which, ("gcc", "clang", "cc"))):
        assert "C loop, unprotected" in said.output


def test_without_a_compiler_the_loop_is_skipped_with_a_reason(monkeypatch):
    monkeypatch.setattr("benchmarks.kernels.c_loop.shutil.which", lambda _: None)
    said = CliRunner().invoke(main, SMALL)
    assert "skipped, there is no C compiler here" in said.output


def test_the_sweep_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.kernels.sweep.BANDS", (5, 9))
    said = CliRunner().invoke(main, [*SMALL, "--sweep", str(tmp_path / "sweep.png")])
    assert said.exit_code == 0, said.output
    assert (tmp_path / "sweep.png").stat().st_size > 10_000
