"""How the variant ``plain`` is trained."""

from __future__ import annotations

import torch

from hsigeo.model.clustering import cluster_centres
from hsigeo.model.plain import PlainNetwork
from hsigeo.train.fit import FitPlan, Progress, fit
from hsigeo.train.recipe import Trained, standardiser
from hsigeo.train.samples import LabelledSpectra

__all__ = ["train_plain"]

WIDTH, HEADS, PROTOTYPES_PER_CLASS = 64, 4, 10


def train_plain(samples: LabelledSpectra, *, seed: int, progress: Progress | None = None) -> Trained:
    """Train the plain form: prototypes start at the cluster centres of an untrained forward pass."""
    generator = torch.Generator().manual_seed(seed)
    normaliser = standardiser(samples.spectra)
    spectra = torch.from_numpy(normaliser.apply(samples.spectra))
    sizes = {"width": WIDTH, "heads": HEADS, "prototypes": PROTOTYPES_PER_CLASS * len(samples.classes)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PlainNetwork(bands=samples.bands.count, classes=len(samples.classes), **sizes)
    with torch.no_grad():
        embeddings = torch.cat([network.embed(part) for part in torch.split(spectra, 1024)])
        centres = cluster_centres(embeddings, sizes["prototypes"], generator=generator)
        network.memory.prototypes.copy_(centres)
    fit(network, spectra, torch.from_numpy(samples.class_index), FitPlan(), generator=generator, progress=progress)
    return Trained(network=network, hyperparameters=sizes, normaliser=normaliser)
