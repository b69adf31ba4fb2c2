"""How the line of a finished map was processed, from the map's tag and, where it exists, the scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hsigeo.errors import HsigeoError
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.processing import processing_of
from hsigeo.line_processing import LineProcessing, correction_of
from hsigeo.lines.mapped_line import MappedLine

__all__ = ["processing_of_line"]


def processing_of_line(line: MappedLine) -> LineProcessing:
    """What is known; where the scene is gone, its path and the tag are all there is."""
    metadata = line.raster.metadata
    scene, model, software = (metadata.get(key) for key in ("scene", "model_sha256", "software"))
    model = model if isinstance(model, str) and model else None
    known = LineProcessing(name=line.name, model=model)
    if isinstance(scene, str) and scene and "\0" not in scene:
        known = replace(known, correction=correction_of(scene))
        if Path(scene).is_file():
            try:
                known = processing_of(open_cube(scene).header, line.name, model=model)
            except HsigeoError:  # it may have changed since; the map is what is looked at here
                known = replace(known, correction=correction_of(scene))
    return replace(known, software=software if isinstance(software, str) else None)
