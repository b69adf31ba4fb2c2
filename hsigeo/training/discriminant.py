"""Shrinkage linear discriminant analysis in closed form, for the networks' linear evidence.

Shape legend: P pixels, T tokens, I inputs of a token, K classes.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.model.spectrum import CHANNELS

__all__ = ["Solve", "calibrated", "discriminant", "discriminant_by_channel", "shrunk_covariance"]

FOLDS = 5
TEMPERATURES = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0)
"""A discriminant of hundreds of inputs is far too sure of itself; these are tried on pixels it has not seen."""

NEVER = -1e4
"""The bias of a class without training pixels."""


class Solve(Protocol):
    """A way to linear class scores."""

    def __call__(self, inputs: Tensor, target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        """Weights (I, K) and bias (K,) from inputs (P, …) of I numbers each, and class indices (P,)."""


def calibrated(
    solve: Solve, inputs: Tensor, target: Tensor, classes: int, *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A discriminant at the temperature that held-out pixels ask for.

    Parameters
    ----------
    solve
        Such as `discriminant`.
    inputs : (P, …)
        What `solve` takes; I numbers a pixel.
    target : (P,)
        Class index.

    Returns
    -------
    weights : (I, K) float32
    bias : (K,) float32
    """
    inputs = inputs.double()  # hundreds of correlated inputs: float32 loses the small eigenvalues that matter
    fold = _deal(target, classes, generator)
    loss = torch.zeros(len(TEMPERATURES), dtype=torch.float64)
    for held in range(FOLDS):
        tested = (fold == held) & torch.isin(target, target[fold != held])
        if not bool(tested.any()):
            continue
        weights, bias = solve(inputs[fold != held], target[fold != held], classes)
        scores = inputs[tested].flatten(1) @ weights + bias  # (P, K)
        loss += torch.stack([F.cross_entropy(scores / t, target[tested], reduction="sum") for t in TEMPERATURES])
    temperature = TEMPERATURES[int(loss.argmin())]
    weights, bias = solve(inputs, target, classes)
    return (weights / temperature).float(), (bias / temperature).float()


def discriminant(
    inputs: Tensor, target: Tensor, classes: int, *, shrinkage: float = 1.0, aim: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Linear discriminant analysis with a shrunk within-class covariance.

    Parameters
    ----------
    inputs : (P, I) float64
    target : (P,)
        Class index.
    shrinkage
        Of the covariance, as a share of what Ledoit and Wolf ask for.
    aim
        (I, I) what it is shrunk towards, as in `shrunk_covariance`.

    Returns
    -------
    weights : (I, K)
    bias : (K,)
        With the classes' shares among the pixels as priors; `NEVER` for a class without any.
    """
    counts = torch.bincount(target, minlength=classes).to(inputs.dtype)  # (K,)
    chosen = F.one_hot(target, classes).to(inputs.dtype)  # (P, K)
    centres = chosen.T @ inputs / counts.clamp(min=1)[:, None]  # (K, I)
    covariance = shrunk_covariance(inputs - centres[target], shrinkage, aim)
    weights = torch.linalg.solve(covariance, centres.T)  # (I, K)
    bias = (counts / counts.sum()).clamp(min=1e-12).log() - 0.5 * (centres.T * weights).sum(dim=0)
    return weights, torch.where(counts > 0, bias, NEVER)


def shrunk_covariance(residuals: Tensor, share: float = 1.0, aim: Tensor | None = None) -> Tensor:
    """Covariance (I, I) of centred residuals (P, I), shrunk towards a multiple of the identity, or of `aim` (I, I).

    Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", section 3.3, or
    a share of what they ask for. A last small ridge keeps it invertible where every class has one pixel, and so no
    residuals. Their formula holds for any aim that does not follow from the residuals; its eigenvalues should be one on
    the mean, so that it gets the level of the covariance.
    """
    count, width = residuals.shape
    sample = residuals.T @ residuals / count  # (I, I)
    identity = torch.eye(width, dtype=residuals.dtype)
    level = sample.trace() / width
    aim = identity if aim is None else aim
    distance = (sample - level * aim).square().sum()
    doubt = (residuals.square().sum(dim=1).square().sum() / count - sample.square().sum()) / count
    shrinkage = (share * doubt / distance.clamp(min=1e-12)).clamp(0.0, 1.0)
    return (1 - shrinkage) * sample + (shrinkage * level * aim + 1e-4 * identity)


def discriminant_by_channel(inputs: Tensor, target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """One discriminant a channel of tokens (P, T, I), averaged: weights (T·I, K) and bias (K,) in the tokens' order.

    The channels are contiguous within a token.
    """
    pixels, count, numbers = inputs.shape
    channels = inputs.view(pixels, count, CHANNELS, numbers // CHANNELS)  # (P, T, C, window)
    found = [discriminant(channels[:, :, c].flatten(1), target, classes) for c in range(CHANNELS)]
    shape = (count, numbers // CHANNELS, classes)
    weights = torch.stack([weight.reshape(shape) for weight, _ in found], dim=1)  # (T, C, window, K)
    return weights.flatten(0, 2) / CHANNELS, torch.stack([bias for _, bias in found]).mean(dim=0)


def _deal(target: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """(P,) a fold for each pixel, every class dealt out evenly."""
    order = torch.randperm(len(target), generator=generator)
    fold = torch.empty_like(target)
    for index in range(classes):
        members = order[target[order] == index]
        fold[members] = torch.arange(len(members)) % FOLDS
    return fold
