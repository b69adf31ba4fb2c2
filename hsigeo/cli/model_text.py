"""What ``hsigeo info`` says of a model: its classes and bands, where it comes from, what to expect of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsigeo.cli.columns import percent, shorten
from hsigeo.messages import name_some
from hsigeo.report.assessment import read_held_out
from hsigeo.report.stated import stated_total, stated_whole

if TYPE_CHECKING:
    from hsigeo.model.card import ModelCard
    from hsigeo.model.model import Model

__all__ = ["describe_model", "is_model", "model_rows"]

MOST_NAMES = 20
"""Scenes or label files named; of more, the number is said."""

LONGEST = 200
"""Characters of a text that training wrote."""


def is_model(path: Path) -> bool:
    """Whether a path is meant as a model file."""
    return path.suffix == ".safetensors" and not path.is_dir()


def describe_model(model: Model) -> dict[str, Any]:
    """The model card, with the file it is from, as JSON values."""
    return {"path": model.path, "sha256": model.digest, **model.card.to_json()}


def model_rows(model: Model) -> list[tuple[str, str]]:
    """A label and a fact for each line; without a fact there is nothing to say.

    What training wrote of itself is free in form and may come from anywhere: what is not as expected is left out.
    """
    card = model.card
    return [
        ("model", f"{model.path}, {card.variant}, format version {card.format_version}"),
        ("classes", str(len(card.classes))),
        *(("", line) for line in _classes(card)),
        ("bands", _bands(card)),
        ("trained on", _names(card.provenance.get("scenes"))),
        ("labels", _names(card.provenance.get("labels"))),
        ("pixels", _pixels(card.provenance)),
        ("trained by", _text(card.provenance.get("software"))),
        *_expected(card.validation),
        ("calibration", "none" if card.temperature == 1 else f"logits divided by {card.temperature:.3g}"),
        ("unknown", "not told from known pixels" if model.novelty is None else "told by `hsigeo classify --unknown`"),
        ("digest", f"sha256 {model.digest}"),
    ]


def _classes(card: ModelCard) -> Iterator[str]:
    counts = card.provenance.get("pixels_per_class")
    for entry in card.classes:
        count = stated_whole(counts.get(entry.name)) if isinstance(counts, Mapping) else None
        known = "" if count is None else f", {count} labelled pixels"
        yield f"{entry.id} {shorten(entry.name)}{known}"


def _bands(card: ModelCard) -> str:
    few = card.bands.count < card.trained_on_count
    text = f"{card.bands.count}{f' of the {card.trained_on_count} of its training scenes' if few else ''}"
    centres = card.bands.wavelength
    if centres is None:
        return f"{text}, wavelengths not known: it takes scenes of {card.trained_on_count} bands"
    return f"{text}, {centres.min():.4g} to {centres.max():.4g} nm"


def _names(listed: object) -> str:
    """The names of scenes or label files."""
    items = listed if isinstance(listed, list) else []
    return name_some([_text(item.get("name")) for item in items if isinstance(item, Mapping)], MOST_NAMES)


def _pixels(provenance: Mapping[str, Any]) -> str:
    per_class = provenance.get("pixels_per_class")
    labelled = stated_total(list(per_class.values())) if isinstance(per_class, Mapping) else None
    other = stated_total(provenance.get("unlabelled_pixels_per_scene"))
    parts = [] if labelled is None else [f"{labelled} labelled"]
    if other is not None:
        parts.append(f"{other} of the scenes, labelled or not, that show how spectra vary")
    return ", ".join(parts)


def _expected(validation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The accuracy that training measured on held-out ground."""
    if not validation:
        yield "expected", "not known: no validation was made in training"
        return
    found = read_held_out(validation)
    if found is None:
        return
    low, high = found.intervals.overall
    yield (
        "expected",
        f"overall accuracy {percent(found.accuracy.overall)} % (95 % interval {percent(low)}-{percent(high)}), "
        f"average {percent(found.accuracy.average)} %",
    )
    yield "", f"measured on {_text(found.split)}"
    if found.random is not None:
        yield "", f"a random split promised {percent(found.random)} %, which is optimistic"


def _text(value: object) -> str:
    """A text on one line, whatever it holds; nothing of what is no text."""
    return shorten(value, LONGEST) if isinstance(value, str) else ""
