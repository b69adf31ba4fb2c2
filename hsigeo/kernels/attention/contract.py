"""What all forms of spectral attention compute, and the choice among them.

Shape legend: P pixels, H heads, B bands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from hsigeo.kernels.attention.plain import is_traced, plain_weights
from hsigeo.kernels.choice import Kernel, choose_kernel

__all__ = ["BandLogits", "attention_weights"]


class BandLogits(NamedTuple):
    """What the logits of a spectrum x are made of: ``x_i x_j·product + x_i·keys_j + queries_i·x_j + places_ij``.

    Parameters
    ----------
    product : (H,)
    keys, queries : (H, B)
    places : (H, B, B)
        Query band by key band.
    """

    product: Tensor
    keys: Tensor
    queries: Tensor
    places: Tensor


def attention_weights(values: Tensor, logits: BandLogits) -> Tensor:
    """How much attention each band gets: the mean over the queries of the softmax over the keys.

    Parameters
    ----------
    values : (P, B)
        One number a band, such as standardised reflectance. What a pixel gets depends on no other pixel.
    logits
        On the same device, of the same type.

    Returns
    -------
    (P, H, B), rows sum to 1
        Within 1e-5 (relative) of the plain form where logits are of usual size; beyond, both err by some 1e-7 of the
        largest logit, as float32 does. NaN where a logit of the pixel is not finite.

    Raises
    ------
    KernelError
        ``HSIGEO_KERNEL`` asks for what cannot be.
    """
    kernel = choose_kernel(values.device.type)
    # Tracing and exporting see torch's own operations only, and the fast forms compute in float32.
    if kernel == "plain" or is_traced() or values.dtype != torch.float32 or not values.numel():
        return plain_weights(values, *logits)
    return torch.as_tensor(_FastAttention.apply(kernel, values, *logits))  # type: ignore[no-untyped-call]


class _FastAttention(torch.autograd.Function):
    """A compiled form, with its own way back. Inputs are kept, not what was computed from them."""

    @staticmethod
    def forward(ctx: Any, kernel: Kernel, values: Tensor, *logits: Tensor) -> Tensor:
        ctx.kernel = kernel
        ctx.save_for_backward(values, *logits)
        return _weights_of(kernel)(values, *logits)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        wants_values = ctx.needs_input_grad[1]
        found = _gradients_of(ctx.kernel)(*ctx.saved_tensors, gradient=gradient, wants_values=wants_values)
        return None, *found


def _weights_of(kernel: Kernel) -> Callable[..., Tensor]:
    if kernel == "cpu":
        from hsigeo.kernels.attention.compiled import compiled_weights

        return compiled_weights
    from hsigeo.kernels.attention.cuda import cuda_weights

    return cuda_weights


def _gradients_of(kernel: Kernel) -> Callable[..., tuple[Tensor | None, ...]]:
    if kernel == "cpu":
        from hsigeo.kernels.attention.compiled import compiled_gradients

        return compiled_gradients
    from hsigeo.kernels.attention.cuda import cuda_gradients

    return cuda_gradients
