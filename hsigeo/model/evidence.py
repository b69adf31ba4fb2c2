"""Which wavelengths speak for a class: evidence by band, for any network that torch can differentiate.

The strategy: integrated gradients (Sundararajan, Taly & Yan 2017, equation 1) along the straight line from a reference
spectrum to the pixel's own. Whatever attention lets through is in the gradient, so evidence is weighted by it, and what
the bands say adds up to the difference in log-odds between pixel and reference. Neighbouring bands are smoothed
together: the slope between two of them would otherwise speak for the one and against the other. How well it names
what the decision hangs on is measured, against occlusion and attention alone (docs/explain.md).

Shape legend: P pixels, B bands, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["SMOOTHED_BANDS", "band_evidence", "log_odds", "occlusion_evidence", "smooth_over_bands"]

STEPS = 16
"""Points on the line; twice as many changed the evidence by less than a hundredth."""

SMOOTHED_BANDS = 9
"""Evidence is averaged over this many neighbouring bands."""

ROWS_AT_ONCE = 1024


def log_odds(logits: Tensor, wanted: Tensor, rival: Tensor | None = None) -> Tensor:
    """(P,) log-odds of a class against another, or against all others, from logits (P, K).

    Parameters
    ----------
    wanted, rival : (P,)
        Class index.
    """
    own = logits.gather(1, wanted[:, None])[:, 0]
    if rival is not None:
        return own - logits.gather(1, rival[:, None])[:, 0]
    others = logits.scatter(1, wanted[:, None], -torch.inf)
    return own - others.logsumexp(dim=1)


def band_evidence(
    network: nn.Module, spectra: Tensor, wanted: Tensor, reference: Tensor, *, rival: Tensor | None = None
) -> Tensor:
    """How much each band speaks for a class, in log-odds; rows add up to what separates pixel and reference.

    Parameters
    ----------
    network
        From reflectance (P, B) to logits (P, K).
    spectra : (P, B)
        Reflectance.
    wanted, rival : (P,)
        The class, and the one it is held against; all others where there is no rival.
    reference : (B,) or (P, B)
        The spectrum that stands for knowing nothing.

    Returns
    -------
    (P, B), smoothed over neighbouring bands
    """
    found = []
    size = max(1, ROWS_AT_ONCE // STEPS)
    for start in range(0, len(spectra), size):
        part = slice(start, start + size)
        base = reference.expand_as(spectra)[part]
        against = None if rival is None else rival[part]
        found.append(_integrate(network, spectra[part], wanted[part], base, against))
    return smooth_over_bands(torch.cat(found)) if found else spectra


def smooth_over_bands(values: Tensor, width: int = SMOOTHED_BANDS) -> Tensor:
    """A moving mean over bands, (P, B) to (P, B); rows keep their sums.

    Each band deals its value out evenly to its neighbours within reach: shares, not means, so nothing is lost at the
    ends.
    """
    bands = values.shape[1]
    place = torch.arange(bands, device=values.device)
    near = ((place[:, None] - place).abs() <= width // 2).to(values.dtype)  # (B, B)
    return values @ (near / near.sum(dim=1, keepdim=True))


def _integrate(network: nn.Module, spectra: Tensor, wanted: Tensor, base: Tensor, rival: Tensor | None) -> Tensor:
    """Mean gradient along the line, times its length, (P, B); midpoints of `STEPS` pieces."""
    count = len(spectra)
    share = (torch.arange(STEPS, device=spectra.device) + 0.5) / STEPS  # (S,)
    points = base + share[:, None, None] * (spectra - base)  # (S, P, B)
    points = points.flatten(0, 1).requires_grad_(True)
    odds = log_odds(network(points), wanted.repeat(STEPS), None if rival is None else rival.repeat(STEPS))
    (gradient,) = torch.autograd.grad(odds.sum(), points)
    return torch.as_tensor((spectra - base) * gradient.view(STEPS, count, -1).mean(dim=0))


def occlusion_evidence(network: nn.Module, spectra: Tensor, wanted: Tensor, reference: Tensor) -> Tensor:
    """The log-odds that are lost where the bands around each one are replaced by the reference's, (P, B).

    Needs no gradient and makes no assumption; one pass through the network a band. Kept to compare with.
    """
    with torch.no_grad():
        whole = log_odds(network(spectra), wanted)
        lost = torch.zeros_like(spectra)
        for band in range(spectra.shape[1]):
            around = slice(max(0, band - SMOOTHED_BANDS // 2), band + SMOOTHED_BANDS // 2 + 1)
            changed = spectra.clone()
            changed[:, around] = reference.expand_as(spectra)[:, around]
            lost[:, band] = whole - log_odds(network(changed), wanted)
    return lost
