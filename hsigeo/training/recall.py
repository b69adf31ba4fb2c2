"""The evidence of a kernel memory, in closed form: which likeness to which prototype speaks for which class.

Kernel ridge regression on a subset of regressors (Rasmussen & Williams 2006, section 8.3.1), one class against the
rest. How far a prototype's likeness reaches, and how much the evidence is held back, are chosen by the log-loss of
leaving each training pixel out, which for ridge regression costs no second fit (Allen 1974, Technometrics 16, 125).

Shape legend: P pixels, M prototypes, W width, R rank, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.model.clustering import cluster_centres

__all__ = ["Recall", "choose_prototypes", "fit_recall"]

REACHES = (4.5, 3.2, 2.2, 1.4, 1.0, 0.7, 0.5)
"""Tried, in units of the median distance between pixels and prototypes."""

RIDGES = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
"""Tried, in units of a kernel's value at distance 0."""

TEMPERATURES = torch.logspace(-2.0, 0.5, 26, dtype=torch.float64)
"""Tried for the scores of left-out pixels, which lie between -1 and 1."""

LEAST_EIGENVALUE = 1e-7
"""Smallest eigenvalue kept, as a share of the largest: directions in which prototypes hardly differ are unstable."""

FEWEST = 10
"""Prototypes of a class, if it has so many pixels, however rare it is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recall:
    """What a memory needs beside its prototypes.

    Parameters
    ----------
    reach
        Distance at which likeness has fallen to 1/e.
    evidence
        (M, K) float32, logits per unit of likeness.
    """

    reach: float
    evidence: Tensor


def choose_prototypes(
    points: Tensor, target: Tensor, classes: int, *, count: int, generator: torch.Generator, clustered: bool = True
) -> Tensor:
    """Prototypes (M, W) for training pixels: the pixels themselves, or cluster centres of each class of many.

    Parameters
    ----------
    points : (P, W)
        The pixels' coordinates.
    target : (P,)
        Class index.
    count
        About how many; classes share them by their pixels, with `FEWEST` for the rarest.
    clustered
        `False` draws pixels at random instead of clustering.
    """
    if len(points) <= count:
        return points
    members = [points[target == index] for index in range(classes)]
    chosen = []
    for found in members:
        share = min(len(found), max(FEWEST, count * len(found) // len(points)))
        if share == len(found):
            chosen.append(found)
        elif clustered:
            chosen.append(cluster_centres(found, share, generator=generator))
        else:
            chosen.append(found[torch.randperm(len(found), generator=generator)[:share]])
    return torch.cat(chosen)


def fit_recall(points: Tensor, target: Tensor, classes: int, prototypes: Tensor) -> Recall:
    """Reach and evidence for prototypes (M, W), from training pixels (P, W) and their class indices (P,)."""
    points, prototypes = points.double(), prototypes.double()
    wanted = 2.0 * F.one_hot(target, classes).double() - 1.0  # (P, K)
    # A class's only pixel cannot be asked for once it is left out.
    asked = torch.bincount(target, minlength=classes)[target] > 1
    asked = asked if bool(asked.any()) else torch.ones_like(asked)
    distance, among = _squared_distance(points, prototypes), _squared_distance(prototypes, prototypes)
    scale = distance.median().clamp(min=1e-12)
    best = (torch.inf, 0.0, torch.empty(0))
    at = len(TEMPERATURES) // 2  # the best temperature, which neighbouring ridges nearly share
    for reach in REACHES:
        features = _Features.of(torch.exp(-distance / scale / reach**2), torch.exp(-among / scale / reach**2))
        for ridge in RIDGES:
            at, loss = _calibrate(features.left_out(wanted, ridge)[asked], target[asked], at)
            if loss < best[0]:
                best = loss, reach, features.evidence(wanted, ridge) / float(TEMPERATURES[at])
    _, reach, evidence = best
    return Recall(reach=float(scale.sqrt()) * reach, evidence=evidence.float())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Features:
    """Likeness to the prototypes in coordinates in which ridge regression is a division.

    Parameters
    ----------
    of_pixels
        (P, R) orthogonal columns.
    strength
        (R,) their squared lengths.
    basis
        (M, R): ``of_pixels`` is the kernel (P, M) times this.
    """

    of_pixels: Tensor
    strength: Tensor
    basis: Tensor

    @classmethod
    def of(cls, kernel: Tensor, among: Tensor) -> _Features:
        """From the kernels of pixels with prototypes (P, M) and among prototypes (M, M)."""
        values, vectors = torch.linalg.eigh(among)
        kept = values > LEAST_EIGENVALUE * values[-1]
        whitening = vectors[:, kept] / values[kept].sqrt()  # (M, R)
        white = kernel @ whitening
        strength, rotation = torch.linalg.eigh(white.T @ white)
        return cls(of_pixels=white @ rotation, strength=strength.clamp(min=0.0), basis=whitening @ rotation)

    def left_out(self, wanted: Tensor, ridge: float) -> Tensor:
        """(P, K) what each pixel would be given, had it not been among those learnt from."""
        shrunk = self.of_pixels / (self.strength + ridge)  # (P, R)
        leverage = (shrunk * self.of_pixels).sum(dim=1, keepdim=True).clamp(max=1 - 1e-6)
        return wanted - (wanted - shrunk @ (self.of_pixels.T @ wanted)) / (1 - leverage)

    def evidence(self, wanted: Tensor, ridge: float) -> Tensor:
        """(M, K) of each prototype."""
        return self.basis @ ((self.of_pixels.T @ wanted) / (self.strength + ridge)[:, None])


def _squared_distance(first: Tensor, second: Tensor) -> Tensor:
    return torch.cdist(first, second, compute_mode="use_mm_for_euclid_dist").square()


def _calibrate(scores: Tensor, target: Tensor, start: int) -> tuple[int, float]:
    """Which temperature makes scores (P, K) most likely, and their mean log-loss there.

    The loss is convex in the reciprocal of the temperature, so from any `start` the way down leads to the least.
    """

    def loss(number: int) -> float:
        return float(F.cross_entropy(scores / TEMPERATURES[number], target))

    best, least = start, loss(start)
    while best > 0 and (lower := loss(best - 1)) <= least:
        best, least = best - 1, lower
    if best < start:
        return best, least
    while best < len(TEMPERATURES) - 1 and (lower := loss(best + 1)) < least:
        best, least = best + 1, lower
    return best, least
