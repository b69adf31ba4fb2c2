"""The optimisation of a network on labelled spectra: warm-up, decay, label smoothing, band dropout."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

__all__ = ["FitPlan", "fit"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """How long and how a network is trained.

    Parameters
    ----------
    steps
        Optimiser steps. Small label sets need steps, not epochs.
    batch
        Pixels per step, drawn with replacement.
    rate
        Peak learning rate of AdamW; reached after `warm_up` of the steps, then decaying as a cosine to 0.
    warm_up
        Share of the steps.
    weight_decay
        Of AdamW.
    label_smoothing
        Share of the target spread evenly over the classes: keeps the memory's read weights broad.
    band_dropout
        Probability with which a band of a pixel is set to its mean: guards against dead or drifting bands.
    """

    steps: int = 3000
    batch: int = 128
    rate: float = 1e-3
    warm_up: float = 0.05
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    band_dropout: float = 0.1


def fit(
    network: nn.Module,
    spectra: Tensor,
    target: Tensor,
    plan: FitPlan,
    *,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> None:
    """Train a network in place.

    Parameters
    ----------
    spectra : (pixel, band) float32
        Normalised.
    target : (pixel,) int64
        Class index.
    generator
        Source of all randomness; the same state gives the same weights on the same machine.
    progress
        Called with (steps done, steps in all).
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate_factor(step, plan))
    network.train()
    for step in range(plan.steps):
        chosen = torch.randint(len(spectra), (plan.batch,), generator=generator)
        batch = spectra[chosen]
        kept = torch.rand(batch.shape, generator=generator) >= plan.band_dropout
        loss = F.cross_entropy(network(batch * kept), target[chosen], label_smoothing=plan.label_smoothing)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, plan.steps)
    network.eval().requires_grad_(False)


def _rate_factor(step: int, plan: FitPlan) -> float:
    """Linear warm-up, then half a cosine."""
    warm_up = max(1, round(plan.warm_up * plan.steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, plan.steps - warm_up)))
