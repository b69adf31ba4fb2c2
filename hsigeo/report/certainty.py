"""The section on confidence: whether probabilities are calibrated, and where the model is uncertain."""

from __future__ import annotations

import numpy as np

from hsigeo.io.sidecars import RAMP
from hsigeo.report.blocks import Cell, Numbering, Section, class_term
from hsigeo.report.charts import histogram_chart, reliability_chart
from hsigeo.report.findings import Findings
from hsigeo.report.mapped import framed
from hsigeo.report.markup import Child, Html, element, join
from hsigeo.report.wording import count, percent

__all__ = ["render_calibration", "render_confidence"]

UNSURE = 0.6
"""A class that is less probable than this is hardly more than a guess between two."""

_UNSURE = f"{100 * UNSURE:g}\u202f%"


def render_calibration(findings: Findings, numbering: Numbering) -> Section | None:
    """How far probabilities are off; `None` where that was not measured."""
    calibration = None if findings.held_out is None else findings.held_out.calibration
    if calibration is None:
        return None
    before, after = percent(calibration.before), percent(calibration.after)
    helped = (
        f"Before calibration the error was {before}."
        if calibration.after != calibration.before
        else "A calibration fitted on some folds did not clearly help on the others, so none is applied."
    )
    text = element(
        "p",
        "The model gives every pixel a probability. Where it says 80\u00a0%, it should be right in 80 of 100 cases. On "
        "held-out ground its probabilities are off by ",
        element("strong", after),
        f" on average (expected calibration error). {helped} The calibration is always tested on folds that it was "
        "not fitted on.",
    )
    if not calibration.bins_before and not calibration.bins_after:
        return Section(anchor="calibration", title="Whether its probabilities can be believed", body=text)
    caption: list[Child] = [
        "Share of held-out pixels that are classified correctly, by predicted probability; on the dotted line the two "
        "are equal. ",
        element("span", "○ before", class_="key-before"),
        ", ",
        element("span", "■ after", class_="key-after"),
        " calibration. Bars are 95\u00a0% intervals: long where there are few pixels.",
    ]
    chart = reliability_chart(calibration.bins_before, calibration.bins_after)
    figure = numbering.figure(element("div", chart, class_="single"), caption)
    body = element("div", text, figure, class_="beside")
    return Section(anchor="calibration", title="Whether its probabilities can be believed", body=body)


def render_confidence(findings: Findings, numbering: Numbering) -> Section | None:
    """The confidence layer; `None` where there is none."""
    survey = findings.confidence
    if survey is None or not survey.histogram.any():
        return None
    pixels = survey.histogram.sum(axis=1)
    total = int(pixels.sum())
    known = pixels > 0
    mean = float((survey.mean[known] * pixels[known]).sum() / total)
    unsure = survey.share_below(UNSURE)
    text = element(
        "p",
        f"On average the mapped class has a probability of {percent(mean)}. {percent(unsure)} of the pixels have a "
        f"class with a probability below {_UNSURE}; look at these places first.",
    )
    says = f"Confidence of the map, from dark (low) to bright (high); mean {percent(mean)}"
    caption = "Probability of the mapped class, on the same ground and scale as the map."
    shown = numbering.figure(framed(survey.picture, says, _ramp()), caption)
    chart = element("div", histogram_chart(survey.histogram.sum(axis=0), survey.edges), class_="single")
    histogram = numbering.figure(chart, "Number of pixels by probability.")
    right = element("div", histogram, _by_class(findings, numbering))
    body = join([text, element("div", shown, right, class_="pair")])
    return Section(anchor="confidence", title="Where it is sure", body=body)


def _ramp() -> Html:
    stops = ", ".join(RAMP)
    bar = element("span", class_="ramp", style=f"background:linear-gradient(to right, {stops})", aria_hidden="true")
    return element("div", element("span", "0\u202f%"), bar, element("span", "100\u202f%"), class_="scale ramp-key")


def _by_class(findings: Findings, numbering: Numbering) -> Html:
    survey = findings.confidence
    assert survey is not None
    pixels = survey.histogram.sum(axis=1)
    below = survey.histogram[:, survey.edges[:-1] < UNSURE - 1e-9].sum(axis=1)
    order = [
        int(place) for place in np.argsort(np.where(pixels > 0, survey.mean, np.inf), kind="stable") if pixels[place]
    ]
    entries = findings.raster.classes.entries
    rows = [
        [
            Cell(content=class_term(entries[place]), is_head=True),
            Cell(content=percent(float(survey.mean[place])), is_number=True),
            Cell(content=percent(float(below[place] / pixels[place])), is_number=True),
            Cell(content=count(int(pixels[place])), is_number=True),
        ]
        for place in order[:20]
    ]
    head = [
        Cell(content="Class"),
        Cell(content="Mean", is_number=True),
        Cell(content=f"Below {_UNSURE}", is_number=True),
        Cell(content="Pixels", is_number=True),
    ]
    more = "" if len(order) <= len(rows) else f" The {len(rows)} lowest of {len(order)}."
    return numbering.table(head, rows, f"Probability of the mapped class, lowest first.{more}", class_="figures")
