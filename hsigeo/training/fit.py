"""The optimisation of a network on labelled spectra: warm-up, decay, label smoothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.progress import Progress

__all__ = ["FitPlan", "descend", "drawing", "fit", "seeded"]


_DRAWING = threading.RLock()


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
    """

    steps: int = 3000
    batch: int = 128
    rate: float = 1e-3
    warm_up: float = 0.05
    weight_decay: float = 0.01
    label_smoothing: float = 0.1


def fit(
    network: nn.Module,
    spectra: Tensor,
    target: Tensor,
    plan: FitPlan,
    *,
    progress: Progress | None = None,
) -> None:
    """Train a network in place, drawing on torch's global random state (see `seeded`).

    Parameters
    ----------
    spectra : (pixel, band) float32
        Reflectance.
    target : (pixel,) int64
        Class index.
    progress
        Called with (steps done, steps in all).
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)

    def loss() -> Tensor:
        chosen = torch.randint(len(spectra), (plan.batch,))
        return F.cross_entropy(network(spectra[chosen]), target[chosen], label_smoothing=plan.label_smoothing)

    network.train()
    warm_up = max(1, round(plan.warm_up * plan.steps))
    descend(optimiser, loss, steps=plan.steps, warm_up=warm_up, longest_gradient=1.0, progress=progress)
    network.eval().requires_grad_(False)


def descend(
    optimiser: torch.optim.Optimizer,
    loss: Callable[[], Tensor],
    *,
    steps: int,
    warm_up: int,
    longest_gradient: float | None = None,
    progress: Progress | None = None,
) -> None:
    """Take optimiser steps at a rate that warms up and then decays to 0.

    Parameters
    ----------
    loss
        Draws a batch and gives its loss; called once a step.
    steps, warm_up
        In all, and until the optimiser's own rate is reached.
    longest_gradient
        Gradients of all weights together are shortened to this length.
    progress
        Called with (steps done, steps in all).
    """
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate_factor(step, steps, warm_up))
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss().backward()  # type: ignore[no-untyped-call]
        if longest_gradient is not None:
            nn.utils.clip_grad_norm_(weights, longest_gradient)
        optimiser.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps)


@contextmanager
def seeded(seed: int) -> Iterator[torch.Generator]:
    """All randomness of the block comes from `seed`, and one thread does the work.

    Batches of some hundred spectra are too small to share: measured, two threads on two busy cores took three times
    as long as one. And sums in one thread do not depend on how many cores a machine has. The caller's random state
    and threads are put back afterwards.

    Yields
    ------
    torch.Generator
        The generator that torch uses by default within the block.
    """
    # torch has one default generator for all threads: who draws from it waits for the others.
    with _one_thread(), _DRAWING, torch.random.fork_rng(devices=[]):
        yield torch.manual_seed(seed)


@contextmanager
def drawing(seed: int) -> Iterator[torch.Generator]:
    """One thread does the work of the block, which draws from the generator it is given and from no other.

    Unlike `seeded`, several threads may do so at the same time. The numbers drawn are the same.

    Yields
    ------
    torch.Generator
        A new one that starts from `seed`.
    """
    with _one_thread():
        yield torch.Generator().manual_seed(seed)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _rate_factor(step: int, steps: int, warm_up: int) -> float:
    """Share of the peak rate at a step: a linear warm-up, then half a cosine down to 0."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
