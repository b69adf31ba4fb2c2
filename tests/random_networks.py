"""Networks of the default variant with random constants, and spectra for them."""

from __future__ import annotations

import numpy as np
import torch

from hsigeo.model.consensus import ConsensusNetwork


def draw_network(
    bands=50, classes=5, *, window=8, width=12, shapes=12, prototypes=70, weighed=None, usual=3.0, seed=0, whitened=0
):
    """A network of random constants, of sizes that spectra of 0 to 1 make something of."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(like, low, high):
        like.copy_(torch.rand(like.shape, generator=generator) * (high - low) + low)

    network = ConsensusNetwork(
        bands=bands,
        classes=classes,
        window=window,
        width=width,
        shapes=shapes,
        prototypes=prototypes,
        linear_percent=67,
        linear_width=width if weighed is None else weighed,
        whitened=whitened,
    )
    consensus, memory, linear = network.consensus, network.memory, network.linear
    for channel, (low, high) in enumerate([(0.2, 0.6), (-1.5, -0.5), (-0.05, 0.05)]):
        uniform(network.channels.mean[:, channel], low, high)
        uniform(network.channels.scale[:, channel], 0.1, 0.5)
    uniform(consensus.mean, -0.2, 0.2)
    flat = torch.randn(consensus.basis.flatten(0, 1).shape, generator=generator)
    consensus.basis.copy_(torch.linalg.qr(flat).Q.view(consensus.basis.shape))
    uniform(consensus.noise, 0.3, 0.8)
    uniform(consensus.spread, 0.5, 6.0)
    uniform(consensus.usual, usual, 2 * usual)
    uniform(memory.prototypes, -4.0, 4.0)
    memory.reach.fill_(6.0)
    uniform(memory.evidence, -2.0, 2.0)
    uniform(linear.weights, -0.3, 0.3)
    uniform(linear.bias, -1.0, 1.0)
    if whitened:
        consensus.whiten(torch.eye(width) + 0.3 * torch.randn((width, width), generator=generator))
    return network


def draw_spectra(pixels, bands, *, seed=0):
    """Smooth ones, noisy ones, and such as no network was made for."""
    random = np.random.default_rng(seed)
    spectra = (
        0.4 + 0.2 * random.normal(size=(pixels, 1)) + 0.05 * random.normal(size=(pixels, bands)).cumsum(axis=1) / 4
    )
    strange = [0.0, -1.0, 1e4, -1e4, 0.5, 1e-30]
    for number, value in enumerate(strange[: max(0, pixels - 1)]):
        spectra[number] = value
    spectra[6::7, bands // 3 : bands // 2 + 1] = 0.0
    return spectra.astype(np.float32)
