"""The row of a line in the index, from the findings of its page."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.png import encode_png
from hsigeo.line_names import line_name_of_map
from hsigeo.report.certainty import UNSURE
from hsigeo.report.findings import Findings
from hsigeo.report.index.row import MOST_CAUTIONS, ClassPart, Row, Thumbnail
from hsigeo.report.markup import plain, shorten
from hsigeo.report.wording import percent

__all__ = ["summarise"]

LONGEST_SIDE = 144
"""Pixels of a picture in a row: five hundred pairs of them make a page of 10 MB."""

NAMED_ALOUD = 3


def summarise(findings: Findings) -> Row:
    """What the index says about the line."""
    tally, own, survey = findings.tally, findings.own_line, findings.confidence
    evaluation, held_out = findings.independent, findings.held_out
    total = int(tally.pixels.sum())
    return Row(
        name=line_name_of_map(Path(findings.raster.path)),
        map_name=findings.name,
        unit=tally.unit,
        pixels=total,
        classes=tuple(
            ClassPart(
                name=shorten(plain(entry.name)),
                color=entry.hex_color,
                pixels=int(tally.pixels[entry.id]),
                area=float(tally.area[entry.id]),
            )
            for entry in findings.by_area
        ),
        unknown=None if findings.unknown is None else findings.unknown[1] / total,
        unsure=survey.share_below(UNSURE) if survey is not None and survey.histogram.any() else None,
        agreement=None if own is None else _known(own.agreement),
        excess=None if own is None else _known(own.excess),
        accuracy=None if evaluation is None else evaluation.accuracy.overall,
        held_out=None if held_out is None else held_out.accuracy.overall,
        model=_model(findings),
        cautions=tuple(_cautions(findings)[:MOST_CAUTIONS]),
        pictures=tuple(_pictures(findings)),
        outline=findings.outline,
    )


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _model(findings: Findings) -> str:
    name, digest = Path(findings.stated("model")).name, findings.stated("model_sha256")[:12]
    return f"{name} ({digest})" if name and digest else name or digest


def _cautions(findings: Findings) -> list[str]:
    said = []
    own = findings.own_line
    if own is not None and own.odd:
        more = "" if _known(own.excess) is None else f": {100 * own.excess:.1f} points more disagreement than usual"
        said.append(f"stands out from its neighbours{more}")
    if not findings.by_area:
        said.append("no pixel has a class")
    for name, found in (("scene", findings.found.scene), ("model", findings.found.model)):
        if findings.stated(name) and found is None:
            said.append(f"its {name} is missing, or a different one")
    repairs = findings.metadata.get("repairs")
    said += [shorten(text) for text in repairs if isinstance(text, str)] if isinstance(repairs, list) else []
    return said


def _pictures(findings: Findings) -> list[Thumbnail]:
    area = findings.classified[1] or 1.0
    largest = [
        f"{shorten(plain(entry.name))} {percent(float(findings.tally.area[entry.id]) / area)}"
        for entry in findings.by_area[:NAMED_ALOUD]
    ]
    name = line_name_of_map(Path(findings.raster.path))
    pictures = [_thumbnail(findings.pictures.classes.rgba, f"Class map of {name}: {', '.join(largest) or 'empty'}")]
    if findings.pictures.scene is not None:
        pictures.append(_thumbnail(findings.pictures.scene.rgba, f"The scene of {name}"))
    return pictures


def _thumbnail(rgba: NDArray[np.uint8], says: str) -> Thumbnail:
    step = -(-max(rgba.shape[1:]) // LONGEST_SIDE)
    small = rgba[:, step // 2 :: step, step // 2 :: step]
    png = base64.b64encode(encode_png(small)).decode()
    return Thumbnail(png=png, width=small.shape[2], height=small.shape[1], says=says)
