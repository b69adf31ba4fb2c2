"""How far a pixel lies from everything learnt.

The distance is measured where the network knows most about a pixel: in its embedding, just before the memory is read.
Embeddings are whitened by the covariance within classes; the squared distance to each class's centre is divided by what
is usual in that class, and the nearest class counts. So a training pixel has a distance of about one, whatever network
and classes; how much more is strange is not for the formula to say but for pixels that were held out: their distances
are kept, and a rate asks for the quantile that so many of them exceed. Measured alternatives: docs/validation.md.

Kept beside the weights in the model file, under names that begin with ``novelty.``.

Shape legend: P pixels, B bands, D width of a description, R width after whitening, K classes, H held-out pixels.
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

__all__ = ["PREFIX", "Novelty", "decode_novelty", "describe", "encode_novelty", "learn_novelty"]

PREFIX = "novelty."

MOST_WIDTH = 64
"""A wider description is cut to its directions of largest variance. That is no loss: 64 of 256 told strangers apart a
little better than all of them."""

MOST_HELD_OUT = 4096
"""Of more held-out distances, evenly spaced quantiles are kept."""

LEAST_SHRINKAGE = 1e-4
"""Of the covariance towards a multiple of the identity: enough to make it invertible, whatever the pixels."""

USUAL_WEIGHT = 20
"""So many pixels of all classes are added to each class when its usual distance is taken: three pixels tell little."""

Arrays = dict[str, NDArray[np.generic]]


@singledispatch
def describe(network: nn.Module, spectra: Tensor) -> Tensor | None:
    """What the network makes of spectra (P, B) before it decides: (P, D); `None` from one that tells nothing."""
    return None


@describe.register
def _(network: ConsensusNetwork, spectra: Tensor) -> Tensor:
    tokens = network.tokens(spectra)  # (P, T, I)
    # What the embedding keeps of a spectrum, and how much it leaves over in each token: new materials show in both.
    return torch.cat([network.consensus.embed(tokens), network.consensus.left_over(tokens)], dim=1)


@describe.register
def _(network: GatedNetwork, spectra: Tensor) -> Tensor:
    return network.embed(network.tokens(spectra)).transpose(0, 1).flatten(1)  # members side by side


@describe.register
def _(network: PlainNetwork, spectra: Tensor) -> Tensor:
    return network.embed(spectra)


@dataclass(frozen=True, kw_only=True, eq=False)
class Novelty:
    """What is needed to say how far a pixel lies from everything learnt.

    Parameters
    ----------
    whiten
        (D, R) float32, from descriptions to coordinates in which every class scatters alike.
    centres
        (K, R) float32, of the classes, in those coordinates.
    usual
        (K,) float32, mean squared distance of a class's training pixels from its centre.
    held_out
        (H,) float32, ascending: distances of held-out pixels of known classes, or quantiles of them. Empty where
        nothing was held out.
    held_out_count
        How many pixels were held out.
    """

    whiten: Tensor
    centres: Tensor
    usual: Tensor
    held_out: NDArray[np.float32]
    held_out_count: int

    def distance(self, description: Tensor) -> Tensor:
        """(P,) distance of descriptions (P, D), in units of what is usual in the nearest class."""
        place = description @ self.whiten.to(description.device)  # (P, R)
        squared = torch.cdist(
            place, self.centres.to(place.device), compute_mode="donot_use_mm_for_euclid_dist"
        ).square()  # (P, K)
        return torch.as_tensor((squared / self.usual.to(place.device)).amin(dim=1).sqrt())

    def threshold(self, rate: float) -> float:
        """The distance that a share `rate` of held-out known pixels exceeds.

        Raises
        ------
        ModelError
            Nothing was held out, or too little for so small a rate.
        """
        if not self.held_out_count:
            raise ModelError("nothing was held out in training (--no-validation), so no rate can be kept; train again")
        # Conformal: of H + 1 exchangeable pixels, the new one is beyond this rank with probability at most `rate`.
        rank = math.ceil((self.held_out_count + 1) * (1 - rate))
        if rank > self.held_out_count:
            raise ModelError(
                f"a rate of {rate:g} cannot be kept: only {self.held_out_count} known pixels were held out in "
                f"training; the least is {1 / (self.held_out_count + 1):.2g}"
            )
        place = (rank - 1) / max(1, self.held_out_count - 1) * (len(self.held_out) - 1)
        return float(self.held_out[min(len(self.held_out) - 1, math.ceil(place - 1e-9))])


def learn_novelty(
    description: Tensor, target: Tensor, classes: int, held_out: NDArray[np.floating] | None = None
) -> Novelty:
    """Centres, whitening and usual distances of training pixels.

    Parameters
    ----------
    description : (P, D)
        Of the training pixels.
    target : (P,)
        Class index.
    classes
        Number of classes; one without pixels is never the nearest.
    held_out : (pixel,)
        Distances of pixels that models like this one had not learnt.
    """
    inputs = description.double()
    project = _main_directions(inputs)  # (D, R) or None
    inputs = inputs if project is None else inputs @ project
    counts = torch.bincount(target, minlength=classes)
    sums = torch.zeros(classes, inputs.shape[1], dtype=inputs.dtype).index_add_(0, target, inputs)
    centres = sums / counts.clamp(min=1)[:, None]  # (K, R)
    covariance = _shrink(inputs - centres[target])
    # x W has unit covariance: W is the inverse of the transposed Cholesky factor.
    factor = torch.linalg.cholesky(covariance)
    whiten = torch.linalg.solve_triangular(factor.T, torch.eye(len(factor), dtype=factor.dtype), upper=True)
    centres = centres @ whiten
    squared = (inputs @ whiten - centres[target]).square().sum(dim=1)  # (P,)
    # A centre of n pixels is drawn towards each of them, by 1/n.
    own = counts[target].to(inputs.dtype)
    squared = squared * (own / (own - 1).clamp(min=1)).square()
    per_class = torch.zeros(classes, dtype=inputs.dtype).index_add_(0, target, squared)
    usual = (per_class + USUAL_WEIGHT * squared.mean()) / (counts + USUAL_WEIGHT)
    centres = torch.where(counts[:, None] > 0, centres, 1e15)
    distances = np.sort(np.asarray([] if held_out is None else held_out, dtype=np.float32))
    count = len(distances)
    if count > MOST_HELD_OUT:
        distances = distances[np.ceil(np.linspace(0, count - 1, MOST_HELD_OUT)).astype(np.intp)]
    return Novelty(
        whiten=(whiten if project is None else project @ whiten).float(),
        centres=centres.float(),
        usual=usual.clamp(min=1e-12).float(),
        held_out=distances,
        held_out_count=count,
    )


def encode_novelty(novelty: Novelty | None) -> Arrays:
    """The arrays to store, by name."""
    if novelty is None:
        return {}
    found: Arrays = {
        "whiten": novelty.whiten.numpy(),
        "centres": novelty.centres.numpy(),
        "usual": novelty.usual.numpy(),
        "held_out": novelty.held_out,
        "held_out_count": np.array([novelty.held_out_count], dtype=np.int64),
    }
    return {PREFIX + name: np.ascontiguousarray(values) for name, values in found.items()}


def decode_novelty(arrays: Arrays, *, classes: int, width: int | None) -> Novelty | None:
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
    shapes = {
        "whiten": (width, min(width or 0, MOST_WIDTH)),
        "centres": (classes, min(width or 0, MOST_WIDTH)),
        "usual": (classes,),
    }
    for name, shape in shapes.items():
        values = found.get(name)
        if values is None or values.dtype != np.float32 or values.shape != shape or not np.isfinite(values).all():
            raise ModelError(f"the model's distance is broken: {name} is missing, or not {shape} finite float32")
    held_out, count = found.get("held_out"), found.get("held_out_count")
    if held_out is None or held_out.dtype != np.float32 or held_out.ndim != 1 or len(held_out) > MOST_HELD_OUT:
        raise ModelError("the model's distance is broken: held_out is missing or no list of distances")
    if count is None or count.dtype != np.int64 or count.shape != (1,) or count[0] < len(held_out):
        raise ModelError("the model's distance is broken: held_out_count is missing, or less than the distances")
    if bool(count[0]) != bool(len(held_out)) or not np.isfinite(held_out).all() or (np.diff(held_out) < 0).any():
        raise ModelError("the model's distance is broken: held_out is not finite and ascending")
    if (found["usual"] <= 0).any():
        raise ModelError("the model's distance is broken: usual is not positive")
    return Novelty(
        whiten=torch.from_numpy(found["whiten"]),
        centres=torch.from_numpy(found["centres"]),
        usual=torch.from_numpy(found["usual"]),
        held_out=held_out,
        held_out_count=int(count[0]),
    )


def _main_directions(inputs: Tensor) -> Tensor | None:
    """(D, R) directions of largest variance; `None` where there are few enough as they are."""
    if inputs.shape[1] <= MOST_WIDTH:
        return None
    centred = inputs - inputs.mean(dim=0)
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # ascending
    return torch.as_tensor(vectors.flip(1)[:, :MOST_WIDTH])


def _shrink(residuals: Tensor) -> Tensor:
    """Covariance shrunk towards a multiple of the identity (Ledoit and Wolf 2004, section 3.3), never singular."""
    count, width = residuals.shape
    sample = residuals.T @ residuals / count
    identity = torch.eye(width, dtype=residuals.dtype)
    level = sample.trace() / width
    distance = (sample - level * identity).square().sum()
    doubt = (residuals.square().sum(dim=1).square().sum() / count - sample.square().sum()) / count
    shrinkage = (doubt / distance.clamp(min=1e-30)).clamp(LEAST_SHRINKAGE, 1.0)
    return (1 - shrinkage) * sample + (shrinkage * level + 1e-9) * identity
