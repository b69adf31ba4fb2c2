"""Self-attention over the bands of a spectrum. No spatial axis enters.

Shape legend: P pixels, B bands (or band windows), W width of a token, H heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

__all__ = ["SpectralAttention"]


class SpectralAttention(nn.Module):
    """Multi-head self-attention among the band tokens of each pixel (Vaswani et al. 2017, §3.2).

    Parameters
    ----------
    width
        Length of a token; a multiple of `heads`.
    heads
        Number of heads.

    Raises
    ------
    ValueError
        The width cannot be shared among the heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"a token of width {width} cannot be shared among {heads} heads")
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """From (P, B, W) to (P, B, W): what each band gathered from the others."""
        pixels, bands, width = tokens.shape
        stacked = self.query_key_value(tokens)  # (P, B, 3W)
        stacked = stacked.view(pixels, bands, 3, self.heads, width // self.heads)
        query, key, value = stacked.permute(2, 0, 3, 1, 4)  # each (P, H, B, W/H)
        gathered = F.scaled_dot_product_attention(query, key, value)
        return torch.as_tensor(self.output(gathered.transpose(1, 2).reshape(pixels, bands, width)))
