"""Self-attention over the bands of a spectrum. No spatial axis enters.

Shape legend: P pixels, B bands (or band windows), W width of a token, H heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.kernels.attention import BandLogits, attention_weights

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

    def mean_of_affine(self, values: Tensor, direction: Tensor, places: Tensor) -> Tensor:
        """The mean over the bands of ``self(values * direction + places)``, without ever forming these tokens.

        The same function of the same weights, computed as `hsigeo.kernels.attention` explains.

        Parameters
        ----------
        values : (P, B)
            One number a band.
        direction : (W,)
            What a token changes by with its band's value.
        places : (B, W)
            The tokens of a spectrum of zeros.

        Returns
        -------
        (P, W)
        """
        changes = F.linear(direction, self.query_key_value.weight).view(3, self.heads, -1)  # query, key, value: (H, D)
        starts = self.query_key_value(places).view(len(places), 3, self.heads, -1).permute(1, 2, 0, 3)  # each (H, B, D)
        scale = changes.shape[-1] ** -0.5
        query, key = scale * changes[0, :, :, None], changes[1, :, :, None]  # (H, D, 1)
        logits = BandLogits(
            product=(query * key).sum(dim=(1, 2)),  # (H,)
            keys=(starts[1] @ query)[..., 0],  # (H, B)
            queries=scale * (starts[0] @ key)[..., 0],  # (H, B)
            places=scale * starts[0] @ starts[1].transpose(1, 2),  # (H, B, B)
        )
        weights = attention_weights(values, logits)  # (P, H, B)
        # A product of matrices, which needs no memory for a third array of that size: a quarter of the time.
        weighted = (values[:, None] @ weights.transpose(1, 2)).transpose(1, 2)  # (P, H, 1)
        gathered = weighted * changes[2] + (weights.transpose(0, 1) @ starts[2]).transpose(0, 1)  # (P, H, D)
        return torch.as_tensor(self.output(gathered.flatten(1)))
