"""What every way of training shares: its result, and the normaliser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from hsigeo.model import Normaliser

__all__ = ["Trained", "standardiser"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained network and what is needed to rebuild and feed it.

    Parameters
    ----------
    network
        From normalised spectra (pixel, band) to logits (pixel, class).
    hyperparameters
        Stored in the model card; `hsigeo.model.build_network` rebuilds the network from them.
    normaliser
        Applied to every spectrum before the network.
    """

    network: nn.Module
    hyperparameters: dict[str, int]
    normaliser: Normaliser


def standardiser(spectra: NDArray[np.float32]) -> Normaliser:
    """Mean and standard deviation of each band over the training spectra.

    A band that is constant keeps its offset and gets the scale 1: it says nothing, and must not blow up.
    """
    deviation = spectra.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    return Normaliser(offset=spectra.mean(axis=0, dtype=np.float64).astype(np.float32), scale=scale.astype(np.float32))
