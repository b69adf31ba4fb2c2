"""How far a pixel lies from everything learnt.

The distance is that to the nearest labelled pixel, measured as the memory measures likeness: between embeddings. It is
divided by what is usual between neighbours of that pixel's class, so that a class that varies much is given more room.
A training pixel lies about one from the others of its class; how much more is strange is not for the formula to say but
for pixels that were held out: their distances are kept, and a rate asks for the quantile that so many of them exceed.
Measured alternatives: docs/validation.md.

Kept beside the weights in the model file, under names that begin with ``novelty.``.

Shape legend: P pixels, B bands, D width of a description, N anchors, K classes, H held-out pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsigeo.errors import ModelError
from hsigeo.model.consensus import ConsensusNetwork
from hsigeo.model.gated import GatedNetwork
from hsigeo.model.plain import PlainNetwork

__all__ = [
    "PREFIX",
    "Novelty",
    "decide_and_describe",
    "decode_novelty",
    "describe",
    "encode_novelty",
    "learn_novelty",
]

PREFIX = "novelty."

MOST_ANCHORS = 1024
"""Labelled pixels that distances are measured to; of more, each class gives a random part, in proportion."""

LEAST_ANCHORS = 16
"""At least this many anchors per class, where it has as many pixels."""

MOST_NEIGHBOURS = 4096
"""Labelled pixels whose nearest neighbours tell what is usual."""

MOST_HELD_OUT = 4096
"""Most held-out distances to store; of more, evenly spaced quantiles are kept."""

USUAL_WEIGHT = 20
"""So many pixels of all classes are added to each class when its usual distance is taken: three pixels tell little."""

Arrays = dict[str, NDArray[np.generic]]


@singledispatch
def describe(network: nn.Module, spectra: Tensor) -> Tensor | None:
    """What the network makes of spectra (P, B) before it decides: (P, D); `None` from one that tells nothing."""
    return None


@describe.register
def _(network: ConsensusNetwork, spectra: Tensor) -> Tensor:
    # Healed: a few dead bands do not make a stranger of a pixel whose other bands are well known. Not whitened: that
    # makes little of the very directions in which strange pixels stand out from a scene.
    return network.consensus.coordinates(network.healed(spectra))


@describe.register
def _(network: GatedNetwork, spectra: Tensor) -> Tensor:
    return network.embed(network.tokens(spectra)).transpose(0, 1).flatten(1)  # members side by side


@describe.register
def _(network: PlainNetwork, spectra: Tensor) -> Tensor:
    return network.embed(spectra)


@singledispatch
def decide_and_describe(network: nn.Module, spectra: Tensor) -> tuple[Tensor, Tensor | None]:
    """Class logits (P, K) and what `describe` gives, of spectra (P, B), in one pass where a network has a way."""
    return network(spectra), describe(network, spectra)


@decide_and_describe.register
def _(network: ConsensusNetwork, spectra: Tensor) -> tuple[Tensor, Tensor | None]:
    tokens = network.healed(spectra)
    coordinates = network.consensus.coordinates(tokens)
    return network.decide(tokens, network.consensus.whitened(coordinates)), coordinates


@dataclass(frozen=True, kw_only=True, eq=False)
class Novelty:
    """What is needed to say how far a pixel lies from everything learnt.

    Parameters
    ----------
    anchors
        (N, D) float32, descriptions of labelled pixels.
    usual
        (N,) float32, mean squared distance between nearest neighbours of the anchor's class.
    held_out
        (H,) float32, ascending: distances of held-out pixels of known classes, or quantiles of them. Empty where
        nothing was held out.
    held_out_count
        How many pixels were held out.
    """

    anchors: Tensor
    usual: Tensor
    held_out: NDArray[np.float32]
    held_out_count: int

    def distance(self, description: Tensor) -> Tensor:
        """(P,) distance of descriptions (P, D), in units of what is usual at the nearest anchor."""
        anchors, usual = self.anchors.to(description.device), self.usual.to(description.device)
        return torch.as_tensor((_squared_distances(description, anchors) / usual).amin(dim=1).sqrt())

    def threshold(self, rate: float) -> float:
        """The distance that a share `rate` of held-out known pixels exceeds.

        Raises
        ------
        ModelError
            Nothing was held out, or too little for so small a rate.
        """
        if not self.held_out_count:
            raise ModelError(
                "nothing was held out in training (--no-validation), so no rate can be met; train again without it"
            )
        # Conformal: of H + 1 exchangeable pixels, the new one is beyond this rank with probability at most `rate`.
        rank = math.ceil((self.held_out_count + 1) * (1 - rate))
        if rank > self.held_out_count:
            raise ModelError(
                f"a rate of {rate:g} cannot be met: only {self.held_out_count} known pixels were held out in "
                f"training; the least is {1 / (self.held_out_count + 1):.2g}"
            )
        place = (rank - 1) / max(1, self.held_out_count - 1) * (len(self.held_out) - 1)
        return float(self.held_out[min(len(self.held_out) - 1, math.ceil(place - 1e-9))])


def learn_novelty(
    description: Tensor,
    target: Tensor,
    classes: int,
    held_out: NDArray[np.floating] | None = None,
    *,
    generator: torch.Generator | None = None,
) -> Novelty:
    """Anchors, and what is usual between neighbours.

    Parameters
    ----------
    description : (P, D)
        Of the training pixels.
    target : (P,)
        Class index.
    classes
        Number of classes.
    held_out : (pixel,)
        Distances of pixels that models like this one had not learnt.
    generator
        Draws the anchors, where there are more pixels.
    """
    generator = generator or torch.Generator().manual_seed(0)
    order = torch.randperm(len(description), generator=generator)
    anchors = _draw_anchors(target, order, classes)
    asked = order[:MOST_NEIGHBOURS]
    squared = _squared_distances(description[asked], description[anchors])
    squared = squared.masked_fill(asked[:, None] == anchors[None], torch.inf).amin(dim=1)  # but to itself
    # A lonely pixel has no neighbour; duplicates have one at no distance at all.
    known = torch.isfinite(squared)
    mean = squared[known].double().mean() if bool(known.any()) else torch.ones((), dtype=torch.float64)
    counts = torch.bincount(target[asked][known], minlength=classes)
    sums = torch.zeros(classes, dtype=torch.float64).index_add_(0, target[asked][known], squared[known].double())
    per_class = (sums + USUAL_WEIGHT * mean) / (counts + USUAL_WEIGHT)  # (K,)
    distances = np.sort(np.asarray([] if held_out is None else held_out, dtype=np.float32))
    count = len(distances)
    if count > MOST_HELD_OUT:
        distances = distances[np.ceil(np.linspace(0, count - 1, MOST_HELD_OUT)).astype(np.intp)]
    return Novelty(
        anchors=description[anchors].float(),
        usual=per_class.clamp(min=1e-12).float()[target[anchors]],
        held_out=distances,
        held_out_count=count,
    )


def encode_novelty(novelty: Novelty | None) -> Arrays:
    """The arrays to store, by name."""
    if novelty is None:
        return {}
    found: Arrays = {
        "anchors": novelty.anchors.numpy(),
        "usual": novelty.usual.numpy(),
        "held_out": novelty.held_out,
        "held_out_count": np.array([novelty.held_out_count], dtype=np.int64),
    }
    return {PREFIX + name: np.ascontiguousarray(values) for name, values in found.items()}


def decode_novelty(arrays: Arrays, *, width: int | None) -> Novelty | None:
    """Inverse of `encode_novelty`, from a file that may come from anywhere.

    Parameters
    ----------
    width
        Of the network's descriptions; `None` if it gives none.

    Raises
    ------
    ModelError
        An array is missing, or of another type, shape or range than it must be.
    """
    if not arrays:
        return None
    found: dict[str, Any] = {name.removeprefix(PREFIX): values for name, values in arrays.items()}
    anchors = found.get("anchors")
    count = 0 if anchors is None or anchors.ndim != 2 else len(anchors)
    if not 1 <= count <= MOST_ANCHORS:
        raise ModelError(f"the model's distance is broken: it has {count} anchors; 1 to {MOST_ANCHORS} make sense")
    for name, shape in {"anchors": (count, width), "usual": (count,)}.items():
        values = found.get(name)
        if values is None or values.dtype != np.float32 or values.shape != shape or not np.isfinite(values).all():
            raise ModelError(f"the model's distance is broken: {name} is missing, or not {shape} finite float32")
    held_out, held = found.get("held_out"), found.get("held_out_count")
    if held_out is None or held_out.dtype != np.float32 or held_out.ndim != 1 or len(held_out) > MOST_HELD_OUT:
        raise ModelError("the model's distance is broken: held_out is missing or no list of distances")
    if held is None or held.dtype != np.int64 or held.shape != (1,) or held[0] < len(held_out):
        raise ModelError("the model's distance is broken: held_out_count is missing, or less than the distances")
    if bool(held[0]) != bool(len(held_out)) or not np.isfinite(held_out).all() or (np.diff(held_out) < 0).any():
        raise ModelError("the model's distance is broken: held_out is not finite and ascending")
    if (found["usual"] <= 0).any():
        raise ModelError("the model's distance is broken: usual is not positive")
    return Novelty(
        anchors=torch.from_numpy(found["anchors"]),
        usual=torch.from_numpy(found["usual"]),
        held_out=held_out,
        held_out_count=int(held[0]),
    )


def _squared_distances(points: Tensor, anchors: Tensor) -> Tensor:
    """(P, N) squared distances, by one matrix product; rounding may take it a little below 0."""
    apart = points.square().sum(dim=1, keepdim=True) + anchors.square().sum(dim=1)
    return torch.addmm(apart, points, anchors.T, alpha=-2.0).clamp(min=0.0)


def _draw_anchors(target: Tensor, order: Tensor, classes: int) -> Tensor:
    """(N,) positions, ascending: all pixels, or a part of each class, the first in `order`."""
    if len(target) <= MOST_ANCHORS:
        return torch.arange(len(target))
    share = (MOST_ANCHORS - min(LEAST_ANCHORS * classes, MOST_ANCHORS // 2)) / len(target)
    least = min(LEAST_ANCHORS, max(1, MOST_ANCHORS // (2 * classes)))
    drawn = []
    for index in range(classes):
        members = order[target[order] == index]
        drawn.append(members[: max(least, int(share * len(members)))])
    return torch.cat(drawn)[:MOST_ANCHORS].sort().values
