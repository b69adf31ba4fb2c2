"""Learns, from the training pixels, how far pixels lie from what a network has learnt."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsigeo.model.novelty import Novelty, describe, learn_novelty
from hsigeo.training.fit import drawing
from hsigeo.training.samples import LabelledSpectra

__all__ = ["novelty_of"]

BATCH = 1024


def novelty_of(
    network: nn.Module, samples: LabelledSpectra, held_out: NDArray[np.float32] | None = None
) -> Novelty | None:
    """The distances of a trained network; `None` from one that does not describe pixels.

    Parameters
    ----------
    samples
        What it was trained on.
    held_out : (pixel,)
        Distances of pixels that networks trained alike had not learnt.
    """
    with drawing(0) as generator, torch.no_grad():
        description = _describe_all(network, samples.spectra)
        if description is None:
            return None
        target = torch.from_numpy(samples.class_index)
        return learn_novelty(description, target, len(samples.classes), held_out, generator=generator)


def _describe_all(network: nn.Module, spectra: NDArray[np.float32]) -> Tensor | None:
    parts = [describe(network, part) for part in torch.split(torch.from_numpy(spectra), BATCH)]
    return None if any(part is None for part in parts) else torch.cat([part for part in parts if part is not None])
