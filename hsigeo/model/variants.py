"""The architectures, by name, and how one is rebuilt from a model card."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hsigeo.bands import BandTable
from hsigeo.errors import ModelError
from hsigeo.model.card import ModelCard
from hsigeo.model.consensus import ConsensusNetwork
from hsigeo.model.gated import GatedNetwork
from hsigeo.model.plain import PlainNetwork

__all__ = ["DEFAULT_VARIANT", "VARIANTS", "build_network", "wavelengths_or_places"]

DEFAULT_VARIANT = "consensus"


def _plain(card: ModelCard) -> nn.Module:
    return PlainNetwork(bands=card.bands.count, classes=len(card.classes), **card.hyperparameters)


def _consensus(card: ModelCard) -> nn.Module:
    return ConsensusNetwork(bands=card.bands.count, classes=len(card.classes), **card.hyperparameters)


def _gated(card: ModelCard) -> nn.Module:
    wavelength = torch.from_numpy(wavelengths_or_places(card.bands))
    return GatedNetwork(wavelength, classes=len(card.classes), **card.hyperparameters)


def wavelengths_or_places(bands: BandTable) -> NDArray[np.float64]:
    """(band,) nm; where the bands have none, even steps over the solar range, so that neighbours stay neighbours."""
    return np.linspace(400.0, 2500.0, bands.count) if bands.wavelength is None else bands.wavelength


VARIANTS: dict[str, Callable[[ModelCard], nn.Module]] = {"consensus": _consensus, "gated": _gated, "plain": _plain}
"""Name → from a card to an untrained network of the card's size."""


def build_network(card: ModelCard, shapes: dict[str, tuple[int, ...]]) -> nn.Module:
    """An untrained network for a card, checked against the weights that are to go into it.

    The network is first laid out without memory, so a card that claims absurd sizes allocates nothing.

    Raises
    ------
    ModelError
        Unknown variant, impossible hyperparameters, or weights of other names or shapes.
    """
    if card.variant not in VARIANTS:
        raise ModelError(
            f"the model is of the variant {card.variant!r:.60}; this version of hsigeo knows "
            f"{', '.join(sorted(VARIANTS))}"
        )
    build = VARIANTS[card.variant]
    try:
        with torch.device("meta"):
            layout = {name: tuple(tensor.shape) for name, tensor in build(card).state_dict().items()}
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ModelError(f"the model's hyperparameters do not make a network: {error}") from error
    if layout != shapes:
        odd = sorted(name for name in layout.keys() | shapes.keys() if layout.get(name) != shapes.get(name))
        raise ModelError(f"the model's weights do not fit its card, first at {odd[0]}")
    # Building draws random starting weights; the caller's random state is none of our business.
    with torch.random.fork_rng(devices=[]):
        return build(card)
