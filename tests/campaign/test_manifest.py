"""The manifest is written as lines end; in large folders for some of them at a time, and none is lost."""

from __future__ import annotations

import types

import pytest

from hsigeo.campaign import manifest
from hsigeo.campaign.manifest import DONE, LineRecord, Manifest


class Clock:
    """Stands still but for what writing takes."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(manifest, "time", types.SimpleNamespace(**vars(manifest.time) | {"monotonic": clock.monotonic}))
    return clock


def slow_manifest(folder, clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float) -> Manifest:
    made, update = Manifest(folder), Manifest.update

    def slow(self, records, **how):
        update(self, records, **how)
        clock.now += seconds

    monkeypatch.setattr(Manifest, "update", slow)
    return made


def record(name: str) -> LineRecord:
    return LineRecord(line=name, scene=f"{name}.hdr", status=DONE)


def test_where_writing_is_quick_each_line_is_there_at_once(tmp_path, clock, monkeypatch):
    made = slow_manifest(tmp_path, clock, monkeypatch, 0.04)

    for count, name in enumerate("abc", start=1):
        made.note(record(name))
        assert len(made.read()) == count


def test_where_writing_is_slow_it_takes_a_twentieth_of_the_time_and_loses_no_line(tmp_path, clock, monkeypatch):
    made = slow_manifest(tmp_path, clock, monkeypatch, 0.5)

    made.note(record("a"))
    assert set(made.read()) == {"a"}
    clock.now += 9.9
    made.note(record("b"))
    made.note(record("c"))
    assert set(made.read()) == {"a"}
    clock.now += 0.2
    made.note(record("d"))
    assert set(made.read()) == {"a", "b", "c", "d"}
    made.note(record("e"))
    made.write_noted()
    assert set(made.read()) == {"a", "b", "c", "d", "e"}
    before = made.path.stat().st_mtime_ns
    made.write_noted()
    assert made.path.stat().st_mtime_ns == before
