"""How the variant ``gated`` is trained."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.model.clustering import cluster_centres
from hsigeo.model.gated import GatedNetwork
from hsigeo.model.variants import wavelengths_or_places
from hsigeo.progress import Progress
from hsigeo.training.discriminant import calibrated, discriminant_by_channel
from hsigeo.training.fit import descend, seeded
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.trained import Trained

__all__ = ["train_gated"]

SIZES = {"window": 8, "stride": 8, "heads": 4, "key_width": 8, "width": 128, "members": 2}
PROTOTYPES_PER_CLASS = 10

STEPS, BATCH, WARM_UP = 400, 64, 20
RATE, ATTENTION_RATE = 1e-3, 1e-4
"""Attention learns slowly: at the full rate it fits some hundred labels by heart."""
WEIGHT_DECAY, LABEL_SMOOTHING = 1e-2, 0.05


def train_gated(samples: LabelledSpectra, *, seed: int, progress: Progress | None = None) -> Trained:
    """Train the default variant."""
    spectra = torch.from_numpy(samples.spectra)
    target = torch.from_numpy(samples.class_index)
    sizes = {**SIZES, "prototypes": PROTOTYPES_PER_CLASS * len(samples.classes)}
    with seeded(seed) as generator:
        wavelength = torch.from_numpy(wavelengths_or_places(samples.bands))
        network = GatedNetwork(wavelength, classes=len(samples.classes), **sizes)
        network.channels.learn(spectra)
        tokens = network.tokens(spectra)
        network.attention.learn(tokens)
        weights, bias = calibrated(discriminant_by_channel, tokens, target, len(samples.classes), generator=generator)
        network.linear.weights.copy_(weights)
        network.linear.bias.copy_(bias)
        _start_memory(network, tokens, target, len(samples.classes), generator)
        _optimise(network, tokens, target, progress)
    return Trained(network=network.eval().requires_grad_(False), hyperparameters=sizes)


@torch.no_grad()
def _start_memory(
    network: GatedNetwork, tokens: Tensor, target: Tensor, classes: int, generator: torch.Generator
) -> None:
    """Prototypes start at cluster centres of each class's embeddings from an untrained forward pass."""
    embeddings = torch.cat([network.embed(part) for part in torch.split(tokens, 1024)], dim=1)  # (E, P, W)
    for member, points in enumerate(embeddings):
        centres = [
            cluster_centres(points[target == index], PROTOTYPES_PER_CLASS, generator=generator)
            if bool((target == index).any())
            else torch.randn(PROTOTYPES_PER_CLASS, points.shape[1], generator=generator) * points.std()
            for index in range(classes)
        ]
        network.memory.prototypes[member] = torch.cat(centres)


def _optimise(network: GatedNetwork, tokens: Tensor, target: Tensor, progress: Progress | None) -> None:
    attention = list(network.attention.parameters())
    slow = {id(weight) for weight in attention}
    rest = [weight for weight in network.parameters() if id(weight) not in slow]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "lr": RATE}, {"params": attention, "lr": ATTENTION_RATE}],
        weight_decay=WEIGHT_DECAY,
        fused=True,
    )

    def loss() -> Tensor:
        drawn = torch.randint(len(tokens), (BATCH,)) if len(tokens) > BATCH else torch.arange(len(tokens))
        logits = network.decide(network.embed(tokens[drawn]))  # (E, P, K)
        wanted = target[drawn].expand(len(logits), -1)  # (E, P)
        # Summed over members, not averaged: each learns as if it were alone.
        return len(logits) * F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), label_smoothing=LABEL_SMOOTHING)

    descend(optimiser, loss, steps=STEPS, warm_up=WARM_UP, progress=progress)
