"""The variant ``plain``: the architecture in its simplest form, kept as the yardstick for every refinement.

A band's value becomes a token, tokens attend to each other, their mean is the pixel's embedding, the embedding reads
the prototype memory, and a linear head turns what was read into class logits. No 2-D or 3-D convolution, no
residual paths, no augmentation beyond band dropout.

Shape legend: P pixels, B bands, W width, M prototypes, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsigeo.model.attention import SpectralAttention
from hsigeo.model.memory import PrototypeMemory

__all__ = ["PlainNetwork"]


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
    """

    def __init__(self, *, bands: int, classes: int, width: int, heads: int, prototypes: int) -> None:
        super().__init__()
        self.value = nn.Linear(1, width)
        self.position = nn.Parameter(0.02 * torch.randn(bands, width))
        self.attention = SpectralAttention(width, heads)
        self.memory = PrototypeMemory(prototypes, width)
        self.head = nn.Linear(width, classes)

    def embed(self, spectra: Tensor) -> Tensor:
        """From normalised spectra (P, B) to one embedding per pixel (P, W)."""
        tokens = self.value(spectra[:, :, None]) + self.position  # (P, B, W)
        return torch.as_tensor(self.attention(tokens).mean(dim=1))  # (P, W)

    def forward(self, spectra: Tensor) -> Tensor:
        """From normalised spectra (P, B) to class logits (P, C)."""
        return torch.as_tensor(self.head(self.memory(self.embed(spectra)).context))
