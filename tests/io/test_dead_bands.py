"""Dead bands that nobody marked."""

from __future__ import annotations

import numpy as np
import pytest
from classifications import make_grid

from hsigeo.bands import BandTable
from hsigeo.io import mark_dead_bands
from hsigeo.scene import make_scene


def scene_of(values):
    bands = BandTable(count=len(values), wavelength=np.linspace(450, 2300, len(values)))
    grid = make_grid(values.shape[1], values.shape[2])
    return make_scene(values.astype(np.float32), grid=grid, bands=bands, attrs={"source": "s", "repairs": ["one"]})


def values(bands=12, lines=20, samples=15):
    return np.random.default_rng(0).random((bands, lines, samples)).astype(np.float32)


@pytest.mark.parametrize("stuck", [0.0, 0.7, np.nan])
def test_a_band_that_holds_one_number_or_none_is_marked_and_said(stuck):
    cube = values()
    cube[4] = stuck
    marked = mark_dead_bands(scene_of(cube))
    np.testing.assert_array_equal(np.flatnonzero(~marked.good.values), [4])
    assert marked.attrs["repairs"][0] == "one"
    assert marked.attrs["repairs"][1].endswith("band 5")


def test_a_sound_scene_is_left_as_it_is():
    scene = scene_of(values())
    assert mark_dead_bands(scene) is scene


def test_the_ragged_edge_of_a_swath_is_no_dead_band():
    cube = values()
    cube[:, :, :9] = np.nan
    scene = scene_of(cube)
    assert mark_dead_bands(scene) is scene


@pytest.mark.parametrize(
    "cube", [np.full((12, 20, 15), 0.3), np.full((12, 20, 15), np.nan), values(lines=1, samples=3)]
)
def test_a_scene_that_is_constant_empty_or_tiny_is_not_judged(cube):
    scene = scene_of(cube)
    assert mark_dead_bands(scene) is scene
