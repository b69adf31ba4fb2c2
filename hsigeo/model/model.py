"""A trained model, and its predictions for a batch of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hsigeo.errors import DeviceError
from hsigeo.model.card import ModelCard
from hsigeo.model.record import TrainingRecord

__all__ = ["Model", "predict_probabilities", "resolve_device"]

DEFAULT_BATCH = 1024
"""Pixels per forward pass: large enough to fill two cores or a GPU's launch, small enough for the cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A trained network with its card.

    Parameters
    ----------
    card
        Bands, classes, provenance.
    network
        From reflectance (pixel, band) to logits (pixel, class); its normaliser is among its weights.
    record
        What it remembers of the pixels it was trained on; `None` in models from before there was one.
    digest
        SHA-256 over weights and card; names the model in everything made with it.
    path
        Where it was loaded from, if it was.
    """

    card: ModelCard
    network: nn.Module
    record: TrainingRecord | None = None
    digest: str = ""
    path: str | None = None

    def __dask_tokenize__(self) -> str:
        """Two models are the same to dask when their weights and cards are."""
        return f"hsigeo-model-{self.digest or id(self)}"


def resolve_device(name: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda`` (``cuda:1``) as a torch device.

    Raises
    ------
    DeviceError
        CUDA was asked for and is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"{name!r} is not a device; use auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError("device cuda was asked for, but torch finds no CUDA device here; use --device cpu")
    return device


def predict_probabilities(
    model: Model, spectra: NDArray[np.float32], *, device: torch.device | None = None, batch: int = DEFAULT_BATCH
) -> NDArray[np.float32]:
    """Class probabilities of spectra that are already on the model's bands.

    Parameters
    ----------
    spectra : (pixel, band) float32, reflectance 0-1
        No NaN.

    Returns
    -------
    (pixel, class) float32, rows summing to 1, classes in the order of the model's class table.
    """
    device = device or torch.device("cpu")
    network = model.network.to(device)
    probabilities = np.empty((len(spectra), len(model.card.classes)), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(spectra), batch):
            logits = network(torch.from_numpy(spectra[start : start + batch]).to(device))
            softened = torch.softmax(logits / model.card.temperature, dim=1)
            probabilities[start : start + batch] = softened.cpu().numpy()
    return probabilities
