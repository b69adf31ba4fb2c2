"""Spectral attention for tokens that are affine in one number: the contract, and which form of it runs.

With token ``t_b = x_b·w + p_b`` a head's logit between bands i and j is

    x_i x_j·a + x_i·u_j + v_i·x_j + W_ij

with a, u, v and W fixed once the weights are: nothing is projected per pixel. And where only the mean over the queries
i is used, all that is needed of a pixel is, per head, ``mean_i softmax_j(logit_ij)``: one exponential per pixel, head
and pair of bands, whatever the width of a token. This is exact. docs/design/kernels.md has the rest.

Three forms, each with its gradients: `plain` (torch, any device and type), `cpu` (numba) and `cuda` (Triton), the
latter two in float32.
"""

from hsigeo.kernels.attention.contract import BandLogits, attention_weights

__all__ = ["BandLogits", "attention_weights"]
