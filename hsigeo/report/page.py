"""The page as a whole: one file that loads nothing from elsewhere."""

from __future__ import annotations

import os

from hsigeo.atomic import check_not_an_input, check_output, replaced_on_success
from hsigeo.errors import OutputError
from hsigeo.report.accuracy import render_accuracy
from hsigeo.report.blocks import Numbering, Section
from hsigeo.report.certainty import render_calibration, render_confidence
from hsigeo.report.findings import Findings
from hsigeo.report.index.state import keep
from hsigeo.report.mapped import render_map
from hsigeo.report.markup import element
from hsigeo.report.origin import render_absences, render_origin
from hsigeo.report.overlap import render_agreement
from hsigeo.report.overview import page_title, render_overview
from hsigeo.report.skeleton import ENDINGS, document, footer
from hsigeo.report.spectral import render_decisions, render_spectra

__all__ = ["check_report_path", "make_page", "write_page", "write_report"]


def make_page(findings: Findings) -> str:
    """The whole document."""
    numbering = Numbering()
    sections = [section for section in _sections(findings, numbering) if section is not None]
    links = [element("li", element("a", section.title, href=f"#{section.anchor}")) for section in sections]
    return document(
        page_title(findings),
        element("a", "Skip to the map", href="#map", class_="skip"),
        element(
            "main",
            render_overview(findings),
            element("nav", element("ol", links), aria_label="Contents"),
            [section.render() for section in sections],
        ),
        footer(findings.written),
        kept=keep(findings),
    )


def _sections(findings: Findings, numbering: Numbering) -> list[Section | None]:
    """In the order in which somebody asks who is handed a map."""
    return [
        render_map(findings, numbering),
        render_accuracy(findings, numbering),
        render_confidence(findings, numbering),
        render_calibration(findings, numbering),
        render_spectra(findings, numbering),
        render_decisions(findings, numbering),
        render_agreement(findings, numbering),
        render_origin(findings, numbering),
        render_absences(findings),
    ]


def check_report_path(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse early what `write_page` would refuse.

    Raises
    ------
    OutputExistsError, OutputError
        The file is there and `overwrite` is false, cannot be written, or has another ending.
    """
    if not str(path).casefold().endswith(ENDINGS):
        raise OutputError(f"{path}: the report is an HTML page; give a name that ends in .html")
    check_output(path, overwrite=overwrite)


def write_report(findings: Findings, path: str | os.PathLike[str], *, overwrite: bool = False) -> int:
    """Write the page, whole or not at all; return its size in bytes.

    Raises
    ------
    OutputExistsError, OutputError
        As `check_report_path`; or it would replace what it is made from.
    """
    check_report_path(path, overwrite=overwrite)
    check_not_an_input(path, findings.found.files)
    return write_page(make_page(findings), path, overwrite=overwrite)


def write_page(page: str, path: str | os.PathLike[str], *, overwrite: bool = False) -> int:
    """Write a page that is made; return its size in bytes.

    Raises
    ------
    OutputExistsError, OutputError
        The file is there and `overwrite` is false, or cannot be written.
    """
    content = page.encode("utf-8")
    with replaced_on_success(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)
    return len(content)
