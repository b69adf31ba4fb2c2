"""The model card: everything about a model that is not a weight, as the JSON document in the model file's header.

The document may come from anywhere, so reading it checks every type, count and range before anything is built from
it; what is wrong is said with the name of the field.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.errors import ModelError

__all__ = ["FORMAT_VERSION", "ModelCard"]

FORMAT_VERSION = 3
"""The newest that is read. Version 2: the linear evidence of `consensus` weighs coordinates too (``linear_width``).
Version 3: its coordinates may be whitened (``whitened``)."""
MAX_BANDS = 16_384
"""More than any sensor has; a card that claims more is refused before anything is allocated for it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelCard:
    """What a model is, what it reads, what it says, and where it comes from.

    Parameters
    ----------
    variant
        Name of the architecture, a key of `hsigeo.model.variants.VARIANTS`.
    hyperparameters
        What the architecture needs to be rebuilt, whole numbers by name.
    bands
        The bands the network reads, in its order.
    trained_on_count, trained_on_index
        How many bands the training scenes had, and which of them (from 0) the network reads. Used to match scenes
        without wavelengths.
    classes
        Id, name and colour; the network's outputs are in this order.
    temperature
        Logits are divided by it before softmax.
    provenance
        Scenes and labels with their fingerprints, seed, software version. JSON values only.
    validation
        Figures measured in training, and how. JSON values only.
    """

    variant: str
    hyperparameters: dict[str, int]
    bands: BandTable
    trained_on_count: int
    trained_on_index: NDArray[np.intp]
    classes: ClassTable
    temperature: float = 1.0
    provenance: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)

    @property
    def format_version(self) -> int:
        """The oldest format that can say this, so that an older hsigeo reads what it can."""
        if self.hyperparameters.get("whitened"):
            return 3
        return 2 if "linear_width" in self.hyperparameters else 1

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "format": "hsigeo model",
            "format_version": self.format_version,
            "variant": self.variant,
            "hyperparameters": self.hyperparameters,
            "bands": {
                "count": self.bands.count,
                "wavelength_nm": _list_or_none(self.bands.wavelength),
                "fwhm_nm": _list_or_none(self.bands.fwhm),
                "trained_on_count": self.trained_on_count,
                "trained_on_index": self.trained_on_index.tolist(),
            },
            "input": "reflectance 0-1",
            "classes": self.classes.to_json(),
            "temperature": self.temperature,
            "provenance": self.provenance,
            "validation": self.validation,
        }

    @classmethod
    def from_json(cls, document: object) -> ModelCard:
        """Inverse of `to_json`.

        Raises
        ------
        ModelError
            A field is missing, of the wrong type, out of range, or of the wrong length.
        """
        reader = _Fields(document, "")
        if reader.get("format", str) != "hsigeo model":
            raise ModelError("this is not an hsigeo model: its header names another format")
        version = reader.get("format_version", int)
        if not 1 <= version <= FORMAT_VERSION:
            raise ModelError(
                f"the model has format version {version}; this version of hsigeo reads 1 to {FORMAT_VERSION}; "
                "upgrade hsigeo"
            )
        bands = _Fields(reader.get("bands", dict), "bands.")
        count = bands.get("count", int, lambda n: 1 <= n <= MAX_BANDS)
        trained_on_count = bands.get("trained_on_count", int, lambda n: count <= n <= MAX_BANDS)
        index = bands.numbers("trained_on_index", count, integral=True)
        if index.min() < 0 or index.max() >= trained_on_count:
            raise ModelError("the model's bands.trained_on_index points outside its training scenes")
        try:
            classes = ClassTable.from_json(reader.get("classes", list))
        except ValueError as error:
            raise ModelError(f"the model's class table is broken: {error}") from error
        hyperparameters = reader.get("hyperparameters", dict)
        if not all(type(value) is int and 0 <= value <= 1_000_000 for value in hyperparameters.values()):
            raise ModelError("the model's hyperparameters are not whole numbers in a sensible range")
        return cls(
            variant=reader.get("variant", str),
            hyperparameters=hyperparameters,
            bands=BandTable(
                count=count,
                wavelength=bands.numbers_or_none("wavelength_nm", count),
                fwhm=bands.numbers_or_none("fwhm_nm", count),
            ),
            trained_on_count=trained_on_count,
            trained_on_index=index.astype(np.intp),
            classes=classes,
            temperature=reader.get("temperature", float, lambda t: 0 < t < 1000),
            provenance=reader.get("provenance", dict),
            validation=reader.get("validation", dict),
        )


class _Fields:
    """Reads typed fields out of an untrusted JSON object."""

    def __init__(self, document: object, where: str) -> None:
        if not isinstance(document, dict):
            raise ModelError(f"the model's header is broken: {where.rstrip('.') or 'the document'} is not an object")
        self._document = document
        self._where = where

    def get(self, name: str, kind: type, is_valid: Callable[[Any], bool] = lambda _: True) -> Any:
        value = self._document.get(name)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or not is_valid(value):
            raise ModelError(f"the model's header is broken: {self._where}{name} is {value!r:.60}")
        return value

    def numbers(self, name: str, count: int, *, integral: bool = False) -> NDArray[np.float64]:
        values = self.get(name, list, lambda items: len(items) == count)
        allowed = (int,) if integral else (int, float)
        if not all(type(value) in allowed and math.isfinite(value) for value in values):
            raise ModelError(f"the model's header is broken: {self._where}{name} holds something that is not a number")
        return np.asarray(values, dtype=np.float64)

    def numbers_or_none(self, name: str, count: int) -> NDArray[np.float64] | None:
        return None if self._document.get(name) is None else self.numbers(name, count)


def _list_or_none(values: NDArray[np.float64] | None) -> list[float] | None:
    return None if values is None else [float(value) for value in values]
