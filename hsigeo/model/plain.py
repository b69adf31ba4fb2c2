"""The variant ``plain``: the architecture in its simplest form, kept as the yardstick for every refinement.

Spectra are standardised by constants of the model; a band's value becomes a token, tokens attend to each other, their
mean is the pixel's embedding, the embedding reads the prototype memory, and a linear head turns what was read into
class logits. No 2-D or 3-D convolution, no residual paths, no augmentation beyond band dropout.

Shape legend: P pixels, B bands, W width, M prototypes, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsigeo.model.attention import SpectralAttention
from hsigeo.model.memory import PrototypeMemory

__all__ = ["PlainNetwork", "Standardise"]


class Standardise(nn.Module):
    """Subtract and divide by constants of the model, taken from the training spectra and never from a scene.

    Parameters
    ----------
    bands
        Length of a spectrum.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("scale", torch.ones(bands))

    def learn(self, spectra: Tensor) -> None:
        """Take the constants from spectra (P, B); a constant band gets the scale 1, and must not blow up."""
        deviation = spectra.std(dim=0, correction=0)
        self.mean.copy_(spectra.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def forward(self, spectra: Tensor) -> Tensor:
        """From reflectance (P, B) to standardised values (P, B)."""
        return (spectra - self.mean) / self.scale


class PlainNetwork(nn.Module):
    """Tokens, spectral attention, mean, prototype memory, head.

    Parameters
    ----------
    bands, classes
        Size of input and output.
    width
        Length of tokens, embedding and prototypes.
    heads
        Attention heads.
    prototypes
        Entries of the memory; about ten times the classes.
    band_dropout
        While training, the share of each spectrum's bands that is replaced by the band's mean: guards against
        differences of calibration.
    """

    def __init__(
        self, *, bands: int, classes: int, width: int, heads: int, prototypes: int, band_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.band_dropout = band_dropout
        self.standardise = Standardise(bands)
        self.value = nn.Linear(1, width)
        self.position = nn.Parameter(0.02 * torch.randn(bands, width))
        self.attention = SpectralAttention(width, heads)
        self.memory = PrototypeMemory(prototypes, width)
        self.head = nn.Linear(width, classes)

    def embed(self, spectra: Tensor) -> Tensor:
        """From reflectance (P, B) to one embedding per pixel (P, W)."""
        values = self.standardise(spectra)  # (P, B)
        if self.training and self.band_dropout:
            values = values * (torch.rand_like(values) >= self.band_dropout)
        # Tokens are self.value(values[:, :, None]) + self.position, (P, B, W); attention knows how to do without them.
        return self.attention.mean_of_affine(values, self.value.weight[:, 0], self.value.bias + self.position)

    def forward(self, spectra: Tensor) -> Tensor:
        """From reflectance (P, B) to class logits (P, C)."""
        return torch.as_tensor(self.head(self.memory(self.embed(spectra)).context))
