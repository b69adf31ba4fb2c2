"""Make the sample scenes: ``python sample_scenes/make.py [FOLDER]``.

Writes two flight lines, training polygons and validation points into this folder, or into another one. The same seed
gives the same files. What they hold, and why: README.md beside this script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from affine import Affine
from cover import make_fractions
from landscape import make_landscape
from reference import make_training_polygons, make_validation_points, write_features
from sensor import METRES_PER_PIXEL, NODATA, FlightLine, fly, write_envi

SEED = 20260611
LANDSCAPE = (204, 176)
"""Rows and columns of the whole, in pixels."""
LINES, SAMPLES = 184, 100
ROTATION = -23.0
ORIGIN = (393_412.0, 5_669_958.0)
"""Easting and northing of the landscape's first corner, UTM zone 33 north. Nothing there looks like this."""

FLIGHT_LINES = (
    FlightLine(
        name="line_1",
        first_line=0,
        first_sample=0,
        lines=LINES,
        samples=SAMPLES,
        sun_elevation=48.0,
        sun_azimuth=-52.0,
        gain=(1.00, 1.00),
        haze=0.002,
    ),
    FlightLine(
        name="line_2",
        first_line=16,
        first_sample=76,
        lines=LINES,
        samples=SAMPLES,
        sun_elevation=53.0,
        sun_azimuth=-38.0,
        gain=(1.05, 0.97),
        haze=0.007,
    ),
)


def landscape_transform() -> Affine:
    """From (sample, line) of the landscape to UTM, as ENVI's ``rotation`` means it: counter-clockwise positive."""
    angle = np.radians(ROTATION)
    across, along = METRES_PER_PIXEL * np.cos(angle), METRES_PER_PIXEL * np.sin(angle)
    return Affine(across, along, ORIGIN[0], along, -across, ORIGIN[1])


def map_info(line: FlightLine) -> str:
    """The header's ``map info``, tied at the outer corner of the first pixel."""
    east, north = landscape_transform() @ (line.first_sample, line.first_line)
    size = METRES_PER_PIXEL
    return (
        f"UTM, 1.000, 1.000, {east:.6f}, {north:.6f}, {size:.6e}, {size:.6e}, "
        f"33, North, WGS-84, units=Meters, rotation={ROTATION:.4f}"
    )


def main(folder: Path) -> None:
    """Make everything."""
    rng = np.random.default_rng(SEED)
    landscape = make_landscape(rng, (LANDSCAPE[0] * METRES_PER_PIXEL, LANDSCAPE[1] * METRES_PER_PIXEL))
    fractions = make_fractions(rng, landscape)
    seen = np.zeros(LANDSCAPE, dtype=bool)
    for line in FLIGHT_LINES:
        cube = fly(rng, line, landscape, fractions)
        write_envi(folder, line, cube, map_info(line))
        seen[line.window] |= cube[:, 0, :] != NODATA
    polygons = make_training_polygons(rng, landscape, seen)
    points = make_validation_points(rng, landscape, seen, polygons)
    write_features(folder / "training.gpkg", polygons, landscape_transform())
    write_features(folder / "validation.gpkg", points, landscape_transform())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
