"""The oracles are a plain loop over pixels, and the whole map in one window."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from campaigns import CLASSES, make_ids, make_line_grid, make_probabilities_of, read, write_line

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.io import open_map
from hsigeo.refinement import assembly, edges, probabilities
from hsigeo.refinement.assembly import refine_map
from hsigeo.refinement.changes import ClassChange
from hsigeo.refinement.edges import edges_of_probabilities, edges_of_scene
from hsigeo.refinement.probabilities import plan_windows, smoothed
from hsigeo.refinement.request import Refinement, Smoothing
from hsigeo.refinement.smoothing import link, smooth, squared_angles, squared_differences
from hsigeo.scene import make_scene

GRID = make_line_grid(37, 29)
IDS = make_ids(GRID)
PROBABILITIES = make_probabilities_of(IDS)
AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def make_cube(bands: int = 7) -> np.ndarray:
    """(band, y, x) spectra of the classes, brighter and darker, NaN where there is no class."""
    random = np.random.default_rng(1)
    shapes = random.random((len(CLASSES) + 1, bands)).astype(np.float32) + 0.2
    cube = shapes[IDS] * random.uniform(0.5, 2, (*IDS.shape, 1)) + random.normal(0, 0.02, (*IDS.shape, bands))
    cube[IDS == 0] = np.nan
    return np.moveaxis(cube, 2, 0).astype(np.float32)


def smooth_by_loops(probability, alike, *, strength, rounds):
    """`alike(pixel, neighbour)` is the factor of their link."""
    answer = {tuple(map(int, at)): probability[:, *at] for at in np.argwhere(np.isfinite(probability[0]))}
    evidence = {at: np.log(np.maximum(values, 1e-6)) for at, values in answer.items()}
    total = 4 + 4 / math.sqrt(2)
    for _ in range(rounds):
        new = {}
        for (row, col), own in evidence.items():
            pull = np.zeros(len(own))
            for down, right in AROUND:
                there = (row + down, col + right)
                if there in answer:
                    share = 1 / math.hypot(down, right) / total
                    pull += share * alike((row, col), there) * answer[there]
            raised = np.exp(own + strength * pull)
            new[row, col] = raised / raised.sum()
        answer = new
    out = np.full(probability.shape, np.nan)
    for at, values in answer.items():
        out[:, *at] = values
    return out


def test_smoothing_is_that_of_a_plain_loop_with_edges_between_spectra():
    cube = make_cube()
    squared = squared_angles(cube)
    usual = 0.03

    def alike(here, there):
        a, b = cube[:, *here].astype(float), cube[:, *there].astype(float)
        angle = math.acos(min(1.0, a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
        return math.exp(-0.5 * angle**2 / usual)

    found = smooth(PROBABILITIES, link(squared, usual), strength=3.0, rounds=2)

    expected = smooth_by_loops(PROBABILITIES, alike, strength=3.0, rounds=2)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.nanmax(np.abs(found - PROBABILITIES)) > 0.1


def test_smoothing_is_that_of_a_plain_loop_with_edges_between_probabilities():
    def alike(here, there):
        difference = PROBABILITIES[:, *here] - PROBABILITIES[:, *there]
        return math.exp(-0.5 * 0.5 * float(difference @ difference) / 0.1)

    found = smooth(PROBABILITIES, link(squared_differences(PROBABILITIES), 0.1), strength=2.0, rounds=3)

    np.testing.assert_allclose(found, smooth_by_loops(PROBABILITIES, alike, strength=2.0, rounds=3), atol=2e-5)


def test_what_has_no_probability_gets_none_and_gives_none():
    open_ground = PROBABILITIES.copy()
    open_ground[:, 10:14, 10:14] = np.nan
    links = link(np.zeros((4, *IDS.shape), dtype=np.float32), 1.0)
    elsewhere = open_ground.copy()
    elsewhere[:, 20:, :] = PROBABILITIES[:, 20:, ::-1]  # three rounds do not reach from there

    found = smooth(open_ground, links, strength=4.0, rounds=3)

    np.testing.assert_array_equal(np.isnan(found), np.isnan(open_ground))
    np.testing.assert_allclose(found.sum(axis=0)[np.isfinite(open_ground[0])], 1, rtol=1e-5)
    np.testing.assert_array_equal(smooth(elsewhere, links, strength=4.0, rounds=3)[:, :17], found[:, :17])


def test_neighbours_that_are_sure_add_the_strength_to_the_log_odds_and_an_edge_takes_it_away():
    probability = np.zeros((2, 3, 3), dtype=np.float32)
    probability[0] = 1
    probability[:, 1, 1] = 0.25, 0.75
    alike, other = np.zeros((4, 3, 3), dtype=np.float32), np.full((4, 3, 3), 100, dtype=np.float32)

    def log_odds(squared):
        first, second = smooth(probability, link(squared, 1.0), strength=2.0, rounds=1)[:, 1, 1]
        return math.log(first / second)

    assert log_odds(alike) == pytest.approx(math.log(1 / 3) + 2, abs=1e-5)
    assert log_odds(other) == pytest.approx(math.log(1 / 3), abs=1e-5)


def test_brightness_is_no_edge_and_small_angles_are_seen():
    spectra = np.array([[1.0, 2.0, 1.0], [1.0, 2.0, 1.0001]], dtype=np.float32)[:, None]

    squared = squared_angles(spectra)[0, 0]

    assert squared[0] == 0
    assert squared[1] == pytest.approx((math.atan(1.0001) - math.pi / 4) ** 2, rel=1e-2)


@pytest.mark.parametrize("with_scene", [True, False])
def test_windows_do_not_change_the_answer(monkeypatch, with_scene):
    cube = make_cube()
    scene = make_scene(cube, grid=GRID, bands=BandTable(count=len(cube)), attrs={}).chunk({"y": 9})

    def read_stored(rows, cols):
        return PROBABILITIES[:, rows, cols]

    def read_all():
        links = edges_of_scene(scene) if with_scene else edges_of_probabilities(read_stored, IDS.shape)
        return smoothed(read_stored, IDS.shape, strength=4.0, rounds=3, links=links)

    whole = read_all()(slice(0, GRID.lines), slice(0, GRID.samples))
    monkeypatch.setattr(probabilities, "WINDOW_BYTES", 4 * 4 * 13**2)
    monkeypatch.setattr(edges, "READ_BYTES", 5000)
    monkeypatch.setattr(edges, "SLAB_BYTES", 3000)
    windows = list(plan_windows(0, GRID.lines, GRID.samples, layers=4, margin=3))
    pieces = np.full_like(whole, -1)
    read_window = read_all()
    for rows, cols in windows:
        pieces[:, rows, cols] = read_window(rows, cols)

    assert len(windows) > 12
    np.testing.assert_array_equal(pieces, whole)


def test_windows_cover_every_pixel_once():
    for lines, samples, layers, margin in [(1, 1, 1, 0), (600, 70_000, 3, 0), (512, 5000, 40, 3), (256, 3, 60_000, 20)]:
        covered = np.zeros((lines, samples), dtype=np.uint8)
        for rows, cols in plan_windows(0, lines, samples, layers=layers, margin=margin):
            covered[rows, cols] += 1
        assert (covered == 1).all()


@pytest.fixture
def raster(tmp_path):
    return open_map(write_line(tmp_path / "line_map.tif", GRID, IDS, probabilities=PROBABILITIES))


def test_a_smoothed_map_is_placed_like_the_first_and_carries_its_confidence(raster, tmp_path, monkeypatch):
    changes = (ClassChange(old="水", name="Wasser <süß>"),)
    whole = refine_map(
        raster, tmp_path / "a.tif", Refinement(changes=changes, smoothing=Smoothing(strength=3)),
        confidence=tmp_path / "a_confidence.tif",
    )  # fmt: skip
    monkeypatch.setattr(assembly, "BLOCK", 8)
    monkeypatch.setattr(probabilities, "WINDOW_BYTES", 4 * 4 * 13**2)
    refine_map(raster, tmp_path / "b.tif", Refinement(changes=changes, smoothing=Smoothing(strength=3)))

    merged = np.stack([PROBABILITIES[0], PROBABILITIES[1] + PROBABILITIES[2], PROBABILITIES[3]])
    read_links = edges_of_probabilities(lambda rows, cols: merged[:, rows, cols], IDS.shape)
    links = read_links(slice(0, GRID.lines), slice(0, GRID.samples))
    expected = smooth(merged, links, strength=3.0, rounds=3)
    ids = np.where(IDS > 0, np.array([1, 2, 4])[np.nan_to_num(expected).argmax(axis=0)], 0)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), ids)
    np.testing.assert_array_equal(read(tmp_path / "b.tif"), ids)
    np.testing.assert_allclose(read(tmp_path / "a_confidence.tif"), expected.max(axis=0), atol=1e-6)
    assert whole.pixels[0] == (IDS == 0).sum()
    with rasterio.open(tmp_path / "a.tif") as new, rasterio.open(tmp_path / "line_map.tif") as old:
        assert new.crs == old.crs
        assert new.transform == old.transform
    steps = open_map(tmp_path / "a.tif").metadata["refined"][0]["steps"]
    assert [step["operation"] for step in steps] == ["classes", "smoothing", "probabilities"]
    assert steps[1]["edges"] == "probabilities"


def test_a_scene_that_is_not_that_of_the_map_is_refused(raster, sample_scenes, tmp_path):
    scene = sample_scenes / "line_1.hdr"

    with pytest.raises(SceneError, match="is not the scene of this map"):
        refine_map(raster, tmp_path / "a.tif", Refinement(smoothing=Smoothing(strength=1, scene=scene)))
    assert not (tmp_path / "a.tif").exists()


@pytest.mark.parametrize("wrong", [{"strength": 0.0}, {"strength": math.nan}, {"strength": 1, "rounds": 21}])
def test_a_smoothing_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="smoothing"):
        Smoothing(**wrong)


def test_probabilities_that_are_no_numbers_are_not_known(raster, tmp_path):
    """Without a warning, which tests turn into an error."""
    with rasterio.open(tmp_path / "line_probabilities.tif", "r+") as layer:
        values = layer.read()
        values[0, 0], values[1, :, 3] = np.inf, 3e38
        layer.write(values)

    refine_map(raster, tmp_path / "calm.tif", Refinement(smoothing=Smoothing(strength=2)))

    assert (read(tmp_path / "calm.tif")[0] == 0).all()
