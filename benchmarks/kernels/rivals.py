"""The same embedding computed in several ways: from values (pixel, band) to the mean of attended tokens (pixel, width).

Shape legend: P pixels, B bands, W width, H heads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hsigeo.kernels.attention import BandLogits
from hsigeo.kernels.choice import VARIABLE
from hsigeo.model.attention import SpectralAttention

__all__ = ["DOT_PRODUCT", "MULTI_HEAD", "OWN", "PLAIN", "Problem", "Way", "draw_logits", "kernel_of"]

OWN, PLAIN = "hsigeo, compiled", "hsigeo, plain torch"
DOT_PRODUCT, MULTI_HEAD = "scaled_dot_product_attention", "nn.MultiheadAttention"

Way = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """One attention layer with the tokens it is given.

    Parameters
    ----------
    attention
        The layer.
    direction, places : (W,), (B, W)
        Tokens are ``values * direction + places``.
    """

    attention: SpectralAttention
    direction: Tensor
    places: Tensor

    @classmethod
    def draw(cls, *, bands: int, heads: int, width: int) -> Problem:
        """Random weights, as they are before training."""
        torch.manual_seed(0)
        attention = SpectralAttention(width, heads)
        direction, places = torch.randn(width), torch.randn(bands, width)
        return cls(attention=attention, direction=direction.requires_grad_(), places=places.requires_grad_())

    @property
    def weights(self) -> list[Tensor]:
        """All that training would change."""
        return [*self.attention.parameters(), self.direction, self.places]

    def ways(self) -> dict[str, Way]:
        """By name, hsigeo's own first; two of them are the same function under another kernel, see `kernel_of`."""
        theirs = self._multi_head().eval()
        return {
            OWN: self._own,
            PLAIN: self._own,
            DOT_PRODUCT: lambda values: self.attention(self._tokens(values)).mean(dim=1),
            MULTI_HEAD: lambda values: _attend_with(theirs, self._tokens(values)),
        }

    def _own(self, values: Tensor) -> Tensor:
        return self.attention.mean_of_affine(values, self.direction, self.places)

    def _tokens(self, values: Tensor) -> Tensor:
        return values[:, :, None] * self.direction + self.places

    def _multi_head(self) -> nn.MultiheadAttention:
        width = len(self.direction)
        theirs = nn.MultiheadAttention(width, self.attention.heads, batch_first=True)
        with torch.no_grad():
            theirs.in_proj_weight.copy_(self.attention.query_key_value.weight)
            theirs.in_proj_bias.copy_(self.attention.query_key_value.bias)
            theirs.out_proj.weight.copy_(self.attention.output.weight)
            theirs.out_proj.bias.copy_(self.attention.output.bias)
        return theirs


def _attend_with(theirs: nn.MultiheadAttention, tokens: Tensor) -> Tensor:
    return torch.as_tensor(theirs(tokens, tokens, tokens, need_weights=False)[0].mean(dim=1))


@contextmanager
def kernel_of(name: str) -> Iterator[None]:
    """Have hsigeo's own way take the kernel that the name of a way promises. Not to be entered by threads."""
    before = os.environ.pop(VARIABLE, None)
    os.environ[VARIABLE] = "plain" if name.startswith(PLAIN) else "cpu"
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


def draw_logits(*, bands: int, heads: int) -> BandLogits:
    """Logits of usual size."""
    torch.manual_seed(0)
    shapes = (heads,), (heads, bands), (heads, bands), (heads, bands, bands)
    return BandLogits(*(0.3 * torch.randn(shape) for shape in shapes))
