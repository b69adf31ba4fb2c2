"""The memory's evidence is kernel ridge regression; fits without the left-out pixel are the oracle."""

from __future__ import annotations

import pytest
import torch

from hsigeo.model.consensus import KernelMemory
from hsigeo.training import recall
from hsigeo.training.recall import choose_prototypes, fit_recall


def make_points(pixels=60, classes=3, width=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(pixels) % classes
    return torch.randn(pixels, width, generator=generator) + 2.0 * target[:, None], target


def features_of(points, prototypes, reach=3.0):
    kernel = torch.exp(-recall._squared_distance(points, prototypes) / reach**2)
    return kernel, recall._Features.of(kernel, torch.exp(-recall._squared_distance(prototypes, prototypes) / reach**2))


def test_leaving_out_in_closed_form_is_fitting_without():
    points, target = make_points()
    points, prototypes = points.double(), points[:20].double()
    wanted = torch.nn.functional.one_hot(target).double()
    kernel, features = features_of(points, prototypes)
    left_out = features.left_out(wanted, 0.1)
    among = torch.exp(-recall._squared_distance(prototypes, prototypes) / 9.0)
    for pixel in (0, 7, 59):
        rest = torch.arange(len(points)) != pixel
        # Subset of regressors with the pixel gone, straight from the normal equations.
        normal = kernel[rest].T @ kernel[rest] + 0.1 * among
        evidence = torch.linalg.solve(normal, kernel[rest].T @ wanted[rest])
        torch.testing.assert_close(left_out[pixel], kernel[pixel] @ evidence, rtol=1e-4, atol=1e-5)


def test_with_every_pixel_a_prototype_it_is_kernel_ridge_regression():
    points, target = make_points(30)
    points = points.double()
    wanted = torch.nn.functional.one_hot(target).double()
    kernel, features = features_of(points, points)
    expected = torch.linalg.solve(kernel + 0.3 * torch.eye(30), wanted)
    torch.testing.assert_close(kernel @ features.evidence(wanted, 0.3), kernel @ expected, rtol=1e-5, atol=1e-6)


def test_a_memory_fitted_so_tells_the_classes_apart():
    points, target = make_points(90)
    prototypes = choose_prototypes(points, target, 3, count=30, generator=torch.Generator().manual_seed(0))
    found = fit_recall(points, target, 3, prototypes)
    memory = KernelMemory(len(prototypes), 4, 3)
    memory.prototypes.copy_(prototypes)
    memory.reach.fill_(found.reach)
    memory.evidence.copy_(found.evidence)
    fresh, wanted = make_points(90, seed=3)
    assert (memory(fresh).evidence.argmax(1) == wanted).float().mean() > 0.9


@pytest.mark.parametrize("clustered", [True, False])
def test_rare_classes_keep_their_prototypes(clustered):
    target = torch.cat([torch.zeros(1000), torch.ones(15), torch.full((3,), 2.0)]).long()
    points = torch.randn(len(target), 2, generator=torch.Generator().manual_seed(0)) + 100.0 * target[:, None]
    chosen = choose_prototypes(
        points, target, 3, count=64, generator=torch.Generator().manual_seed(0), clustered=clustered
    )
    nearest = torch.cdist(chosen, torch.tensor([[0.0, 0.0], [100, 100], [200, 200]])).argmin(1)
    assert torch.bincount(nearest, minlength=3)[1:].tolist() == [10, 3]
    assert 50 <= len(chosen) <= 80


def test_few_pixels_are_all_prototypes():
    points, target = make_points(12)
    assert choose_prototypes(points, target, 3, count=12, generator=torch.Generator()) is points


def test_equal_points_and_single_pixels_of_a_class_give_finite_evidence():
    points = torch.zeros(6, 3)
    assert fit_recall(points, torch.arange(6) % 2, 2, points).evidence.isfinite().all()
    lonely = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    assert fit_recall(lonely, torch.arange(3), 3, lonely).evidence.isfinite().all()


@pytest.mark.parametrize("start", [0, 13, 25])
@pytest.mark.parametrize("sharpness", [0.0, 0.05, 0.3, 1.0, 30.0])
def test_the_best_temperature_is_found_from_any_start(start, sharpness):
    generator = torch.Generator().manual_seed(0)
    target = torch.arange(90) % 3
    scores = sharpness * (torch.nn.functional.one_hot(target) + torch.randn(90, 3, generator=generator)).double()
    losses = [float(torch.nn.functional.cross_entropy(scores / t, target)) for t in recall.TEMPERATURES]
    best, loss = recall._calibrate(scores, target, start)
    assert loss == losses[best] == min(losses)
