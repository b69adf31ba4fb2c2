"""How far a command is, for people and for programs."""

from __future__ import annotations

import json

import pytest

from hsigeo.cli.options import progress_bar, progress_lines, progress_notes


@pytest.fixture
def read_lines(capsys):
    return lambda: [json.loads(line)["progress"] for line in capsys.readouterr().err.splitlines()]


def test_programs_read_a_line_of_json_for_each_step(read_lines):
    clock = iter([0.0, 1.0, 2.0])
    show = progress_lines("Klässify", "px", clock=lambda: next(clock))

    for done in (10, 20, 30):
        show(done, 30)

    assert read_lines() == [{"what": "Klässify", "done": done, "total": 30, "unit": "px"} for done in (10, 20, 30)]


def test_many_quick_steps_give_few_lines_but_the_last_one_always(read_lines):
    show = progress_lines("quick", "row", clock=lambda: 0.0)

    for done in range(1, 1001):
        show(done, 1000)

    assert [line["done"] for line in read_lines()] == [1, 1000]


def test_the_environment_chooses_lines_instead_of_a_bar(monkeypatch, read_lines):
    monkeypatch.setenv("HSIGEO_PROGRESS", "json")

    with progress_bar("work", "px") as show:
        show(1, 1)

    assert read_lines() == [{"what": "work", "done": 1, "total": 1, "unit": "px"}]


def test_without_it_quick_work_says_nothing_where_stderr_is_no_terminal(monkeypatch, capsys):
    monkeypatch.delenv("HSIGEO_PROGRESS", raising=False)

    with progress_bar("work", "px") as show:
        show(1, 1)

    assert capsys.readouterr().err == ""


def test_a_log_gets_a_line_with_rate_and_time_left_now_and_then(capsys):
    now = [0.0]
    show = progress_notes("classify", "px", clock=lambda: now[0])

    for second in range(1, 101):
        now[0] = float(second)
        show(2_000 * second, 200_000)

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "classify: 6,000 of 200,000 px (3%), 2,000 px/s, 0:01:37 left"
    assert 5 < len(lines) < 12
    assert not any("\r" in line for line in lines)
