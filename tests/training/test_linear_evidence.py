"""The linear evidence is the average of the discriminants it is made of, each as sure as it may be."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from hsigeo.training.discriminant import calibrated, discriminant
from hsigeo.training.linear_evidence import LinearPlan, fit_linear_evidence

BANDS, WIDTH, CLASSES = 20, 4, 3


def draw(pixels=60, *, seed=0):
    """Reflectance, coordinates and classes that both tell a little of."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(pixels) % CLASSES
    centres = torch.randn(CLASSES, BANDS + WIDTH, generator=generator)
    both = centres[target] + 2 * torch.randn(pixels, BANDS + WIDTH, generator=generator)
    return both[:, :BANDS], both[:, BANDS:], target


def fit(reflectance, points, target, **plan):
    generator = torch.Generator().manual_seed(1)
    return fit_linear_evidence(reflectance, points, target, CLASSES, plan=LinearPlan(**plan), generator=generator)


def test_scores_are_the_average_of_the_discriminants_scores():
    reflectance, points, target = draw()
    weights, bias = fit(reflectance, points, target, components_percent=40)

    generator = torch.Generator().manual_seed(1)
    lightly = partial(discriminant, shrinkage=0.3)
    of_bands, band_bias = calibrated(lightly, reflectance, target, CLASSES, generator=generator)
    of_points, point_bias = calibrated(discriminant, points, target, CLASSES, generator=generator)
    expected = 0.6 * (reflectance @ of_bands + band_bias) + 0.4 * (points @ of_points + point_bias)
    torch.testing.assert_close(torch.cat([reflectance, points], dim=1) @ weights + bias, expected)


def test_without_their_say_coordinates_weigh_nothing():
    weights, bias = fit(*draw(), components_percent=0, shrinkage_percent=100, calibrated=False)
    reflectance, _, target = draw()
    expected, constant = discriminant(reflectance.double(), target, CLASSES)
    torch.testing.assert_close(weights[:BANDS], expected.float())
    torch.testing.assert_close(bias, constant.float())
    assert (weights[BANDS:] == 0).all()


@pytest.mark.parametrize("pixels", [3, 4, 7])
@pytest.mark.parametrize("same", [False, True])
def test_a_pixel_a_class_and_spectra_that_are_all_the_same_make_finite_evidence(pixels, same):
    reflectance, points, target = draw(pixels)
    if same:
        reflectance, points = torch.zeros_like(reflectance), torch.zeros_like(points)
    weights, bias = fit(reflectance, points, target)
    scores = torch.cat([reflectance, points], dim=1) @ weights + bias
    assert scores.isfinite().all()
    if not same and pixels == CLASSES:
        assert (scores.argmax(dim=1) == target).all()
