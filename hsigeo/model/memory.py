"""The external memory: learnable prototypes, read by attention.

Shape legend: P pixels, M prototypes, W width of an embedding.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["ContextReading", "PrototypeMemory"]


class ContextReading(NamedTuple):
    """What one look into the memory gives.

    Parameters
    ----------
    context : (P, W)
        The weighted sum of prototypes.
    weights : (P, M)
        How much each prototype contributed; rows sum to 1.
    """

    context: Tensor
    weights: Tensor


class PrototypeMemory(nn.Module):
    """Prototypes trained with the rest of the network, a compressed summary of what the classes look like.

    The query is compared with every prototype by scaled dot product, as in end-to-end memory networks
    (Sukhbaatar et al. 2015, §2.1) with keys and values shared.

    Parameters
    ----------
    prototypes
        How many.
    width
        Length of a prototype and of a query.
    """

    def __init__(self, prototypes: int, width: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(prototypes, width) / math.sqrt(width))

    def forward(self, query: Tensor) -> ContextReading:
        """Read the memory with a query of shape (P, W)."""
        scores = query @ self.prototypes.T / math.sqrt(query.shape[1])  # (P, M)
        weights = torch.softmax(scores, dim=1)
        return ContextReading(context=weights @ self.prototypes, weights=weights)
