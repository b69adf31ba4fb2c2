"""The classifiers benchmark makes the same kind of map with every contestant, and says who could not take part."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

for _needed in ("sklearn", "scipy", "threadpoolctl"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed; pip install '.[benchmark]' to run the benchmark")

from benchmarks.classifiers.__main__ import main  # noqa: E402

SMALL = ("--task", "indian_pines/5", "--lines", "70", "--samples", "40", "--repeats", "1")
WINDOWED = "hsigeo,svc,svc-dask,forest,forest-dask,lda"


def test_every_contestant_maps_every_pixel(real_data: Path, tmp_path: Path) -> None:
    arguments = [*SMALL, "--classifiers", WINDOWED, "--data", str(real_data), "--folder", str(tmp_path)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)

    assert result.exit_code == 0, result.output
    maps = {}
    for name in WINDOWED.split(","):
        assert f"| {name} |" in result.stdout
        with rasterio.open(tmp_path / f"{name}.tif") as made:
            maps[name] = made.read(1)
            assert (maps[name].shape, maps[name].dtype, made.crs.to_epsg()) == ((70, 40), np.uint8, 32633)
            assert maps[name].min() >= 1
            assert maps[name].max() <= 16
    np.testing.assert_array_equal(maps["svc"], maps["svc-dask"])
    np.testing.assert_array_equal(maps["forest"], maps["forest-dask"])
    assert (maps["hsigeo"] == maps["svc"]).mean() > 0.3  # they mean the same classes


def test_who_is_not_installed_does_not_take_part(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spectral", None)
    arguments = [*SMALL, "--classifiers", "lda,spectral-gaussian", "--data", str(real_data), "--folder", str(tmp_path)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert "spectral-gaussian did not take part: Spectral Python is not installed" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--classifiers", "cnn"], "there is no classifier 'cnn'"),
        (["--task", "paris/all"], "'paris/all' is no task; there are potsdam_validation"),
        (["--task", "berlin/many"], "'berlin/many' is no task"),
    ],
)
def test_wrong_usage_says_what_would_be_right(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
