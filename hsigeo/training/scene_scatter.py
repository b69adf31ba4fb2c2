"""What pixels without labels say of how the spectra of a class vary.

Pixels of similar spectra are mostly of one material, wherever they lie. So the scene is parted into clusters, and how
spectra vary within them stands in for how they vary within a class, of which a few labels say little. It is mixed with
the identity, for clusters are no classes. What this is worth, and what was tried instead: docs/model.md.

Shape legend: P pixels, B bands, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hsigeo.model.clustering import cluster_centres

__all__ = ["ScatterPlan", "SceneScatter", "learn_scatter", "whitening_for"]

PIXELS_PER_CLUSTER = 20
"""With fewer pixels a cluster, clusters are hardly more than pixels, and nothing is learnt from them."""

LEAST_SCATTER = 1e-9
"""Mean variance, in standardised units, below which the pixels do not vary."""


@dataclass(frozen=True, kw_only=True)
class ScatterPlan:
    """How scatter is learnt from unlabelled pixels; other values serve to measure what each part is worth.

    Parameters
    ----------
    clusters
        Parts of the scene's spectra.
    percent
        The share of what was found; the identity has the rest. 0 leaves unlabelled pixels out.
    """

    clusters: int = 50
    percent: int = 80


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneScatter:
    """How spectra vary within clusters, as covariances whose eigenvalues are one on the mean, mixed with the identity.

    Parameters
    ----------
    of_bands
        (B, B) float64, of the standardised reflectance.
    of_points
        (W, W) float64, of the coordinates.
    """

    of_bands: Tensor
    of_points: Tensor


def learn_scatter(
    reflectance: Tensor, points: Tensor, *, plan: ScatterPlan, generator: torch.Generator
) -> SceneScatter | None:
    """What unlabelled pixels say; `None` where they are too few or do not vary.

    Parameters
    ----------
    reflectance : (P, B)
        Of unlabelled pixels, standardised as that of the training pixels.
    points : (P, W)
        Their coordinates.
    """
    if not plan.percent or len(reflectance) < PIXELS_PER_CLUSTER * plan.clusters:
        return None
    reflectance = reflectance.contiguous()
    centres = cluster_centres(reflectance, plan.clusters, generator=generator)
    cluster = torch.cdist(reflectance, centres).argmin(dim=1)  # (P,)
    share = plan.percent / 100
    of_bands, of_points = (_mixed(_within(values, cluster, plan.clusters), share) for values in (reflectance, points))
    if of_bands is None or of_points is None:
        return None
    return SceneScatter(of_bands=of_bands, of_points=of_points)


def whitening_for(covariance: Tensor) -> Tensor:
    """(W, W) what coordinates of this covariance are multiplied by to vary alike in all directions."""
    values, vectors = torch.linalg.eigh(covariance)
    return torch.as_tensor((vectors * values.rsqrt()) @ vectors.T)


def _within(values: Tensor, cluster: Tensor, clusters: int) -> Tensor:
    """Covariance (N, N) of values (P, N) around the means of their clusters."""
    values = values.double()
    members = torch.bincount(cluster, minlength=clusters).clamp(min=1)
    sums = torch.zeros(clusters, values.shape[1], dtype=values.dtype).index_add_(0, cluster, values)
    residuals = values - (sums / members[:, None])[cluster]
    return residuals.T @ residuals / len(values)


def _mixed(covariance: Tensor, share: float) -> Tensor | None:
    """A share of a covariance, scaled to eigenvalues of one on the mean, and the identity for the rest."""
    level = covariance.trace() / len(covariance)
    if level < LEAST_SCATTER:
        return None
    return share * covariance / level + (1 - share) * torch.eye(len(covariance), dtype=covariance.dtype)
