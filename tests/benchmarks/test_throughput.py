"""The throughput benchmark runs, its scenes are what readers read, and it cleans up behind itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.cubes import LAYOUTS, make_library, write_cube
from benchmarks.rounds import Cost, ratio_of_medians, run_rounds
from benchmarks.throughput.__main__ import main
from benchmarks.throughput.stages import _repeat
from hsigeo.io import open_cube
from hsigeo.io.scaling import Scaling
from hsigeo.io.spectra import StoredBlock

SMALL = ("--sizes", "0.001", "--bands", "20", "--samples", "60", "--repeats", "2")


def test_a_scene_is_the_same_in_every_layout(tmp_path: Path) -> None:
    library = make_library(20)
    cubes = [open_cube(write_cube(tmp_path, layout, library, lines=300, samples=70)) for layout in LAYOUTS]
    values = [cube.read(slice(None), slice(None)) for cube in cubes]
    for cube, found in zip(cubes, values, strict=True):
        np.testing.assert_array_equal(found, values[0])
        assert cube.header.grid.transform == cubes[0].header.grid.transform
        np.testing.assert_allclose(cube.header.bands.wavelength, library.wavelengths)
        np.testing.assert_array_equal(cube.header.scaling.gain, 1e-4)


def test_rounds_go_forth_and_back_and_ratios_are_of_medians() -> None:
    order: list[str] = []

    def measure(name: str) -> Cost:
        order.append(name)
        return Cost(wall=float(len(order)), cpu=0.0)

    costs = run_rounds({"a": lambda: measure("a"), "b": lambda: measure("b")}, 3)

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [cost.wall for cost in costs["a"]] == [1, 4, 5]
    assert ratio_of_medians([1.0, 4.0, 5.0], [2.0, 3.0, 6.0]) == pytest.approx((4 / 3, 1 / 2, 4 / 3))


@pytest.mark.parametrize("extra", [["--layouts", "bil,tif", "--cold"], ["--layouts", "bsq", "--lazy"]])
def test_it_runs_and_leaves_nothing(extra: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*SMALL, *extra, "--folder", str(tmp_path)], catch_exceptions=False)

    assert result.exit_code == 0, result.output
    head, _, *rows = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert len(rows) == len(extra[1].split(","))
    assert all(row.count("|") == head.count("|") for row in rows)
    assert not any(tmp_path.iterdir())


def test_blocks_that_are_repeated_are_as_large_as_their_windows() -> None:
    def block(wide: int) -> StoredBlock:
        values = np.zeros((2, 16, wide), dtype=np.int16)
        return StoredBlock(values=values, used=np.arange(2), scaling=Scaling.constant(2), nodata=None)

    windows = [(slice(top, top + 16), slice(left, min(left + 32, 90))) for top in (0, 16) for left in (0, 32, 64)]
    repeated = list(_repeat([block(32), block(32), block(26), block(32)], windows))
    assert [window for window, _ in repeated] == windows
    assert [found.shape for _, found in repeated] == [(16, cols.stop - cols.start) for _, cols in windows]


def test_a_layout_that_is_not_known_is_refused() -> None:
    result = CliRunner().invoke(main, ["--layouts", "bil,zip"])
    assert result.exit_code == 2
    assert "there is no layout 'zip'; there are bil, bip" in result.stderr
