"""The section on class spectra and the wavelengths by which the model tells classes apart."""

from __future__ import annotations

import numpy as np

from hsigeo.classes import ClassEntry
from hsigeo.explanation import ClassExplanation, ModelExplanation
from hsigeo.report.blocks import Cell, Numbering, Section, class_term
from hsigeo.report.charts import Curve, evidence_chart, evidence_scales, spectra_chart, spectra_scales
from hsigeo.report.features import features_in
from hsigeo.report.findings import MOST_PANELS, Findings
from hsigeo.report.markup import Child, Html, element, join
from hsigeo.report.wording import count, percent, plural

__all__ = ["render_decisions", "render_spectra"]

MOST_STRETCHES = 3
"""Deciding stretches that are named for each class."""

MOST_ROWS = 60
"""Classes whose deciding wavelengths are put into words."""


def render_spectra(findings: Findings, numbering: Numbering) -> Section | None:
    """Mean spectra of the classes; `None` where neither model nor scene is there."""
    learnt, mapped, unit = _learnt(findings), _mapped(findings), _unit(findings)
    if not learnt and not mapped:
        return None
    scales = spectra_scales([*learnt.values(), *mapped.values()], unit)
    panels = [
        element(
            "div",
            element("p", class_term(entry), _counts(findings, entry), class_="panel-title"),
            spectra_chart(entry, learnt.get(entry.id), mapped.get(entry.id), scales),
            class_="panel",
        )
        for entry in findings.shown
        if entry.id in learnt or entry.id in mapped
    ]
    caption: list[Child] = ["Spectra of the classes."]
    if learnt:
        caption.append(" In the colour of the class: mean and standard deviation of its labelled training pixels.")
    if mapped:
        caption.append(" Dashed: mean and standard deviation of the pixels mapped as the class.")
    caption.append(_left_out(findings))
    intro = element(
        "p",
        "Where the dashed spectra follow the coloured ones, mapped pixels resemble the training pixels. Where they "
        "differ, look at the map: the class may include other materials, or the illumination may differ.",
    )
    grid = element("div", panels, class_="panels")
    body = [intro] if learnt and mapped else []
    return Section(
        anchor="spectra",
        title="What the classes look like",
        body=join([*body, numbering.figure(grid, caption, class_="broad")]),
    )


def _learnt(findings: Findings) -> dict[int, Curve]:
    """By class id; the model's classes are those of the map by name, for a refined map may have other ids."""
    model = findings.found.model
    if model is None or model.record is None:
        return {}
    place = model.card.bands.axis
    found = {}
    for entry in findings.shown:
        if entry.name in model.card.classes.names:
            index = model.card.classes.names.index(entry.name)
            mean, spread = (
                values[index].astype(np.float64) for values in (model.record.class_mean, model.record.class_spread)
            )
            if mean.any():
                found[entry.id] = Curve(place=place, mean=mean, spread=spread)
    return found


def _mapped(findings: Findings) -> dict[int, Curve]:
    spectra = findings.mapped_spectra
    if spectra is None:
        return {}
    model = findings.found.model
    if model is not None and (model.card.bands.wavelength is None) != (spectra.bands.wavelength is None):
        return {}  # one counts in nm, the other in bands
    place = spectra.bands.axis
    return {
        number: Curve(place=place, mean=spectra.mean[index], spread=spectra.spread[index])
        for index, number in enumerate(spectra.ids)
        if spectra.count[index]
    }


def _counts(findings: Findings, entry: ClassEntry) -> str:
    spectra = findings.mapped_spectra
    if spectra is None or entry.id not in spectra.ids:
        return ""
    return f" {count(int(spectra.count[spectra.ids.index(entry.id)]))} px read"


def _left_out(findings: Findings) -> str:
    left_out = len(findings.raster.classes) - len(findings.shown)
    return f" {plural(left_out, 'smaller class is', 'smaller classes are')} left out." if left_out > 0 else ""


def render_decisions(findings: Findings, numbering: Numbering) -> Section | None:
    """By which wavelengths the model decides; `None` where it cannot be explained."""
    explanation = findings.explanation
    if explanation is None or not explanation.classes:
        return None
    place = explanation.bands.axis
    unit = "wavelength (nm)" if explanation.bands.wavelength is not None else "band"
    drawn = explanation.classes[:MOST_PANELS]
    scales = evidence_scales(drawn, place, unit)
    panels = [
        element(
            "div",
            element("p", class_term(found.entry), class_="panel-title"),
            evidence_chart(found, place, scales),
            class_="panel",
        )
        for found in drawn
    ]
    caption = (
        "Evidence for each class. Above, its mean training spectrum; below, the evidence of each band, averaged over "
        "its training pixels, in log-odds: upwards for the class, downwards against it (each class has its own scale). "
        "The shaded stretches together carry half of the evidence for it."
    )
    if len(drawn) < len(explanation.classes):
        caption += f" The first {MOST_PANELS} of {plural(len(explanation.classes), 'class', 'classes')} are shown."
    intro = element(
        "p",
        "The model weighs every band. Listed are the wavelengths that carry most of the decision for each class, with "
        "features of well-known materials at these wavelengths. A class may be recognised by a feature that it shows, "
        "or by one that it lacks and others show: a feature named here does not mean that the material is present. If "
        "the deciding wavelengths of a class make no sense to you, the model may have learnt something else, such as "
        "shade.",
    )
    grid = element("div", panels, class_="panels")
    return Section(
        anchor="decisions",
        title="What decisions rest on",
        body=join([intro, _in_words(explanation, numbering), numbering.figure(grid, caption, class_="broad")]),
    )


def _in_words(explanation: ModelExplanation, numbering: Numbering) -> Html:
    head = [Cell(content="Class"), Cell(content="Deciding wavelengths"), Cell(content="Known features in these ranges")]
    in_nm = explanation.bands.wavelength is not None
    rows = [
        [
            Cell(content=class_term(found.entry), is_head=True),
            Cell(content=_stretches(found, in_nm=in_nm)),
            Cell(content=", ".join(features_in(found.stretches[:MOST_STRETCHES])) if in_nm else "–"),  # noqa: RUF001
        ]
        for found in explanation.classes[:MOST_ROWS]
    ]
    caption = (
        "Wavelengths that carry most of the decision, strongest first, with their share of the evidence for the class."
    )
    if len(explanation.classes) > MOST_ROWS:
        caption += f" The first {MOST_ROWS} classes; hsigeo explain lists all."
    return numbering.table(head, rows, caption, class_="words")


def _stretches(found: ClassExplanation, *, in_nm: bool) -> str:
    if not found.stretches:
        return "no band speaks for it"
    parts = []
    for stretch in found.stretches[:MOST_STRETCHES]:
        single = stretch.first == stretch.last
        span = f"{stretch.first:.0f}" if single else f"{stretch.first:.0f}–{stretch.last:.0f}"  # noqa: RUF001
        parts.append(
            f"{span}{chr(160)}nm ({percent(stretch.share)})" if in_nm else f"band {span} ({percent(stretch.share)})"
        )
    return ", ".join(parts)


def _unit(findings: Findings) -> str:
    model, spectra = findings.found.model, findings.mapped_spectra
    bands = model.card.bands if model is not None else spectra.bands if spectra is not None else None
    return "band" if bands is None else bands.axis_name
