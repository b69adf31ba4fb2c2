"""How a scene was processed, according to its header and path."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hsigeo.io.cube import CubeHeader
from hsigeo.line_processing import LineProcessing, correction_of

__all__ = ["processing_of"]


def processing_of(header: CubeHeader, name: str, *, model: str | None = None) -> LineProcessing:
    """What a scene's header says about its processing.

    Parameters
    ----------
    header
        Of the scene.
    name
        Of the line.
    model
        SHA-256 of the model its map is made with.
    """
    wavelength = header.bands.wavelength
    gain = np.asarray(header.scaling.gain)
    return LineProcessing(
        name=name,
        bands=header.bands.count,
        wavelengths=None if wavelength is None else tuple(round(float(value), 2) for value in wavelength),
        # Bands of their own scale each (EnMAP) are like those of another line if the middle one is.
        scale=float(f"{np.median(gain):.6g}"),
        correction=correction_of(str(Path(header.path).absolute())),
        model=model,
    )
