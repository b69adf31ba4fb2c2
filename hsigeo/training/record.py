"""What is remembered of the training pixels, beside the weights: see `hsigeo.model.record`.

Shape legend: P pixels, B bands, K classes, M prototypes.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsigeo.model.account import account_for
from hsigeo.model.record import MAX_EXEMPLARS, NEAREST, Exemplars, TrainingRecord
from hsigeo.spectral_prior import MAX_BANDS, RANK, SpectralPrior
from hsigeo.training.fit import seeded
from hsigeo.training.samples import LabelledSpectra

__all__ = ["learn_prior", "record_training"]

PER_CLASS = 16
"""Training pixels remembered of each class, whatever the prototypes."""

MOST_READ = 20_000
"""Pixels that are asked which prototypes they read."""

BATCH = 1024


def record_training(samples: LabelledSpectra, network: nn.Module, *, seed: int = 0) -> TrainingRecord:
    """What to remember of training pixels, given the network they trained."""
    spectra, target = torch.from_numpy(samples.spectra), torch.from_numpy(samples.class_index)
    classes = len(samples.classes)
    with seeded(seed) as generator, torch.no_grad():
        order = torch.randperm(len(samples), generator=generator)
        asked = order[:MOST_READ].sort().values
        reading = _read_memory(network, spectra[asked])  # (P, M)
        nearest = _nearest(reading, classes)  # (M, n), positions in `asked`
        of_each = [order[target[order] == index][:PER_CLASS] for index in range(classes)]
        chosen = _first_distinct([*_by_turns(of_each), *asked[nearest].T], MAX_EXEMPLARS)
        place = torch.full((len(samples),), -1)
        place[chosen] = torch.arange(len(chosen))
        mean, spread = _class_statistics(spectra, target, classes)
        return TrainingRecord(
            class_mean=mean.numpy(),
            class_spread=spread.numpy(),
            prior=learn_prior(samples.spectra),
            exemplars=_exemplars(samples, chosen.numpy()),
            prototype_class=_prototype_class(reading, target[asked], classes).numpy(),
            nearest=place[asked[nearest]].to(torch.int32).numpy(),
        )


def learn_prior(spectra: NDArray[np.float32]) -> SpectralPrior | None:
    """The prior of training spectra (pixel, band), finite; `None` for more bands than a prior is made for."""
    bands = spectra.shape[1]
    if bands > MAX_BANDS:
        return None
    # torch and not NumPy: within `seeded` it works in one thread, so the numbers do not depend on how many cores.
    inputs = torch.from_numpy(spectra).double()
    mean = inputs.mean(dim=0)
    covariance = (inputs - mean).T @ (inputs - mean) / len(inputs)  # (B, B)
    values, vectors = torch.linalg.eigh(covariance)  # ascending
    shapes = vectors.flip(1)[:, :RANK] * values.flip(0)[:RANK].clamp(min=0.0).sqrt()
    left_over = (covariance.diagonal() - shapes.square().sum(dim=1)).clamp(min=0.0)
    return SpectralPrior(
        mean=mean.float().numpy(), shapes=shapes.float().contiguous().numpy(), left_over=left_over.float().numpy()
    )


def _read_memory(network: nn.Module, spectra: Tensor) -> Tensor:
    """(P, M) read weights; M is 0 for a network without a memory."""
    found = [account_for(network, part) for part in torch.split(spectra, BATCH)]
    return torch.cat([torch.zeros(0) if said is None else said.reading for said in found]).reshape(len(spectra), -1)


def _nearest(reading: Tensor, classes: int) -> Tensor:
    """(M, n) the pixels that read each prototype most, best first; fewer where memory of them all would be too much."""
    room = (MAX_EXEMPLARS - PER_CLASS * min(classes, MAX_EXEMPLARS // (2 * PER_CLASS))) // max(1, reading.shape[1])
    count = min(NEAREST, max(1, room), len(reading))
    return reading.topk(count, dim=0).indices.T if reading.shape[1] else torch.zeros(0, count, dtype=torch.long)


def _by_turns(members: list[Tensor]) -> list[Tensor]:
    """The first of each class, then the second of each, and so on: where room is short, every class has some."""
    return [
        torch.stack([found[turn] for found in members if turn < len(found)]) for turn in range(max(map(len, members)))
    ]


def _first_distinct(wanted: list[Tensor], most: int) -> Tensor:
    """The first `most` different numbers, sorted; what stands further back has to wait."""
    kept: dict[int, None] = {}
    for numbers in wanted:
        for number in numbers.tolist():
            if len(kept) < most:
                kept.setdefault(number)
    return torch.tensor(sorted(kept))


def _prototype_class(reading: Tensor, target: Tensor, classes: int) -> Tensor:
    """(M, K) the classes of the pixels that read each prototype, weighted by how much they do, each class alike."""
    chosen = torch.nn.functional.one_hot(target, classes).float()  # (P, K)
    per_class = reading.T @ chosen / chosen.sum(dim=0).clamp(min=1)  # (M, K)
    return per_class / per_class.sum(dim=1, keepdim=True).clamp(min=1e-12)


def _class_statistics(spectra: Tensor, target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """(K, B) mean and standard deviation of each class; 0 for one without pixels."""
    mean, spread = torch.zeros(classes, spectra.shape[1]), torch.zeros(classes, spectra.shape[1])
    for index in range(classes):
        members = spectra[target == index].double()
        if len(members):
            mean[index] = members.mean(dim=0)
            spread[index] = members.std(dim=0, correction=0)
    return mean, spread


def _exemplars(samples: LabelledSpectra, chosen: NDArray[np.intp]) -> Exemplars:
    largest = float(np.finfo(np.float16).max)
    return Exemplars(
        spectra=samples.spectra[chosen].clip(-largest, largest).astype(np.float16),
        class_index=samples.class_index[chosen].astype(np.int32),
        scene=samples.scene[chosen].astype(np.int32),
        row=samples.row[chosen].astype(np.int32),
        col=samples.col[chosen].astype(np.int32),
        group=samples.group[chosen].astype(np.int32),
    )
