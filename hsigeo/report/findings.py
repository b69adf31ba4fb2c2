"""Everything a page says about a map, as values: gathered once, before anything is written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsigeo.classes import ClassEntry
from hsigeo.errors import HsigeoError
from hsigeo.explanation import ModelExplanation, explain_model
from hsigeo.fingerprint import fingerprint
from hsigeo.io.class_areas import ClassTally, tally_classes
from hsigeo.io.class_raster import ClassRaster
from hsigeo.report.agreement import LineAgreement
from hsigeo.report.assessment import Evaluation, HeldOut, read_held_out
from hsigeo.report.place import Outline, Place, find_outline, find_place
from hsigeo.report.sources import Absence, Belongings
from hsigeo.report.survey import (
    Bar,
    ConfidenceSurvey,
    MappedSpectra,
    Pictures,
    no_bar,
    read_mapped_spectra,
    read_pictures,
    survey_confidence,
)

if TYPE_CHECKING:
    from hsigeo.model import Model

__all__ = ["MOST_PANELS", "Findings", "gather", "now"]

Explain = Callable[["Model"], ModelExplanation]

MOST_PANELS = 24
"""Classes whose spectra are drawn; of more, those that cover most of the map."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What was found.

    Parameters
    ----------
    found
        The map and what belongs to it.
    tally
        Pixels and area of every class.
    place, outline
        Where the map lies.
    pictures
        Map and scene.
    shown
        The classes whose spectra are drawn, in order of id.
    mapped_spectra, confidence, explanation, held_out
        `None` for what is not there.
    fingerprint
        Digest of the map file.
    map_time, written
        When the map file was last changed, and when this was gathered; seconds since 1970.
    absences, notes
        What is not there and why; what could not be checked.
    """

    found: Belongings
    tally: ClassTally
    place: Place
    outline: Outline
    pictures: Pictures
    shown: tuple[ClassEntry, ...]
    mapped_spectra: MappedSpectra | None
    confidence: ConfidenceSurvey | None
    explanation: ModelExplanation | None
    held_out: HeldOut | None
    fingerprint: str
    map_time: float
    written: float
    absences: tuple[Absence, ...]
    notes: tuple[str, ...]

    @property
    def raster(self) -> ClassRaster:
        """The map."""
        return self.found.raster

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the map says about itself. Untrusted: every value may be of any type."""
        return self.found.raster.metadata

    def stated(self, key: str) -> str:
        """A text of the metadata; empty where there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    @property
    def name(self) -> str:
        """The map's file name."""
        return Path(self.raster.path).name

    @property
    def classified(self) -> tuple[int, float]:
        """Pixels and area with a class."""
        ids = list(self.raster.classes.ids)
        return int(self.tally.pixels[ids].sum()), float(self.tally.area[ids].sum())

    @property
    def unclassified(self) -> int:
        """Pixels without a class."""
        return int(self.tally.pixels.sum()) - self.classified[0]

    @property
    def unknown(self) -> tuple[float, int] | None:
        """Rate and pixels of what was left unclassified because nothing like it was learnt."""
        match self.metadata.get("unknown"):
            case {"rate": float(rate), "pixels": int(pixels)} if 0 < rate < 1 and 0 <= pixels <= self.unclassified:
                return rate, pixels
        return None

    @property
    def independent(self) -> Evaluation | None:
        """An evaluation against labels that the model was not trained on."""
        evaluation = self.found.evaluation
        return None if evaluation is None or evaluation.on_training_labels else evaluation

    @property
    def own_line(self) -> LineAgreement | None:
        """How the map's line agrees with those that overlap it."""
        own = None if self.found.agreement is None else self.found.agreement.own
        return own if own is not None and own.neighbours else None

    @property
    def by_area(self) -> list[ClassEntry]:
        """Classes of the map that have a pixel, the largest first."""
        present = [entry for entry in self.raster.classes if self.tally.pixels[entry.id]]
        return sorted(present, key=lambda entry: (-float(self.tally.area[entry.id]), entry.id))


def gather(found: Belongings, *, bar: Bar = no_bar, explain: Explain = explain_model) -> Findings:
    """Read all of it.

    Parameters
    ----------
    found
        As `hsigeo.report.sources.find_belongings` gives it.
    bar
        Makes progress bars.
    explain
        Explains a model; for many maps of one model, an `explain_model` that remembers.

    Raises
    ------
    LabelError, SceneError
        The map, its layers or its scene cannot be read to their ends.
    """
    raster = found.raster
    absences, notes = list(found.absences), list(found.notes)
    with bar("areas", "row") as show:
        tally = tally_classes(raster, progress=show)
    largest = sorted(raster.classes, key=lambda entry: -float(tally.area[entry.id]))[:MOST_PANELS]
    shown = tuple(sorted(largest, key=lambda entry: entry.id))
    pictures = read_pictures(raster, found.scene, bar=bar)
    if pictures.note:
        absences.append(Absence(what="The scene beside the map", why=pictures.note))
    spectra = None
    if found.scene is not None:
        spectra = read_mapped_spectra(raster, found.scene, [entry.id for entry in shown], bar=bar)
        if spectra is None:
            why = "the map is on another grid than the scene, so their pixels do not match"
            absences.append(Absence(what="Spectra of the mapped pixels", why=why))
    held_out = read_held_out(raster.metadata.get("validation"))
    if held_out is None and found.model is not None:
        held_out = read_held_out(found.model.card.validation)
    if held_out is None:
        why = "the map holds no figures of validation in training"
        absences.append(Absence(what="Accuracy on held-out ground", why=why, remedy="hsigeo train … --validation"))
    return Findings(
        found=found,
        tally=tally,
        place=find_place(raster.grid),
        outline=find_outline(raster),
        pictures=pictures,
        shown=shown,
        mapped_spectra=spectra,
        confidence=_confidence(found, pictures, bar),
        explanation=_explanation(found, absences, bar, explain),
        held_out=held_out,
        fingerprint=fingerprint(raster.path),
        map_time=Path(raster.path).stat().st_mtime,
        written=now(),
        absences=tuple(absences),
        notes=tuple(notes),
    )


def _confidence(found: Belongings, pictures: Pictures, bar: Bar) -> ConfidenceSurvey | None:
    if found.confidence is None:
        return None
    return survey_confidence(found.raster, found.confidence, pictures.classes, bar=bar)


def _explanation(found: Belongings, absences: list[Absence], bar: Bar, explain: Explain) -> ModelExplanation | None:
    if found.model is None:
        return None
    try:
        with bar("decisions", "model") as show:
            explanation = explain(found.model)
            show(1, 1)
    except HsigeoError as error:
        absences.append(Absence(what="What decisions rest on", why=str(error)))
        return None
    return explanation


def now() -> float:
    """The time, or the one that the environment fixes so that the same page can be made again (reproducible builds)."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return float(fixed) if fixed.isdecimal() and len(fixed) < 12 else time.time()
