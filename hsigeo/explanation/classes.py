"""What decides for each class, from the model file alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassEntry
from hsigeo.errors import ModelError
from hsigeo.explanation.deciding import Stretch, deciding_stretches
from hsigeo.model import Model
from hsigeo.model.account import account_for, reference_of
from hsigeo.model.evidence import band_evidence
from hsigeo.model.record import TrainingRecord

__all__ = ["ClassExplanation", "ModelExplanation", "explain_model", "reference_spectrum"]

Bands = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassExplanation:
    """What speaks for a class.

    Parameters
    ----------
    entry
        Id, name, colour.
    evidence
        (band,) mean over the class's training pixels, log-odds against all other classes.
    spread
        (band,) standard deviation over those pixels.
    attention
        (band,) how much each band counted, mean one; `None` from a network that does not say.
    mean, deviation
        (band,) of the class's training spectra; `None` in models that do not keep them.
    pixels
        Training pixels that the evidence is a mean over.
    stretches
        The deciding wavelengths, strongest first.
    """

    entry: ClassEntry
    evidence: Bands
    spread: Bands
    attention: Bands | None
    mean: Bands | None
    deviation: Bands | None
    pixels: int
    stretches: tuple[Stretch, ...]

    def __repr__(self) -> str:
        strongest = ", ".join(map(str, self.stretches[:3]))
        return f"<explanation of {self.entry.name!r} from {self.pixels} training pixels: {strongest}>"


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelExplanation:
    """What a model goes by.

    Parameters
    ----------
    model
        Digest of the model.
    bands
        The bands that it reads.
    classes
        One for each class that has training pixels to show.
    """

    model: str
    bands: BandTable
    classes: tuple[ClassExplanation, ...]

    def __repr__(self) -> str:
        inside = "".join(f"\n  {found!r}" for found in self.classes)
        return f"<explanation of model {self.model[:12]}, {self.bands.count} bands:{inside}>"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "model_sha256": self.model,
            "wavelength_nm": _values(self.bands.wavelength),
            "classes": [
                {
                    "id": found.entry.id,
                    "name": found.entry.name,
                    "training_pixels": found.pixels,
                    "deciding": [dict(vars(stretch)) for stretch in found.stretches],
                    "evidence": _values(found.evidence),
                    "evidence_spread": _values(found.spread),
                    "attention": _values(found.attention),
                    "mean_spectrum": _values(found.mean),
                    "spectrum_spread": _values(found.deviation),
                }
                for found in self.classes
            ],
        }


def explain_model(model: Model) -> ModelExplanation:
    """Say for each class which wavelengths carry the decision for it.

    The evidence is that of the training pixels that the model keeps.

    Raises
    ------
    ModelError
        The model keeps no training pixels.
    """
    record = model.record
    if record is None or not len(record.exemplars):
        raise ModelError(
            f"{model.path or 'the model'} keeps no training pixels, as models of older versions; train it again, or "
            "explain pixels of a scene with --scene and --at"
        )
    reference = reference_spectrum(model)
    found = [_explain_class(model, record, index, reference) for index in np.unique(record.exemplars.class_index)]
    return ModelExplanation(model=model.digest, bands=model.card.bands, classes=tuple(found))


def _explain_class(model: Model, record: TrainingRecord, index: int, reference: torch.Tensor) -> ClassExplanation:
    """The explanation of a class that has training pixels."""
    members = np.flatnonzero(record.exemplars.class_index == index)
    spectra = torch.from_numpy(record.exemplars.spectra[members].astype(np.float32))
    wanted = torch.full((len(spectra),), int(index))
    evidence = band_evidence(model.network, spectra, wanted, reference).numpy()
    account = account_for(model.network, spectra)
    mean = evidence.mean(axis=0)
    return ClassExplanation(
        entry=model.card.classes.entries[index],
        evidence=mean,
        spread=evidence.std(axis=0),
        attention=None if account is None else account.attention.mean(dim=0).numpy(),
        mean=record.class_mean[index],
        deviation=record.class_spread[index],
        pixels=len(members),
        stretches=deciding_stretches(mean, model.card.bands),
    )


def reference_spectrum(model: Model) -> torch.Tensor:
    """(band,) the spectrum that stands for knowing nothing: the mean of training.

    Raises
    ------
    ModelError
        Neither the record nor the network knows it.
    """
    if model.record is not None and model.record.prior is not None:
        return torch.from_numpy(model.record.prior.mean)
    known = reference_of(model.network)
    if known is None:
        raise ModelError(f"a {model.card.variant} model without a training record cannot be explained; train it again")
    return known


def _values(values: NDArray[Any] | None) -> list[float] | None:
    return None if values is None else [round(float(value), 6) for value in values]
