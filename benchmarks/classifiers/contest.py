"""What is compared, and on what: one scene, one set of training pixels, one kind of file to be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.accuracy.fits import Predict
from benchmarks.accuracy.splits import Split

__all__ = ["Contest", "Contestant", "Entry", "UnavailableError", "map_profile"]

Spectra = NDArray[np.float32]
Labels = NDArray[np.int64]


class UnavailableError(Exception):
    """A contestant cannot take part; the message says why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """What every contestant is given.

    Parameters
    ----------
    split
        What to learn from, and what to be tested on.
    scene
        Header of the ENVI scene to map: int16, reflectance x 10 000.
    folder
        Where maps are written, and what else is needed on the way.
    cores
        How many to use.
    """

    split: Split
    scene: Path
    folder: Path
    cores: int

    @property
    def data(self) -> Path:
        """The scene's pixels, as GDAL opens them."""
        return self.scene.with_suffix(".img")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A contestant that has learnt.

    Parameters
    ----------
    make_map
        Writes the class map, a GeoTIFF of class ids from 1, to this path: from opening the scene to closing the file.
    predict
        From (pixel, band) reflectance to (pixel,) class index, for the test pixels.
    note
        What else to know of it, such as how many support vectors.
    """

    make_map: Callable[[Path], None]
    predict: Predict
    note: str = ""


class Contestant(Protocol):
    """Learns."""

    def __call__(self, contest: Contest) -> Entry:
        """Train, and be ready to make maps.

        Raises
        ------
        UnavailableError
            A package it needs is not there.
        """


def map_profile(data: Path) -> dict[str, Any]:
    """How the class map is written by everyone who writes it with rasterio."""
    with rasterio.open(data) as scene:
        return {
            "driver": "GTiff",
            "dtype": "uint8",
            "count": 1,
            "width": scene.width,
            "height": scene.height,
            "crs": scene.crs,
            "transform": scene.transform,
            "nodata": 0,
            "tiled": True,
            "blockxsize": 256,
            "blockysize": 256,
            "compress": "deflate",
        }
