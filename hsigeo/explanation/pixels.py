"""Why a pixel got its class: the deciding wavelengths, the deciding prototypes, the training pixels nearest to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassEntry
from hsigeo.explanation.classes import reference_spectrum
from hsigeo.explanation.deciding import Stretch, deciding_stretches
from hsigeo.model import Model, predict_probabilities
from hsigeo.model.account import Account, account_for
from hsigeo.model.evidence import band_evidence
from hsigeo.model.record import TrainingRecord

__all__ = ["PixelExplanation", "Prototype", "TrainingPixel", "best_two", "explain_area", "explain_spectra"]

MOST_PROTOTYPES = 3
"""Deciding prototypes that are named."""

Bands = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class TrainingPixel:
    """A pixel the model was trained on.

    Parameters
    ----------
    scene
        File name, as far as the model knows it.
    row, col
        Position in that scene, from 0; of a library the number of the spectrum.
    group
        Number of the polygon or patch that labelled it, from 0 in the order of the label file.
    class_name
        Its label.
    """

    scene: str
    row: int
    col: int
    group: int
    class_name: str


@dataclass(frozen=True, kw_only=True)
class Prototype:
    """A prototype that had a say.

    Parameters
    ----------
    number
        Position in the memory, from 0.
    weight
        Share of the reading.
    vote
        What it added to the log-odds of the class against the runner-up.
    classes
        Of which classes the training pixels are that read it: name → share, the largest first.
    nearest
        The training pixels that read it most.
    """

    number: int
    weight: float
    vote: float
    classes: dict[str, float]
    nearest: tuple[TrainingPixel, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelExplanation:
    """Why one spectrum got its class.

    Parameters
    ----------
    entry, runner_up
        The class, and the next most probable.
    probability, runner_up_probability
        Of these.
    spectrum
        (band,) on the model's bands.
    evidence
        (band,) log-odds for the class against the runner-up.
    bands
        The model's.
    stretches
        The deciding wavelengths, strongest first.
    prototypes
        The deciding ones, by the size of their vote; empty for a network without a memory.
    """

    entry: ClassEntry
    runner_up: ClassEntry
    probability: float
    runner_up_probability: float
    spectrum: Bands
    evidence: Bands
    bands: BandTable
    stretches: tuple[Stretch, ...]
    prototypes: tuple[Prototype, ...]

    def __repr__(self) -> str:
        strongest = ", ".join(map(str, self.stretches[:3]))
        return (
            f"<explanation of a pixel: {self.entry.name!r} {self.probability:.1%}, "
            f"{self.runner_up.name!r} {self.runner_up_probability:.1%}: {strongest}>"
        )

    @property
    def margin(self) -> float:
        """By how much the class is more probable than the runner-up."""
        return self.probability - self.runner_up_probability

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "class": {"id": self.entry.id, "name": self.entry.name, "probability": round(self.probability, 6)},
            "runner_up": {
                "id": self.runner_up.id,
                "name": self.runner_up.name,
                "probability": round(self.runner_up_probability, 6),
            },
            "margin": round(self.margin, 6),
            "deciding": [dict(vars(stretch)) for stretch in self.stretches],
            "prototypes": [
                {**vars(prototype), "nearest": [dict(vars(pixel)) for pixel in prototype.nearest]}
                for prototype in self.prototypes
            ],
            "spectrum": [round(float(value), 6) for value in self.spectrum],
            "evidence": [round(float(value), 6) for value in self.evidence],
        }


def explain_spectra(model: Model, spectra: NDArray[np.float32]) -> list[PixelExplanation]:
    """Say of each spectrum why it gets its class.

    Parameters
    ----------
    spectra : (pixel, band) float32
        On the model's bands, finite.
    """
    probabilities = predict_probabilities(model, spectra)
    wanted, rival = best_two(probabilities)
    inputs = torch.from_numpy(np.ascontiguousarray(spectra))
    evidence = band_evidence(model.network, inputs, wanted, reference_spectrum(model), rival=rival).numpy()
    account = account_for(model.network, inputs)
    return [
        _explanation(
            model,
            pair=(int(wanted[number]), int(rival[number])),
            probability=probabilities[number],
            spectrum=spectra[number],
            evidence=evidence[number],
            account=None if account is None else account._replace(reading=account.reading[number]),
        )
        for number in range(len(spectra))
    ]


def best_two(probabilities: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
    """(pixel,) the most probable class and the runner-up, of (pixel, class) probabilities; on a tie the first wins."""
    ranked = torch.from_numpy(np.argsort(-probabilities, axis=1, kind="stable"))
    return ranked[:, 0].contiguous(), ranked[:, 1].contiguous()


def explain_area(model: Model, spectra: NDArray[np.float32]) -> tuple[PixelExplanation, dict[str, int]]:
    """Say why the pixels of an area get the class that most of them get.

    Parameters
    ----------
    spectra : (pixel, band) float32
        On the model's bands, finite, at least one.

    Returns
    -------
    PixelExplanation
        Means over the pixels of the most frequent class, against the runner-up on their mean probability.
    dict
        Pixels of each class, the most frequent first.
    """
    probabilities = predict_probabilities(model, spectra)
    assigned = probabilities.argmax(axis=1)
    tally = np.bincount(assigned, minlength=len(model.card.classes))
    best = int(tally.argmax())
    members = assigned == best
    probability = probabilities[members].mean(axis=0)
    second = int(np.argsort(-np.where(np.arange(len(probability)) == best, -1.0, probability), kind="stable")[0])
    inputs = torch.from_numpy(np.ascontiguousarray(spectra[members]))
    wanted, rival = torch.full((len(inputs),), best), torch.full((len(inputs),), second)
    evidence = band_evidence(model.network, inputs, wanted, reference_spectrum(model), rival=rival).numpy()
    account = account_for(model.network, inputs)
    found = _explanation(
        model,
        pair=(best, second),
        probability=probability,
        spectrum=spectra[members].mean(axis=0),
        evidence=evidence.mean(axis=0),
        account=None if account is None else account._replace(reading=account.reading.mean(dim=0)),
    )
    names = model.card.classes.names
    order = np.argsort(-tally, kind="stable")
    return found, {names[index]: int(tally[index]) for index in order if tally[index]}


def _explanation(
    model: Model,
    *,
    pair: tuple[int, int],
    probability: Bands,
    spectrum: Bands,
    evidence: Bands,
    account: Account | None,
) -> PixelExplanation:
    best, second = pair
    entries = model.card.classes.entries
    return PixelExplanation(
        entry=entries[best],
        runner_up=entries[second],
        probability=float(probability[best]),
        runner_up_probability=float(probability[second]),
        spectrum=spectrum,
        evidence=evidence,
        bands=model.card.bands,
        stretches=deciding_stretches(evidence, model.card.bands),
        prototypes=() if account is None else _deciding_prototypes(model, account, best, second),
    )


def _deciding_prototypes(model: Model, account: Account, best: int, second: int) -> tuple[Prototype, ...]:
    """The prototypes whose votes weigh most, for the class or against it; `account` is of one pixel."""
    weights = account.reading.numpy()
    votes = weights * (account.votes[:, best] - account.votes[:, second]).numpy()
    order = np.argsort(-np.abs(votes), kind="stable")[:MOST_PROTOTYPES]
    return tuple(
        Prototype(
            number=int(place),
            weight=round(float(weights[place]), 6),
            vote=round(float(votes[place]), 6),
            classes=_classes_of(model, int(place)),
            nearest=_nearest_to(model, int(place)),
        )
        for place in order
        if weights[place] > 0
    )


def _classes_of(model: Model, place: int) -> dict[str, float]:
    if model.record is None or place >= len(model.record.prototype_class):
        return {}
    shares = model.record.prototype_class[place]
    order = np.argsort(-shares, kind="stable")
    names = model.card.classes.names
    return {names[index]: round(float(shares[index]), 3) for index in order if shares[index] >= 0.05}


def _nearest_to(model: Model, place: int) -> tuple[TrainingPixel, ...]:
    if model.record is None or place >= len(model.record.nearest):
        return ()
    chosen = [int(number) for number in model.record.nearest[place] if number >= 0]
    return tuple(_training_pixel(model, model.record, number) for number in chosen)


def _training_pixel(model: Model, record: TrainingRecord, number: int) -> TrainingPixel:
    kept = record.exemplars
    return TrainingPixel(
        scene=_scene_name(model, int(kept.scene[number])),
        row=int(kept.row[number]),
        col=int(kept.col[number]),
        group=int(kept.group[number]),
        class_name=model.card.classes.names[int(kept.class_index[number])],
    )


def _scene_name(model: Model, number: int) -> str:
    """From the provenance, which may come from anywhere and say anything."""
    for kind in ("scenes", "labels"):
        listed = model.card.provenance.get(kind)
        if isinstance(listed, list) and number < len(listed) and isinstance(listed[number], dict):
            return str(listed[number].get("name", ""))
    return f"scene {number + 1}"
