"""The head of the page: title, summary, key figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hsigeo.intervals import AccuracyIntervals
from hsigeo.metrics import Accuracy
from hsigeo.report.findings import Findings
from hsigeo.report.markup import Child, Html, class_in_words, element, join, term
from hsigeo.report.wording import AreaUnit, area_unit, enumerate_words, interval, percent, plural, points

__all__ = ["key_figures", "page_title", "render_overview"]

LARGEST = 3
"""Classes that the summary names."""

FEWEST = 5
"""Reference pixels that a class needs to be called the weakest."""

WIDE = 0.3
"""An interval wider than this says little."""


def page_title(findings: Findings) -> str:
    """The title and heading of the page."""
    scene = Path(findings.stated("scene")).stem
    return f"Class map of {scene}" if scene else f"Class map {findings.name}"


def render_overview(findings: Findings) -> Html:
    """Title, summary, key figures."""
    subtitle = element("p", term(findings.name), class_="subtitle")
    summary = [element("p", join(sentences, " ")) for sentences in (_what(findings), _trust(findings)) if sentences]
    return element(
        "header",
        element("h1", element("bdi", page_title(findings))),
        subtitle,
        element("div", summary, class_="summary", role="region", aria_label="Summary"),
        key_figures(_figures(findings)),
    )


def unit_of(findings: Findings) -> AreaUnit:
    """In what the page gives areas."""
    return area_unit(findings.classified[1], findings.tally.unit)


def _what(findings: Findings) -> list[Child]:
    pixels, area = findings.classified
    present = findings.by_area
    if not present:
        return [[term(findings.name), " is a class map in which no pixel has a class."]]
    size = f"{unit_of(findings).write(area)} of ground" if findings.tally.unit == "ha" else plural(pixels, "pixel")
    where = f" around {findings.place.middle}" if findings.place.middle else ""
    pixel = f", in pixels of {findings.place.pixel}" if findings.place.pixel else ""
    sentences: list[Child] = [
        ["This map distinguishes ", plural(len(present), "class", "classes"), f" on {size}{where}{pixel}."],
        *_origin(findings),
    ]
    largest: list[Child] = [
        [class_in_words(entry.name), f" ({percent(float(findings.tally.area[entry.id]) / area)})"]
        for entry in present[:LARGEST]
    ]
    whole = "It is " if len(present) <= LARGEST else "Most of it is " if _most(findings) else "The largest parts are "
    sentences.append([whole, enumerate_words(largest), "."])
    sentences += _without_class(findings)
    return sentences


def _most(findings: Findings) -> bool:
    area = findings.classified[1]
    return sum(float(findings.tally.area[entry.id]) for entry in findings.by_area[:LARGEST]) > area / 2


def _origin(findings: Findings) -> list[Child]:
    scene, model = findings.stated("scene"), findings.stated("model")
    lines = findings.metadata.get("lines")
    if isinstance(lines, list) and not scene:
        return [f"It combines the maps of {plural(len(lines), 'flight line')}."]
    if not scene and not model:
        return ["It does not say which scene and which model it was made with."]
    parts: list[Child] = ["It was made"]
    if scene:
        parts += [" from the scene ", term(Path(scene).name)]
    if model:
        parts += [" with the model ", term(Path(model).name)]
    learnt = learnt_from(findings.metadata.get("provenance"))
    if learnt:
        parts.append(f", which was trained on {plural(learnt, 'labelled pixel')}")
    return [[parts, "."]]


def learnt_from(provenance: object) -> int:
    """Labelled pixels that a model says it learnt from; 0 where it does not say."""
    counts = provenance.get("pixels_per_class") if isinstance(provenance, Mapping) else None
    if not isinstance(counts, Mapping):
        return 0
    return sum(number for number in counts.values() if type(number) is int and 0 < number < 1 << 40)


def _without_class(findings: Findings) -> list[Child]:
    total = int(findings.tally.pixels.sum())
    unclassified = findings.unclassified
    if not unclassified:
        return ["Every pixel has a class."]
    said = f"{percent(unclassified / total)} of the pixels have no class"
    if findings.unknown is None:
        return [f"{said}: the scene has no valid data there."] if findings.stated("scene") else [f"{said}."]
    strange = findings.unknown[1]
    if strange == unclassified:
        return [f"{said}, because they are unlike anything in the training data."]
    return [
        f"{said}: {percent(strange / total)} are unlike anything in the training data, the rest hold no valid data."
    ]


def _trust(findings: Findings) -> list[Child]:
    evaluation, held_out = findings.independent, findings.held_out
    sentences: list[Child] = []
    if evaluation is not None:
        right = percent(evaluation.accuracy.overall)
        extent = interval(*evaluation.intervals.overall)
        sentences.append(
            f"Of {plural(evaluation.accuracy.total, 'reference pixel')} that the model had not seen, the map "
            f"classifies {right} correctly (95\u00a0% interval {extent})."
        )
        sentences += _weakest(evaluation.accuracy, evaluation.intervals)
    if held_out is not None:
        sentences += _held_out(findings, first=not sentences)
    if not sentences:
        sentences.append(
            "Its accuracy is not known: no ground was held out in training, and there is no evaluation beside the map. "
            "Until it has been evaluated, treat it as a sketch."
        )
    calibration = None if held_out is None else held_out.calibration
    if calibration is not None:
        sentences.append(f"Its probabilities are off by {percent(calibration.after)} on average.")
    return sentences


def _held_out(findings: Findings, *, first: bool) -> list[Child]:
    held_out = findings.held_out
    assert held_out is not None
    right, extent = percent(held_out.accuracy.overall), interval(*held_out.intervals.overall)
    opening = "On ground held out in training" if first else "On ground held out in its training"
    sentences: list[Child] = [
        [
            f"{opening} (",
            term(held_out.split),
            f"), {right} of the pixels were classified correctly (95\u00a0% interval {extent}).",
        ]
    ]
    if first:
        sentences += _weakest(held_out.accuracy, held_out.intervals)
    if held_out.random is not None:
        gap = held_out.random - held_out.accuracy.overall
        if gap > 0:
            sentences.append(f"A random split gives {percent(held_out.random)}, which is {points(gap)} too optimistic.")
    if first:
        sentences.append(
            "Labels are mostly drawn where people are sure, so expect less at edges and in shade; "
            "only an independent reference shows how much less."
        )
    return sentences


def _weakest(accuracy: Accuracy, intervals: AccuracyIntervals) -> list[Child]:
    """The class that is found least, if it is clearly less than others."""
    recall = np.where(accuracy.support >= FEWEST, accuracy.recall, np.nan)
    if not np.isfinite(recall).any():
        return []
    worst = int(np.nanargmin(recall))
    if recall[worst] >= accuracy.overall:
        return []
    low, high = intervals.recall[worst].tolist()
    width = ", a wide interval" if high - low > WIDE else ""
    rare = bool(((accuracy.support > 0) & (accuracy.support < FEWEST)).any())
    return [
        [
            f"Of the classes with {FEWEST} reference pixels or more, the one most often missed is "
            if rare
            else "The class most often missed is ",
            class_in_words(accuracy.names[worst]),
            f": {percent(float(recall[worst]))} of its reference pixels are mapped as such "
            f"({interval(low, high)}{width}).",
        ]
    ]


def _figures(findings: Findings) -> list[tuple[str, str, str]]:
    total = int(findings.tally.pixels.sum())
    figures: list[tuple[str, str, str]] = [_accuracy_figure(findings)]
    pixels, area = findings.classified
    if findings.tally.unit == "ha":
        figures.append(("Area with a class", unit_of(findings).write(area), plural(pixels, "pixel")))
    else:
        figures.append(("Pixels with a class", plural(pixels, "pixel"), "the map has no georeference"))
    without = sum(1 for entry in findings.raster.classes if not findings.tally.pixels[entry.id])
    figures.append(
        ("Classes", str(len(findings.by_area)), f"{without} more without a pixel" if without else "all present")
    )
    figures.append(
        ("Without a class", percent(findings.unclassified / max(total, 1)), plural(findings.unclassified, "pixel"))
    )
    return figures


def key_figures(figures: Sequence[tuple[str, str, str]]) -> Html:
    """What people ask for first: name, value, and what to know about it."""
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value, class_="value"), element("dd", about))
            for name, value, about in figures
        ],
        class_="key",
    )


def _accuracy_figure(findings: Findings) -> tuple[str, str, str]:
    evaluation, held_out = findings.independent, findings.held_out
    if evaluation is not None:
        about = f"{interval(*evaluation.intervals.overall)}, independent reference"
        return "Overall accuracy", percent(evaluation.accuracy.overall), about
    if held_out is not None:
        about = f"{interval(*held_out.intervals.overall)}, held-out ground"
        return "Overall accuracy", percent(held_out.accuracy.overall), about
    return "Overall accuracy", "not known", "no ground was held out"
