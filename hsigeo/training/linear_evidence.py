"""The linear evidence of the default variant: two discriminants, each as sure as it may be, averaged into one map.

The first weighs the reflectance of every band; the second the coordinates in the basis, which hold what logarithm and
slope have to say in a few numbers. Each is cooled to what held-out pixels bear out before they are averaged, or the
surer one would decide alone. What this is worth, and what else was tried: docs/model.md.

Shape legend: P pixels, B bands, W width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from hsigeo.training.discriminant import Solve, calibrated, discriminant

__all__ = ["LinearPlan", "fit_linear_evidence"]


@dataclass(frozen=True, kw_only=True)
class LinearPlan:
    """What the linear evidence is made of; other values than these serve to measure what each part is worth.

    Parameters
    ----------
    components_percent
        The say of the coordinates' discriminant, in scores; that of the reflectance has the rest.
    shrinkage_percent
        How much the covariance of the reflectance is shrunk, of what Ledoit and Wolf ask for.
    aimed_percent
        The same where the scene says what to shrink it towards, which is a better guess than that all vary alike.
    calibrated
        Whether each is only as sure of itself as held-out pixels allow.
    """

    components_percent: int = 25
    shrinkage_percent: int = 30
    aimed_percent: int = 70
    calibrated: bool = True


def fit_linear_evidence(
    reflectance: Tensor,
    points: Tensor,
    target: Tensor,
    classes: int,
    *,
    plan: LinearPlan,
    generator: torch.Generator,
    aim: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Weights (B + W, K) and bias (K,), as `hsigeo.model.consensus.LinearEvidence` has them.

    Parameters
    ----------
    reflectance : (P, B)
        Of the training pixels, standardised.
    points : (P, W)
        Their coordinates.
    target : (P,)
        Class index.
    aim
        (B, B) what the covariance of the reflectance is shrunk towards, as in `shrunk_covariance`.
    """

    def fit(solve: Solve, inputs: Tensor) -> tuple[Tensor, Tensor]:
        if plan.calibrated:
            return calibrated(solve, inputs, target, classes, generator=generator)
        weights, bias = solve(inputs.double(), target, classes)
        return weights.float(), bias.float()

    share = plan.components_percent / 100
    shrinkage = (plan.shrinkage_percent if aim is None else plan.aimed_percent) / 100
    of_bands, band_bias = fit(partial(discriminant, shrinkage=shrinkage, aim=aim), reflectance)
    of_points, point_bias = fit(discriminant, points)
    weights = torch.cat([(1 - share) * of_bands, share * of_points])
    return weights, torch.lerp(band_bias, point_bias, share)
