"""Flight lines for tests of campaigns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from envi_files import write_envi

BANDS, LINES, SAMPLES = 12, 37, 30
NODATA = -9999


def write_line(folder: Path, name: str, *, lines=LINES, samples=SAMPLES, seed=0, **header) -> Path:
    """A rotated line with nodata at its left edge, for the models of `labelled_spectra.make_model`."""
    cube = np.random.default_rng(seed).integers(500, 6000, (BANDS, lines, samples)).astype("int16")
    cube[:, :, :3] = NODATA
    fields = {
        "map info": "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters, rotation=30}",
        "wavelength": [f"{nm:.1f}" for nm in np.linspace(450, 2350, BANDS)],
        "wavelength units": "Nanometers",
        "data ignore value": NODATA,
        "reflectance scale factor": 10000,
    }
    return write_envi(folder, name, cube, dtype="int16", header_extra={**fields, **header})
