"""How the variant ``plain`` is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from hsigeo.model.clustering import cluster_centres
from hsigeo.model.plain import PlainNetwork
from hsigeo.progress import Progress
from hsigeo.training.fit import FitPlan, fit, seeded
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.trained import Trained

__all__ = ["PlainPlan", "Watch", "train_plain"]

WIDTH, HEADS, PROTOTYPES_PER_CLASS = 64, 4, 10

Watch = Callable[[int, PlainNetwork], None]
"""Called with (steps done, the network as it is then) after every step."""


@dataclass(frozen=True, kw_only=True)
class PlainPlan:
    """What the plain variant is made of; other values than these serve to test what was claimed for them.

    Parameters
    ----------
    clustered
        Whether prototypes start at cluster centres of an untrained forward pass, or where chance puts them.
    label_smoothing
        Share of the target spread evenly over the classes.
    band_dropout
        Share of each spectrum's bands that training replaces by the band's mean.
    steps
        Optimiser steps; `None` takes as many as `FitPlan` does.
    """

    clustered: bool = True
    label_smoothing: float = FitPlan.label_smoothing
    band_dropout: float = 0.1
    steps: int | None = None


def train_plain(
    samples: LabelledSpectra,
    *,
    seed: int,
    progress: Progress | None = None,
    plan: PlainPlan | None = None,
    watch: Watch | None = None,
) -> Trained:
    """Train the plain form."""
    plan = plan or PlainPlan()
    spectra = torch.from_numpy(samples.spectra)
    sizes = {"width": WIDTH, "heads": HEADS, "prototypes": PROTOTYPES_PER_CLASS * len(samples.classes)}
    with seeded(seed) as generator:
        network = PlainNetwork(
            bands=samples.bands.count, classes=len(samples.classes), band_dropout=plan.band_dropout, **sizes
        )
        network.standardise.learn(spectra)
        if plan.clustered:
            with torch.no_grad():
                embeddings = torch.cat([network.embed(part) for part in torch.split(spectra, 1024)])
                centres = cluster_centres(embeddings, sizes["prototypes"], generator=generator)
                network.memory.prototypes.copy_(centres)

        def show(done: int, steps: int) -> None:
            if watch is not None:
                watch(done, network)
            if progress is not None:
                progress(done, steps)

        fit(network, spectra, torch.from_numpy(samples.class_index), _fit_plan(plan), progress=show)
    return Trained(network=network, hyperparameters=sizes)


def _fit_plan(plan: PlainPlan) -> FitPlan:
    usual = FitPlan()
    return replace(usual, label_smoothing=plan.label_smoothing, steps=plan.steps or usual.steps)
