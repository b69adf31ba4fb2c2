"""Area-adjusted accuracy against the published worked example, a derivation by simulation, and edge cases."""

from __future__ import annotations

import numpy as np
import pytest

from hsigeo.areas import estimate_areas
from hsigeo.intervals import Z

# Olofsson et al. 2014, section 5, table 8: 640 sample units; there rows are map classes, columns reference classes.
NAMES = ("deforestation", "forest gain", "stable forest", "stable non-forest")
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
HECTARES = PIXELS * 0.09  # of 30 m pixels


def test_the_published_example_is_reproduced() -> None:
    found = estimate_areas(COUNTS.T, HECTARES, names=NAMES)

    assert found.area == pytest.approx([21_158, 11_686, 285_770, 581_386], abs=0.5)
    assert Z * found.area_error == pytest.approx([6_158, 3_756, 15_510, 16_282], abs=1)
    assert found.overall == pytest.approx(0.95, abs=0.005)
    assert Z * found.overall_error == pytest.approx(0.02, abs=0.005)
    assert found.precision == pytest.approx([0.88, 0.73, 0.93, 0.96], abs=0.005)
    assert Z * found.precision_error == pytest.approx([0.07, 0.10, 0.04, 0.02], abs=0.005)
    assert found.recall[0] == pytest.approx(0.75, abs=0.005)
    assert Z * found.recall_error[0] == pytest.approx(0.21, abs=0.005)


def test_every_standard_error_is_what_drawing_again_gives() -> None:
    found = estimate_areas(COUNTS.T, HECTARES, names=NAMES)
    generator = np.random.default_rng(0)
    again = np.stack([generator.multinomial(n.sum(), n / n.sum(), size=20_000) / n.sum() for n in COUNTS], axis=1)
    areas = HECTARES[None, :, None] * again  # (draw, map class, reference class)
    right = np.einsum("dii->di", areas)

    assert found.area_error == pytest.approx(areas.sum(axis=1).std(axis=0), rel=0.03)
    assert found.overall_error == pytest.approx((right.sum(axis=1) / HECTARES.sum()).std(), rel=0.03)
    # A ratio; its linearised variance is off by some per cent where the denominator varies much.
    assert found.recall_error == pytest.approx((right / areas.sum(axis=1)).std(axis=0), rel=0.08)


def test_areas_add_up_to_the_map() -> None:
    found = estimate_areas(COUNTS.T, HECTARES, names=NAMES)

    assert found.area.sum() == pytest.approx(HECTARES.sum())
    assert found.mapped.sum() == pytest.approx(HECTARES.sum())


def test_a_sample_in_proportion_to_the_map_gives_the_plain_figures() -> None:
    counts = np.array([[40, 10], [20, 30]])  # reference, map

    found = estimate_areas(counts, counts.sum(axis=0), names=("a", "b"), unit="pixels")

    assert found.overall == pytest.approx(0.7)
    assert found.recall == pytest.approx([0.8, 0.6])
    assert found.precision == pytest.approx([40 / 60, 30 / 40])
    assert found.area == pytest.approx([50, 50])


def test_a_class_that_the_map_never_shows_still_gets_its_area() -> None:
    counts = np.array([[8, 2, 0], [0, 8, 0], [2, 0, 0]])

    found = estimate_areas(counts, np.array([100.0, 300.0, 0.0]), names=("a", "b", "missed"))

    assert found.area == pytest.approx([80 + 60, 240, 20])
    assert found.recall[2] == 0
    assert np.isnan(found.precision[2])
    assert found.to_json()["classes"][2]["precision"] is None


def test_a_mapped_class_without_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match=r"b: mapped, but with fewer than 2 reference pixels"):
        estimate_areas(np.array([[5, 1], [2, 0]]), np.array([10.0, 10.0]), names=("a", "b"))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="square matrix"):
        estimate_areas(np.zeros((2, 3), dtype=np.int64), np.ones(2), names=("a", "b"))
    with pytest.raises(ValueError, match="none of the classes"):
        estimate_areas(np.ones((2, 2), dtype=np.int64), np.zeros(2), names=("a", "b"))
