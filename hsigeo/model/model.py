"""A trained model, and its predictions for a batch of pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsigeo.errors import DeviceError, ModelError
from hsigeo.kernels.choice import choose_kernel
from hsigeo.model.card import ModelCard
from hsigeo.model.consensus import ConsensusNetwork
from hsigeo.model.novelty import Novelty, decide_and_describe
from hsigeo.model.record import TrainingRecord

__all__ = [
    "Model",
    "answer",
    "batch_size",
    "is_large",
    "measure_distance",
    "predict_probabilities",
    "resolve_device",
]

_BATCH = {"cuda": 8192}
_DEFAULT_BATCH = 512

LARGE_SCENE = 1 << 16
"""Pixels: below, compiled loops gain less than a second once they are there, and take twenty to compile."""

Prepare = Callable[[Tensor], Tensor]
"""From a scene's bands (P, B) to the model's."""

NO_DISTANCES = (
    "the model cannot measure the distance from its training data; train it again with this version of hsigeo"
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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
    novelty
        How far a pixel lies from everything learnt; `None` in models from before that was kept.
    digest
        SHA-256 over weights and card; names the model in everything made with it.
    path
        Where it was loaded from, if it was.
    """

    card: ModelCard
    network: nn.Module
    record: TrainingRecord | None = None
    novelty: Novelty | None = None
    digest: str = ""
    path: str | None = None

    def __repr__(self) -> str:
        card, name = self.card, f" of {self.path}" if self.path else ""
        return (
            f"<{card.variant} model{name}: {len(card.classes)} classes, {card.bands.count} bands, {self.digest[:12]}>"
        )

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


def is_large(model: Model, pixels: int) -> bool:
    """Whether a scene of so many pixels is worth the compiled form of a model's loops (`hsigeo.kernels.choice`).

    It is the scene that counts, and not the tiles of it, so that all of a map is made with one form. Of other variants
    than the default every scene is, for they are slow in plain torch.
    """
    return pixels >= LARGE_SCENE or not isinstance(model.network, ConsensusNetwork)


def batch_size(device: torch.device) -> int:
    """Pixels per forward pass: enough to fill a core or a GPU's launch, few enough for the cache."""
    return _BATCH.get(device.type, _DEFAULT_BATCH)


def _pad(spectra: NDArray[np.float32], batch: int) -> NDArray[np.float32]:
    """Spectra (pixel, band) repeated to a whole number of batches.

    Matrix products of another height may be summed in another order, so the last bit of a pixel's result would depend
    on how many pixels came with it. In batches of one size it depends on the pixel alone, and a map is the same to the
    bit whatever the tiles were.
    """
    missing = -len(spectra) % batch
    return spectra if not missing else np.pad(spectra, ((0, missing), (0, 0)), mode="edge")


def predict_probabilities(
    model: Model,
    spectra: NDArray[np.float32],
    *,
    device: torch.device | None = None,
    batch: int | None = None,
    prepare: Prepare | None = None,
) -> NDArray[np.float32]:
    """Class probabilities of spectra, each to the bit the same whatever other spectra and threads there are.

    On a CPU the caller's thread does everything: torch's threads would share a sum out differently for each number of
    them. Call it from several threads to use several cores.

    Parameters
    ----------
    spectra : (pixel, band) float32, reflectance 0-1
        No NaN.
    batch
        Pixels per forward pass; by default what suits the device.
    prepare
        Makes the model's bands out of those of `spectra`, a batch at a time, on `device`.

    Returns
    -------
    (pixel, class) float32, rows summing to 1, classes in the order of the model's class table.
    """
    found = answer(model, spectra, device=device, batch=batch, prepare=prepare)
    return np.ascontiguousarray(found.T)


def measure_distance(
    model: Model,
    spectra: NDArray[np.float32],
    *,
    device: torch.device | None = None,
    batch: int | None = None,
    prepare: Prepare | None = None,
) -> NDArray[np.float32]:
    """Distance of spectra from everything the model has learnt, as reproducible as `predict_probabilities`.

    Parameters
    ----------
    spectra, batch, prepare
        As in `predict_probabilities`.

    Returns
    -------
    (pixel,) float32
        About one for a pixel like those of training; see `hsigeo.model.novelty`.

    Raises
    ------
    ModelError
        The model does not know its distances.
    """
    found = answer(model, spectra, device=device, batch=batch, prepare=prepare, measured=True)
    return np.ascontiguousarray(found[-1])


def answer(
    model: Model,
    spectra: NDArray[np.float32],
    *,
    device: torch.device | None = None,
    batch: int | None = None,
    prepare: Prepare | None = None,
    measured: bool = False,
    large: bool = False,
) -> NDArray[np.float32]:
    """Probabilities and distances of spectra in one pass; each pixel's to the bit the same in any company.

    Parameters
    ----------
    spectra : (pixel, band) float32, reflectance 0-1
        NaN where invalid. Fastest where either the bands of a pixel or the pixels of a band lie side by side in memory.
    batch, prepare
        As in `predict_probabilities`.
    measured
        Whether distances are asked for.
    large
        Whether they are a part of so many that compiled loops pay; see `is_large`.

    Returns
    -------
    (class, pixel) float32
        With distances, they are one row more. NaN where any value of a pixel is not finite.

    Raises
    ------
    ModelError
        Distances are asked for, and the model does not know them.
    """
    device = device or torch.device("cpu")
    if measured and model.novelty is None:
        raise ModelError(NO_DISTANCES)
    if isinstance(model.network, ConsensusNetwork) and choose_kernel(device.type, large=large) == "cpu":
        return _answer_compiled(model, spectra, prepare=prepare, measured=measured)
    network, novelty = model.network.to(device), model.novelty

    def ask(pixels: Tensor) -> Tensor:
        if not measured:
            return torch.softmax(network(pixels) / model.card.temperature, dim=1)
        logits, description = decide_and_describe(network, pixels)
        if novelty is None or description is None:
            raise ModelError(NO_DISTANCES)
        probability = torch.softmax(logits / model.card.temperature, dim=1)
        return torch.cat([probability, novelty.distance(description)[:, None]], dim=1)

    valid = np.isfinite(spectra).all(axis=1)
    answers = np.full((len(model.card.classes) + measured, len(spectra)), np.nan, dtype=np.float32)
    if valid.any():
        known = spectra if valid.all() else spectra[valid]
        found = _in_batches(ask, known, device=device, batch=batch or batch_size(device), prepare=prepare)
        answers[:, valid] = found.T
    return answers


def _answer_compiled(
    model: Model, spectra: NDArray[np.float32], *, prepare: Prepare | None, measured: bool
) -> NDArray[np.float32]:
    # Here, for numba takes a third of a second to import.
    from hsigeo.kernels.consensus import answer as answer_compiled
    from hsigeo.model.compiled import constants_of

    if prepare is not None and len(spectra):
        spectra = _in_batches(prepare, spectra, device=torch.device("cpu"), batch=_DEFAULT_BATCH, prepare=None)
    answers = np.empty((len(model.card.classes) + measured, len(spectra)), dtype=np.float32)
    by_pixel, by_band = np.asarray(spectra, dtype=np.float32), np.empty((spectra.shape[1], 0), dtype=np.float32)
    if by_pixel.T.flags.c_contiguous and len(by_pixel) > 1:
        by_pixel, by_band = np.empty((0, spectra.shape[1]), dtype=np.float32), by_pixel.T
    answer_compiled(constants_of(model), np.ascontiguousarray(by_pixel), by_band, answers)
    return answers


def _in_batches(
    ask: Callable[[Tensor], Tensor],
    spectra: NDArray[np.float32],
    *,
    device: torch.device,
    batch: int,
    prepare: Prepare | None,
) -> NDArray[np.float32]:
    """(pixel, answer) of spectra, in padded batches and in one thread."""
    parts = []
    with torch.inference_mode(), _one_thread():
        for start in range(0, len(spectra), batch):
            part = spectra[start : start + batch]
            pixels = torch.from_numpy(_pad(part, batch)).to(device)
            answers = ask(pixels if prepare is None else prepare(pixels))
            parts.append(answers[: len(part)].cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to the caller's thread. The setting belongs to the thread; new ones take the last one made."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
