"""Spectral attention in plain torch: what the other forms are measured against, and what runs where they cannot.

Shape legend: P pixels, H heads, B bands.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["is_traced", "plain_weights"]

_LOGITS_AT_ONCE = 1 << 24
"""64 MB in float32. A pixel's logits take B times what its answer takes, and a batch of them would fill the memory."""


def plain_weights(values: Tensor, product: Tensor, keys: Tensor, queries: Tensor, places: Tensor) -> Tensor:
    """As `hsigeo.kernels.attention.attention_weights`, (P, H, B), on any device, in any floating type."""
    heads, bands = keys.shape
    pixels = max(1, _LOGITS_AT_ONCE // (heads * bands * bands))
    if len(values) <= pixels or is_traced():
        return _weights(values, product, keys, queries, places)
    return torch.cat([_weights(part, product, keys, queries, places) for part in torch.split(values, pixels)])


def _weights(values: Tensor, product: Tensor, keys: Tensor, queries: Tensor, places: Tensor) -> Tensor:
    query, key = values[:, None, :, None], values[:, None, None, :]  # (P, 1, B, 1) and (P, 1, 1, B)
    logits = query * keys[:, None] + places  # (P, H, B, B)
    logits = logits + (query * product[:, None, None] + queries[:, :, None]) * key
    # softmax subtracts the largest logit of a row, so no exponential overflows.
    return torch.as_tensor(logits.softmax(dim=-1).mean(dim=-2))


def is_traced() -> bool:
    """Whether torch is making a graph of what is called, for an export or a compiler."""
    return torch.compiler.is_compiling() or bool(torch._C._get_tracing_state())
