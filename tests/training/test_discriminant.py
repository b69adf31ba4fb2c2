"""The closed-form discriminant is the textbook's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hsigeo.model.spectrum import CHANNELS
from hsigeo.training.discriminant import NEVER, calibrated, discriminant, discriminant_by_channel, shrunk_covariance


def two_gaussians(count=4000, seed=0):
    """Two classes of known means and common covariance, and those."""
    rng = np.random.default_rng(seed)
    covariance = np.array([[2.0, 0.9], [0.9, 1.0]])
    means = np.array([[0.0, 0.0], [1.5, -0.5]])
    target = np.arange(count) % 2
    inputs = means[target] + rng.multivariate_normal([0, 0], covariance, size=count)
    return torch.tensor(inputs), torch.tensor(target), means, covariance


def test_the_boundary_is_that_of_the_true_gaussians():
    inputs, target, means, covariance = two_gaussians()
    weights, bias = discriminant(inputs, target, 2)
    direction = (weights[:, 1] - weights[:, 0]).numpy()
    expected = np.linalg.solve(covariance, means[1] - means[0])
    np.testing.assert_allclose(direction, expected, rtol=0.1)
    halfway = torch.tensor(means.mean(axis=0)) @ (weights[:, 1] - weights[:, 0]) + bias[1] - bias[0]
    assert abs(float(halfway)) < 0.05


def test_priors_are_the_classes_shares():
    inputs, target, _, _ = two_gaussians()
    kept = (target == 0) | (torch.arange(len(target)) % 8 == 1)
    _, bias = discriminant(inputs[kept], target[kept], 2)
    _, even = discriminant(inputs, target, 2)
    assert float((bias[0] - bias[1]) - (even[0] - even[1])) == pytest.approx(np.log(4), abs=0.15)


def test_the_covariance_is_scikit_learns_but_for_the_ridge():
    covariance = pytest.importorskip("sklearn.covariance", reason="scikit-learn is not installed")
    residuals = np.random.default_rng(0).normal(size=(30, 12)) @ np.random.default_rng(1).normal(size=(12, 12))
    expected, _ = covariance.ledoit_wolf(residuals, assume_centered=True)
    ours = shrunk_covariance(torch.tensor(residuals)).numpy() - 1e-4 * np.eye(12)
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-9)


def test_a_share_of_the_shrinkage_goes_that_share_of_the_way():
    generator = torch.Generator().manual_seed(0)
    residuals = torch.randn(30, 12, dtype=torch.float64, generator=generator) * torch.linspace(3.0, 0.1, 12)
    sample, whole, part = (shrunk_covariance(residuals, share) for share in (0.0, 1.0, 0.3))
    torch.testing.assert_close(sample, residuals.T @ residuals / 30 + 1e-4 * torch.eye(12).double())
    torch.testing.assert_close(part, torch.lerp(sample, whole, 0.3))


def test_more_inputs_than_pixels_and_one_pixel_a_class_still_solve():
    inputs = torch.randn(3, 50, dtype=torch.float64)
    weights, bias = discriminant(inputs, torch.arange(3), 3)
    assert torch.isfinite(weights).all()
    assert ((inputs @ weights + bias).argmax(dim=1) == torch.arange(3)).all()


def test_a_class_without_pixels_is_never_answered():
    inputs, target, _, _ = two_gaussians()
    weights, bias = discriminant(inputs, target, 3)
    assert float(bias[2]) == NEVER
    assert int((inputs @ weights + bias).argmax(dim=1).max()) == 1


def test_scores_of_noise_are_cooled_to_modesty():
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(120, 5, 8 * CHANNELS, generator=generator)
    target = torch.arange(120) % 3
    weights, bias = calibrated(discriminant_by_channel, tokens, target, 3, generator=generator)
    fresh = torch.randn(500, 5, 8 * CHANNELS, generator=generator)
    confidence = (fresh.flatten(1) @ weights + bias).softmax(dim=1).amax(dim=1)
    assert float(confidence.mean()) < 0.5
