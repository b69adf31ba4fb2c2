"""Warns before a run where the lines of a campaign were processed differently."""

from __future__ import annotations

from collections.abc import Sequence

from hsigeo.campaign.job import LineJob, cached_model
from hsigeo.errors import HsigeoError
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.processing import processing_of
from hsigeo.line_processing import find_processing_differences

__all__ = ["find_differences"]


def find_differences(jobs: Sequence[LineJob]) -> tuple[str, ...]:
    """One sentence for each property in which lines differ; lines that cannot be opened are left out.

    Only headers are read.
    """
    lines = []
    for job in jobs:
        try:
            header = open_cube(job.scene, reader=job.reader).header
            lines.append(processing_of(header, job.name, model=cached_model(job.model).digest))
        except HsigeoError:  # the survey names it, with the reason
            continue
    return find_processing_differences(lines)
