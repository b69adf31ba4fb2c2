"""Synthetic scenes that look like images: smooth spectra that change smoothly from pixel to pixel, with some noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from envi_files import write_envi
from numpy.typing import NDArray

BANDS, LINES, SAMPLES = 40, 24, 18
WAVELENGTH = np.round(np.linspace(420, 2400, BANDS), 1)
UTM = "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters}"
SOUND: dict[str, Any] = {
    "map info": UTM,
    "wavelength": WAVELENGTH,
    "wavelength units": "Nanometers",
    "reflectance scale factor": 10000,
    "data ignore value": -9999,
}
"""What a header without a fault says."""


def make_image(bands: int = BANDS, lines: int = LINES, samples: int = SAMPLES, *, seed: int = 0) -> NDArray[np.int16]:
    """(band, y, x) int16, reflectance x 10000: two spectra mixed by a smooth field, with a little noise."""
    rng = np.random.default_rng(seed)
    position = np.linspace(0, 1, bands)[:, None, None]
    y, x = np.mgrid[0:lines, 0:samples]
    field = 0.5 + 0.5 * np.sin(x / 5 + 1) * np.cos(y / 7)
    leaf = 0.05 + 0.45 * np.exp(-(((position - 0.35) / 0.2) ** 2))
    soil = 0.1 + 0.3 * np.sqrt(position)
    reflectance = field * leaf + (1 - field) * soil + rng.normal(0, 0.004, (bands, lines, samples))
    return (reflectance * 10_000).round().astype(np.int16)


def write_scene(folder: Path, array: NDArray[Any] | None = None, *, name: str = "scene", **options: Any) -> Path:
    """Write a sound scene; keywords other than those of `write_envi` are header fields, ``_`` for a blank.

    Returns the path of the header.
    """
    known = {key: options.pop(key) for key in ("interleave", "byte_order", "offset", "suffix") if key in options}
    fields = {key.replace("_", " "): value for key, value in options.items()}
    image = make_image() if array is None else array
    return write_envi(folder, name, image, header_extra=SOUND | fields, **known)


def edit(path: Path, **changes: Any) -> Path:
    """Change fields of a header, `None` takes one away; lists must stand on one line."""
    keys = {key.replace("_", " "): value for key, value in changes.items()}
    lines = [line for line in path.read_text().splitlines() if line.partition("=")[0].strip() not in keys]
    lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
    path.write_text("\n".join(lines) + "\n")
    return path
