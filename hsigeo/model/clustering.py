"""k-means, seeded, for the prototypes' starting positions."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cluster_centres"]


def cluster_centres(points: Tensor, count: int, *, generator: torch.Generator, rounds: int = 25) -> Tensor:
    """Centres of `count` clusters: k-means++ seeding (Arthur & Vassilvitskii 2007), then Lloyd's iterations.

    With fewer distinct points than clusters the surplus centres repeat existing points.

    Parameters
    ----------
    points : (point, dimension) float32
    count
        Number of centres.
    generator
        Source of randomness; the same state gives the same centres.

    Returns
    -------
    (count, dimension) float32
    """
    centres = _spread_out(points, count, generator)
    for _ in range(rounds):
        nearest = torch.cdist(points, centres).argmin(dim=1)  # (point,)
        members = torch.zeros(count).index_add_(0, nearest, torch.ones(len(points)))
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        # A cluster that lost all its members stays where it was.
        updated = torch.where(members[:, None] > 0, sums / members.clamp(min=1)[:, None], centres)
        if torch.equal(updated, centres):
            break
        centres = updated
    return centres


def _spread_out(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """k-means++: each next centre is drawn with probability proportional to its squared distance to the rest."""
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    distance = torch.full((len(points),), torch.inf)
    while len(chosen) < count:
        distance = torch.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(dim=1))
        weights = distance if float(distance.sum()) > 0 else torch.ones_like(distance)
        chosen.append(int(torch.multinomial(weights, 1, generator=generator)))
    return points[chosen].clone()
