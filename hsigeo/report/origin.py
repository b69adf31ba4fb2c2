"""The sections on provenance, on making the map again, and on what the page does not show."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from hsigeo.report.blocks import Cell, Numbering, Section, code
from hsigeo.report.findings import Findings
from hsigeo.report.markup import Child, element, join, term
from hsigeo.report.stated import stated_total
from hsigeo.report.wording import count, day
from hsigeo.software import SOFTWARE

__all__ = ["render_absences", "render_origin"]

MOST_ITEMS = 40
LONGEST = 400
"""Characters of a value of the metadata."""


def render_origin(findings: Findings, numbering: Numbering) -> Section:
    """Everything needed to find the inputs again, and to see whether they are still the same."""
    rows = [[Cell(content=name, is_head=True), Cell(content=value)] for name, value in _facts(findings)]
    parts: list[Child] = [numbering.table([], rows, "Provenance of the map.", class_="facts")]
    command = remake_command(findings)
    if command:
        parts += [element("p", "This command makes the same map:"), element("pre", code(command))]
    remarks = [*_repairs(findings), *findings.notes]
    if remarks:
        parts.append(element("h3", "Notes and repairs"))
        parts.append(element("ul", [element("li", text) for text in remarks]))
    return Section(anchor="origin", title="Where it comes from", body=join(parts))


def render_absences(findings: Findings) -> Section | None:
    """One line for each thing that is not there."""
    if not findings.absences:
        return None
    items = []
    for absence in findings.absences:
        why = absence.why if absence.why.endswith((".", ":")) else f"{absence.why}."
        remedy: list[Child] = [" To add it: ", code(absence.remedy)] if absence.remedy else []
        items.append(element("li", element("strong", f"{absence.what}: "), why, remedy))
    return Section(anchor="missing", title="What this page does not show", body=element("ul", items, class_="missing"))


def _facts(findings: Findings) -> Iterator[tuple[str, Child]]:
    metadata, grid = findings.metadata, findings.raster.grid
    yield "Map", [term(findings.name), f", changed {day(findings.map_time)}"]
    yield "Digest of the map", code(findings.fingerprint)
    yield "Size", f"{count(grid.lines)} rows × {count(grid.samples)} columns"  # noqa: RUF001
    if findings.place.crs:
        yield "Coordinate system", term(findings.place.crs)
    if findings.place.pixel:
        turned = f", rotated by {findings.place.rotation:.1f}°" if findings.place.rotation else ""
        yield "Pixel", f"{findings.place.pixel}{turned}"
    if findings.stated("scene"):
        state = "found; its digest agrees" if findings.found.scene is not None else "not found, or another one"
        yield "Scene", [term(findings.stated("scene")), _checked(findings, "scene_fingerprint", state)]
        yield "Digest of the scene", code(findings.stated("scene_fingerprint") or "not stated")
    if findings.stated("reader"):
        yield "Read by", term(findings.stated("reader"))
    if findings.stated("model"):
        state = "found; its digest agrees" if findings.found.model is not None else "not found, or another one"
        yield "Model", [term(findings.stated("model")), _checked(findings, "model_sha256", state)]
        yield "Digest of the model", code(findings.stated("model_sha256") or "not stated")
    yield from _training(metadata.get("provenance"))
    yield from _making(findings)
    if findings.found.evaluation_path:
        yield "Evaluation", term(findings.found.evaluation_path)
    if findings.found.agreement_path:
        yield "Comparison of lines", term(findings.found.agreement_path)
    yield "This page", f"written {day(findings.written)} by {SOFTWARE}"


def _checked(findings: Findings, key: str, state: str) -> str:
    return f" ({state})" if findings.stated(key) else ""


def _training(provenance: object) -> Iterator[tuple[str, Child]]:
    if not isinstance(provenance, Mapping):
        return
    for key, name in (("scenes", "Trained on scenes"), ("labels", "Trained on labels")):
        listed = provenance.get(key)
        items = [item for item in listed[:MOST_ITEMS] if isinstance(item, Mapping)] if isinstance(listed, list) else []
        if items:
            yield (
                name,
                join(
                    [
                        [term(str(item.get("name", ""))), " ", code(str(item.get("fingerprint", ""))[:LONGEST])]
                        for item in items
                    ],
                    element("br"),
                ),
            )
    unlabelled = stated_total(provenance.get("unlabelled_pixels_per_scene"))
    if unlabelled is not None:
        yield "Trained with pixels without labels", f"{unlabelled} of the scenes"
    for key, name in (("seed", "Seed of the training"), ("software", "Trained by")):
        value = provenance.get(key)
        if isinstance(value, str | int):
            yield name, str(value)[:LONGEST]


def _making(findings: Findings) -> Iterator[tuple[str, Child]]:
    metadata, job = findings.metadata, findings.found.job
    for key, name in (("variant", "Architecture"), ("software", "Made by"), ("rule", "Overlaps decided by")):
        if findings.stated(key):
            yield name, term(findings.stated(key))
    options = metadata.get("options")
    if isinstance(options, Mapping) and (chosen := {key: value for key, value in options.items() if value}):
        yield "Options", code(json.dumps(chosen, ensure_ascii=False)[:LONGEST])
    for number, step in enumerate(_list(metadata.get("refined")), start=1):
        yield f"Refined, step {number}", code(json.dumps(step, ensure_ascii=False)[:LONGEST])
    lines = _list(metadata.get("lines"))
    if lines:
        names = [term(str(line.get("name", ""))) for line in lines[:MOST_ITEMS] if isinstance(line, Mapping)]
        more = f" and {len(lines) - MOST_ITEMS} more" if len(lines) > MOST_ITEMS else ""
        yield "Lines", [join(names, ", "), more]
    started, finished = job.get("started"), job.get("finished")
    if isinstance(started, str) and isinstance(finished, str) and started:
        seconds = job.get("seconds")
        took = f" ({seconds:.1f} s on {job.get('device', 'a computer')})" if isinstance(seconds, float) else ""
        yield "Classified", f"{started[:LONGEST]} to {finished[:LONGEST]}{took[:LONGEST]}"


def _repairs(findings: Findings) -> list[str]:
    """What the reader guessed or mended, and what else was noted on the way."""
    told = [*_list(findings.metadata.get("repairs")), *_list(findings.metadata.get("notes"))]
    provenance = findings.metadata.get("provenance")
    if isinstance(provenance, Mapping):
        told += _list(provenance.get("notes"))
    texts = [text[:LONGEST] for text in told if isinstance(text, str)]
    return list(dict.fromkeys(texts))[:MOST_ITEMS]


def remake_command(findings: Findings) -> str:
    """The command that makes the map again; empty where the map does not say enough."""
    scene, model = findings.stated("scene"), findings.stated("model")
    if not scene or not model or "refined" in findings.metadata:
        return ""
    words = ["hsigeo", "classify", scene, "--model", model, "-o", Path(findings.raster.path).name]
    options = findings.metadata.get("options")
    options = options if isinstance(options, Mapping) else {}
    if isinstance(options.get("unknown"), float):
        words += ["--unknown", f"{options['unknown']:g}"]
    if options.get("geometry") == "sensor":
        words += ["--geometry", "sensor"]
    if isinstance(options.get("max_distance"), float):
        words += ["--max-distance", f"{options['max_distance']:g}"]
    if options.get("fill_missing") is True:
        words.append("--fill-missing")
    return " ".join(shlex.quote(word[:LONGEST]) for word in words)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
