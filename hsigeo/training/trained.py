"""What training gives: a network, and what rebuilds it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

__all__ = ["Trained"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained network and what is needed to rebuild it.

    Parameters
    ----------
    network
        From reflectance (pixel, band) to logits (pixel, class).
    hyperparameters
        Stored in the model card; `hsigeo.model.build_network` rebuilds the network from them.
    """

    network: nn.Module
    hyperparameters: dict[str, int]
