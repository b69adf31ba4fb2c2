"""What a model remembers of the pixels it was trained on: enough to explain itself, and to bridge what a sensor lacks.

Kept beside the weights in the model file, under names that begin with ``record.``; a model without it works as well.
Its size is bounded: class statistics, a prior of twenty shapes, and at most `MAX_EXEMPLARS` training spectra.

Shape legend: B bands, K classes, M prototypes, N exemplars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import ModelError
from hsigeo.spectral_prior import RANK, SpectralPrior

__all__ = ["MAX_EXEMPLARS", "PREFIX", "Exemplars", "TrainingRecord", "decode_record", "encode_record"]

PREFIX = "record."
MAX_EXEMPLARS = 1024
NEAREST = 3
"""Training pixels remembered for each prototype."""

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Exemplars:
    """Some training pixels, and where they lie.

    Parameters
    ----------
    spectra
        (exemplar, band) float16, reflectance.
    class_index
        (exemplar,) int32, position in the class table.
    scene
        (exemplar,) int32, position in the provenance's list of scenes.
    row, col
        (exemplar,) int32, position in that scene; of a spectral library the number of the spectrum.
    group
        (exemplar,) int32, number of the polygon or patch that labelled it.
    """

    spectra: NDArray[np.float16]
    class_index: NDArray[np.int32]
    scene: NDArray[np.int32]
    row: NDArray[np.int32]
    col: NDArray[np.int32]
    group: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.class_index)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingRecord:
    """What is remembered.

    Parameters
    ----------
    class_mean, class_spread
        (class, band) float32: mean and standard deviation of each class's training spectra; 0 for a class without.
    prior
        How the bands go together; `None` with more bands than a prior is made for.
    exemplars
        Some training pixels of every class, and those nearest to the prototypes.
    prototype_class
        (prototype, class) float32: of which classes the training pixels are that read a prototype, rows summing to 1.
        No rows for a network without a memory.
    nearest
        (prototype, n) int32: the exemplars that read a prototype most, best first, -1 where there are fewer.
    """

    class_mean: NDArray[np.float32]
    class_spread: NDArray[np.float32]
    prior: SpectralPrior | None
    exemplars: Exemplars
    prototype_class: NDArray[np.float32]
    nearest: NDArray[np.int32]


_EXEMPLAR_FIELDS = ("class_index", "scene", "row", "col", "group")


def encode_record(record: TrainingRecord | None) -> Arrays:
    """The arrays to store, by name."""
    if record is None:
        return {}
    found: Arrays = {
        "class_mean": record.class_mean,
        "class_spread": record.class_spread,
        "prototype_class": record.prototype_class,
        "nearest": record.nearest,
        "exemplar.spectra": record.exemplars.spectra,
        **{f"exemplar.{name}": getattr(record.exemplars, name) for name in _EXEMPLAR_FIELDS},
    }
    if record.prior is not None:
        found |= {f"prior.{name}": getattr(record.prior, name) for name in ("mean", "shapes", "left_over")}
    return {PREFIX + name: np.ascontiguousarray(values) for name, values in found.items()}


def decode_record(arrays: Arrays, *, bands: int, classes: int) -> TrainingRecord | None:
    """Inverse of `encode_record`, from a file that may come from anywhere.

    Raises
    ------
    ModelError
        An array is missing, or of another type, shape or range than it must be.
    """
    if not arrays:
        return None
    fields = _Arrays({name.removeprefix(PREFIX): values for name, values in arrays.items()})
    count = fields.length("exemplar.class_index", MAX_EXEMPLARS)
    prototypes = fields.length("prototype_class", 1 << 20)
    prior = None
    if "prior.mean" in fields:
        rank = fields.width("prior.shapes", RANK * 8)
        prior = SpectralPrior(
            mean=fields.floats("prior.mean", (bands,)),
            shapes=fields.floats("prior.shapes", (bands, rank)),
            left_over=np.maximum(fields.floats("prior.left_over", (bands,)), 0.0),
        )
    return TrainingRecord(
        class_mean=fields.floats("class_mean", (classes, bands)),
        class_spread=fields.floats("class_spread", (classes, bands)),
        prior=prior,
        exemplars=Exemplars(
            spectra=fields.of("exemplar.spectra", (count, bands), np.float16),
            class_index=fields.indices("exemplar.class_index", (count,), below=classes),
            **{name: fields.indices(f"exemplar.{name}", (count,)) for name in _EXEMPLAR_FIELDS[1:]},
        ),
        prototype_class=fields.floats("prototype_class", (prototypes, classes)),
        nearest=fields.indices(
            "nearest", (prototypes, fields.width("nearest", NEAREST * 8)), least=-1, below=max(count, 1)
        ),
    )


class _Arrays:
    """Untrusted arrays by name, checked as they are taken."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def of(self, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        values = self._arrays.get(name)
        if values is None:
            raise ModelError(f"the model's training record lacks {name}")
        if values.dtype != dtype or values.shape != shape:
            raise ModelError(f"the model's training record is broken: {name} is {values.dtype} {values.shape}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ModelError(f"the model's training record is broken: {name} holds values that are not finite")
        return values

    def floats(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        return self.of(name, shape, np.float32)

    def indices(self, name: str, shape: tuple[int, ...], *, least: int = 0, below: int = 1 << 31) -> NDArray[np.int32]:
        values = self.of(name, shape, np.int32)
        if values.size and (int(values.min()) < least or int(values.max()) >= below):
            raise ModelError(f"the model's training record is broken: {name} goes to {int(values.max())}")
        return values

    def length(self, name: str, most: int) -> int:
        return self._size(name, 0, most)

    def width(self, name: str, most: int) -> int:
        return self._size(name, 1, most)

    def _size(self, name: str, axis: int, most: int) -> int:
        values = self._arrays.get(name)
        if values is None or values.ndim <= axis or values.shape[axis] > most:
            raise ModelError(f"the model's training record is broken: {name} is missing, or larger than {most}")
        return int(values.shape[axis])
