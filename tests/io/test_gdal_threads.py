from __future__ import annotations

import pytest

from hsigeo.io.gdal_threads import gdal_threads


def test_other_programs_limits_on_threads_hold_for_decompression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDAL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert gdal_threads() == 1
    monkeypatch.setenv("GDAL_NUM_THREADS", "3")
    assert gdal_threads() == 3
    monkeypatch.setenv("GDAL_NUM_THREADS", "ALL_CPUS")
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert 1 <= gdal_threads() <= 8
