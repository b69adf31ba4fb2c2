"""Scenes whose values tell where they lie, and labels at given places."""

from __future__ import annotations

from dataclasses import dataclass

import dask.array as da
import numpy as np

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.grid import Grid
from hsigeo.labels import LabelledPixels, LabelReport
from hsigeo.scene import make_scene

CLASSES = ClassTable.from_names(["oak", "pine", "水"])


@dataclass
class Labels:
    """Labels at given places, as (row, col, class id)."""

    places: list
    path: str = "labels.gpkg"
    classes: ClassTable = CLASSES

    def on(self, grid):
        row, col, class_id = (
            (np.array(values) for values in zip(*self.places, strict=True)) if self.places else ([],) * 3
        )
        return LabelledPixels(
            row=np.asarray(row, dtype=np.int64),
            col=np.asarray(col, dtype=np.int64),
            class_id=np.asarray(class_id, dtype=np.int32),
            group=np.arange(len(self.places)),
            classes=self.classes,
            report=LabelReport(features=len(self.places)),
        )


def encoded_scene(bands=6, lines=8, samples=5, *, change=lambda cube: None, wavelength=None, good=None, shift=0.0):
    """Every value tells its row, column and band: row + col / 100 + band / 10 000."""
    band, row, col = np.meshgrid(np.arange(bands), np.arange(lines), np.arange(samples), indexing="ij")
    cube = (row + col / 100 + band / 10_000 + shift).astype(np.float32)
    change(cube)
    table = BandTable(
        count=bands,
        wavelength=np.linspace(500.0, 600.0, bands) if wavelength is None else wavelength,
        good=np.ones(bands, dtype=bool) if good is None else good,
    )
    grid = Grid(lines=lines, samples=samples)
    return make_scene(da.from_array(cube, chunks=(bands, 3, 2)), grid=grid, bands=table, attrs={"source": "scene.hdr"})
