"""Scenes of any size that take little disk and little time: most rows are nodata, and holes in the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.model import write_model
from hsigeo.training import LabelledSpectra
from hsigeo.training.learning import train_on_spectra

__all__ = ["BANDS", "CLASSES", "make_library", "write_library_model", "write_sparse_scene"]

BANDS, CLASSES = 200, 8
_ITEM_BYTES = 2


def make_library(spectra: int = 400, *, bands: int = BANDS, seed: int = 0) -> NDArray[np.float32]:
    """(spectrum, band) smooth reflectances, 0 to 1, of `CLASSES` kinds in turn."""
    random = np.random.default_rng(seed)
    place = np.linspace(0.0, 1.0, bands)
    kinds = [
        0.1 + 0.4 * random.random() + 0.1 * np.sin(place * (3.0 + kind) + random.random()) for kind in range(CLASSES)
    ]
    made = [kinds[number % CLASSES] * (1 + 0.05 * random.normal()) for number in range(spectra)]
    noisy = np.array(made) + 0.003 * random.normal(size=(spectra, bands))
    return np.clip(noisy, 0.01, 1.0).astype(np.float32)


def write_library_model(path: Path, *, bands: int = BANDS) -> None:
    """Train the default network on the library."""
    spectra = make_library(bands=bands)
    number = np.arange(len(spectra))
    learnt = LabelledSpectra(
        spectra=spectra,
        class_id=(1 + number % CLASSES).astype(np.int32),
        group=number.astype(np.int64),
        scene=np.zeros(len(spectra), dtype=np.int32),
        row=number.astype(np.int64),
        col=np.zeros(len(spectra), dtype=np.int64),
        classes=ClassTable.from_names([f"kind {kind + 1}" for kind in range(CLASSES)]),
        bands=BandTable(count=bands, wavelength=np.linspace(450.0, 2350.0, bands)),
        scene_band_count=bands,
        scene_band_index=np.arange(bands),
    )
    write_model(train_on_spectra(learnt, seed=0, check=False), path)


def write_sparse_scene(
    folder: Path, name: str, *, shape: tuple[int, int, int], interleave: str = "bil", valid_every: int = 16
) -> Path:
    """An ENVI scene of int16 in which one row in so many has data; return the path of its header.

    Parameters
    ----------
    shape
        Bands, lines, samples.
    """
    bands, lines, samples = shape
    random = np.random.default_rng(0)
    library = make_library(bands=bands)
    data = folder / f"{name}.img"
    with data.open("wb") as file:
        file.truncate(bands * lines * samples * _ITEM_BYTES)
        for line in range(0, lines, valid_every):
            row = library[random.integers(0, len(library), samples)] * 10_000  # (sample, band)
            stored = row.astype("<i2")
            if interleave == "bsq":
                for band in range(bands):
                    file.seek((band * lines + line) * samples * _ITEM_BYTES)
                    file.write(np.ascontiguousarray(stored[:, band]).tobytes())
            else:
                file.seek(line * bands * samples * _ITEM_BYTES)
                file.write(np.ascontiguousarray(stored.T if interleave == "bil" else stored).tobytes())
    header = data.with_suffix(".hdr")
    header.write_text(_header(_fields(shape, interleave)), encoding="utf-8")
    return header


def _fields(shape: tuple[int, int, int], interleave: str) -> Mapping[str, object]:
    bands, lines, samples = shape
    return {
        "samples": samples,
        "lines": lines,
        "bands": bands,
        "data type": 2,
        "interleave": interleave,
        "byte order": 0,
        "data ignore value": 0,
        "reflectance scale factor": 10_000,
        "map info": "{UTM, 1, 1, 380000, 5820000, 5, 5, 33, North, WGS-84, units=Meters}",
        "wavelength units": "Nanometers",
        "wavelength": "{" + ", ".join(f"{value:.2f}" for value in np.linspace(450.0, 2350.0, bands)) + "}",
    }


def _header(fields: Mapping[str, object]) -> str:
    return "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in fields.items())
