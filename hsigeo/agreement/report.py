"""The report on a comparison: tables for spreadsheets, JSON for programs, a page of plots for people."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from hsigeo.agreement.comparison import Comparison
from hsigeo.agreement.counts import class_agreement
from hsigeo.agreement.figures import Figures, class_curves, line_curve
from hsigeo.atomic import check_output
from hsigeo.errors import OutputError
from hsigeo.fingerprint import fingerprint
from hsigeo.metrics import none_if_nan
from hsigeo.plots.agreement import AgreementPage, draw_agreement
from hsigeo.software import SOFTWARE
from hsigeo.spreadsheets import harmless
from hsigeo.text_files import write_json, write_text

__all__ = ["DISAGREEMENT_MAP", "check_report", "write_report"]

DISAGREEMENT_MAP = "disagreement.tif"
_TABLES = ("lines", "pairs", "classes", "positions")
_FILES = (*(f"{name}.csv" for name in _TABLES), "agreement.json", "agreement.png")


def check_report(folder: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Refuse early what `write_report` would refuse; make the folder.

    Raises
    ------
    OutputExistsError, OutputError
        A file of a report is there and `overwrite` is false, or the folder cannot be made.
    """
    home = Path(folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {error.strerror or error}") from error
    for name in (*_FILES, DISAGREEMENT_MAP):
        check_output(home / name, overwrite=overwrite)


def write_report(
    folder: str | os.PathLike[str],
    comparison: Comparison,
    figures: Figures,
    *,
    differences: Sequence[str] = (),
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write tables, JSON and plots into a folder that is there.

    Parameters
    ----------
    differences
        In processing, as `hsigeo.line_processing.find_processing_differences` names them.

    Returns
    -------
    tuple
        The files.

    Raises
    ------
    OutputExistsError, OutputError
        A file is there and `overwrite` is false, or cannot be written.
    """
    home = Path(folder)
    for name, rows in zip(_TABLES, (figures.lines, figures.pairs, figures.classes, figures.positions), strict=True):
        write_text(home / f"{name}.csv", _as_csv(rows), overwrite=overwrite)
    write_json(home / "agreement.json", _document(comparison, figures, differences), overwrite=overwrite)
    draw_agreement(home / "agreement.png", _page(comparison, figures), overwrite=overwrite)
    return tuple(home / name for name in _FILES)


def _document(comparison: Comparison, figures: Figures, differences: Sequence[str]) -> dict[str, Any]:
    names = [line.name for line in comparison.lines]
    return {
        "software": SOFTWARE,
        "pixels": figures.pixels,
        "agreement": none_if_nan(figures.overall),
        "kappa": none_if_nan(figures.kappa),
        "axis": comparison.axis,
        "maps": [
            {"name": line.name, "map": line.path.name, "fingerprint": fingerprint(line.path)}
            for line in comparison.lines
        ],
        "lines": [_row(row) for row in figures.lines],
        "pairs": [
            _row(row) | {"classes": _pair_classes(comparison, number)} for number, row in enumerate(figures.pairs)
        ],
        "classes": [_row(row) for row in figures.classes],
        "positions": [_row(row) for row in figures.positions],
        "line_positions": {
            name: [{"position": at, "agreement": none_if_nan(value)} for at, value in line_curve(comparison, number)]
            for number, name in enumerate(names)
        },
        "confusion": {
            "names": list(comparison.classes.names),
            "pixels": comparison.positions.confusion.sum(axis=0).tolist(),
            "note": "symmetric: every pair of pixels is counted in both orders",
        },
        "processing_differences": list(differences),
        "notes": list(comparison.notes),
    }


def _pair_classes(comparison: Comparison, number: int) -> dict[str, float]:
    """Agreement of a pair on each class that either line says."""
    counts = comparison.pairs[sorted(comparison.pairs)[number]]
    values = class_agreement(counts.first, counts.second, counts.both).tolist()
    return {name: value for name, value in zip(comparison.classes.names, values, strict=True) if not math.isnan(value)}


def _page(comparison: Comparison, figures: Figures) -> AgreementPage:
    odd = {row.name for row in figures.lines if row.odd}
    count = max(len(figures.positions), 1)
    return AgreementPage(
        lines=[(row.name, row.agreement, row.excess, row.odd) for row in figures.lines if row.neighbours],
        pairs=[(row.first, row.second, row.agreement) for row in figures.pairs],
        curves=[(line_curve(comparison, number), line.name in odd) for number, line in enumerate(comparison.lines)],
        classes=tuple(comparison.classes),
        position_edges=comparison.positions.outer_edges[: count + 1],
        positions=np.array([row.agreement for row in figures.positions] or [math.nan]),
        class_positions=class_curves(comparison)[:count],
        axis=comparison.axis,
    )


def _row(row: Any) -> dict[str, Any]:
    return {key: none_if_nan(value) if isinstance(value, float) else value for key, value in asdict(row).items()}


def _as_csv(rows: Sequence[Any]) -> str:
    """Comma-separated, UTF-8; NaN is an empty cell."""
    text = io.StringIO()
    if rows:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(field.name for field in fields(rows[0]))
        for row in rows:
            writer.writerow(_cell(value) for value in asdict(row).values())
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return harmless(value)
