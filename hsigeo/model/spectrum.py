"""From spectra to tokens: what the network is told about each stretch of the spectrum.

Shape legend: P pixels, B bands, C channels of a band, T tokens, I inputs of a token (window x channels).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

__all__ = ["CHANNELS", "Channels", "make_tokens", "position_code", "token_centres"]

CHANNELS = 3
"""Reflectance, its logarithm, and the slope of the logarithm along the bands."""

FLOOR = 0.02
"""Reflectance added before the logarithm: keeps it finite, and flat below the noise of dark bands."""

BOUND = 20.0
"""Standard deviations: keeps a dead or saturated band finite, yet far outside what training saw."""

SHORTEST_NM, LONGEST_NM = 350.0, 2550.0
"""The range of wavelengths that the positional code spans."""


class Channels(nn.Module):
    """Three views of each band, standardised by constants of the model.

    A change of illumination multiplies reflectance; in the logarithm it is a shift, and in the logarithm's slope it
    is gone, which leaves the shape of absorption features.

    Parameters
    ----------
    bands
        Length of a spectrum.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(bands, CHANNELS))
        self.register_buffer("scale", torch.ones(bands, CHANNELS))

    def learn(self, spectra: Tensor) -> None:
        """Take the constants from training spectra (P, B).

        A channel that hardly varies in training gets a floor for its scale: noise must not become evidence.
        """
        raw = self._raw(spectra)
        spread = raw.std(dim=0, correction=0)  # (B, C)
        least = 0.05 * spread.median(dim=0, keepdim=True).values + 1e-6
        self.mean.copy_(raw.mean(dim=0))
        self.scale.copy_(torch.maximum(spread, least))

    def forward(self, spectra: Tensor) -> Tensor:
        """From reflectance (P, B) to standardised channels (P, B, C)."""
        return ((self._raw(spectra) - self.mean) / self.scale).clamp(-BOUND, BOUND)

    def _raw(self, spectra: Tensor) -> Tensor:
        logs = torch.log(spectra.clamp(min=0.0, max=4.0) + FLOOR)  # (P, B)
        smooth = F.avg_pool1d(F.pad(logs[:, None], (2, 2), mode="replicate"), 5, stride=1)  # (P, 1, B)
        edges = F.pad(smooth, (1, 1), mode="replicate")[:, 0]  # (P, B + 2)
        slope = edges[:, 2:] - edges[:, :-2]  # (P, B)
        return torch.stack([spectra.clamp(-4.0, 4.0), logs, slope], dim=-1)  # (P, B, C)


def make_tokens(channels: Tensor, window: int, stride: int) -> Tensor:
    """Windows of neighbouring bands; the last band is repeated to fill the last window.

    Parameters
    ----------
    channels : (P, B, C)
        One or more values for each band.
    window, stride
        Bands in a token, and between the starts of neighbouring tokens.

    Returns
    -------
    (P, T, I) with I = window x C
    """
    bands = channels.shape[1]
    count = max(1, math.ceil((bands - window) / stride) + 1)
    missing = (count - 1) * stride + window - bands
    padded = F.pad(channels.transpose(1, 2), (0, missing), mode="replicate")  # (P, C, B + missing)
    return padded.unfold(2, window, stride).permute(0, 2, 1, 3).flatten(2)  # (P, T, C·window)


def token_centres(wavelengths: Tensor, window: int, stride: int) -> Tensor:
    """(T,) mean wavelength of each token, nm."""
    return make_tokens(wavelengths[None, :, None], window, stride)[0].mean(dim=1)


def position_code(centres: Tensor, waves: int) -> Tensor:
    """(T, waves) cosines of the wavelength: smooth, so the code exists at any wavelength, whatever the sensor."""
    place = (centres - SHORTEST_NM) / (LONGEST_NM - SHORTEST_NM)
    return torch.cos(math.pi * place[:, None] * torch.arange(waves, device=centres.device))
