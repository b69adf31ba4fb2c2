"""How the variant ``plain`` is trained."""

from __future__ import annotations

import torch

from hsigeo.model.clustering import cluster_centres
from hsigeo.model.plain import PlainNetwork
from hsigeo.training.fit import FitPlan, Progress, fit, seeded
from hsigeo.training.recipe import Trained
from hsigeo.training.samples import LabelledSpectra

__all__ = ["train_plain"]

WIDTH, HEADS, PROTOTYPES_PER_CLASS, BAND_DROPOUT = 64, 4, 10, 0.1


def train_plain(samples: LabelledSpectra, *, seed: int, progress: Progress | None = None) -> Trained:
    """Train the plain form: prototypes start at the cluster centres of an untrained forward pass."""
    spectra = torch.from_numpy(samples.spectra)
    sizes = {"width": WIDTH, "heads": HEADS, "prototypes": PROTOTYPES_PER_CLASS * len(samples.classes)}
    with seeded(seed) as generator:
        network = PlainNetwork(
            bands=samples.bands.count, classes=len(samples.classes), band_dropout=BAND_DROPOUT, **sizes
        )
        network.standardise.learn(spectra)
        with torch.no_grad():
            embeddings = torch.cat([network.embed(part) for part in torch.split(spectra, 1024)])
            centres = cluster_centres(embeddings, sizes["prototypes"], generator=generator)
            network.memory.prototypes.copy_(centres)
        fit(network, spectra, torch.from_numpy(samples.class_index), FitPlan(), progress=progress)
    return Trained(network=network, hyperparameters=sizes)
