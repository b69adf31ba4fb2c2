"""What the covers are made of: endmember fractions for every square metre, varying within a cover as nature does."""

from __future__ import annotations

import numpy as np
from landscape import ASPHALT, GRASS, GREEN, QUARRY, ROOF, SOIL, WATER, WOOD, Landscape, smooth_noise
from numpy.typing import NDArray
from spectra import ENDMEMBERS

__all__ = ["make_fractions", "make_shade"]

FloatGrid = NDArray[np.float64]


def make_fractions(rng: np.random.Generator, landscape: Landscape) -> NDArray[np.float32]:
    """Fractions of each endmember.

    Returns
    -------
    (endmember, row, col) float32
        They sum to about 1: what exceeds or lacks is brightness.
    """
    shape = landscape.cover.shape
    fractions = np.zeros((len(ENDMEMBERS), *shape), dtype=np.float32)
    fine, middle, broad = (smooth_noise(rng, shape, scale) for scale in (2, 14, 60))
    other = smooth_noise(rng, shape, 22)
    per_field = rng.normal(0, 1, (3, landscape.field.max() + 1))[:, landscape.field]
    recipes = {
        WATER: {
            "water_milky": (landscape.field == 0) * 1.0,
            "water_turbid": _mix(0.25 + 0.25 * broad + 0.05 * middle),
            "water_clear": None,
        },
        WOOD: {
            "litter": _mix(0.06 + 0.05 * middle),
            "leaf_tree_pale": _mix(0.45 + 0.30 * other + 0.12 * fine) * 0.9,
            "leaf_tree": None,
        },
        GREEN: {
            "loam_dry": _mix(0.20 + 0.16 * per_field[0] + 0.10 * middle + 0.05 * fine),
            "leaf_grass": _mix(0.20 + 0.20 * per_field[1] + 0.05 * other) * 0.6,
            "leaf_crop": None,
        },
        GRASS: {
            "leaf_grass": _mix(0.28 + 0.14 * middle + 0.10 * broad + 0.05 * fine),
            "loam_dry": _mix(0.12 + 0.08 * other),
            "litter": _mix(0.15 + 0.10 * per_field[2]) * 0.6,
            "straw": None,
        },
        SOIL: {
            "straw": _mix(0.10 + 0.10 * per_field[1]) * 0.7,
            "leaf_grass": _mix(0.05 + 0.06 * other) * 0.6,
            "loam_wet": _mix(0.35 + 0.30 * per_field[0] + 0.15 * broad),
            "loam_sandy": _mix(0.20 + 0.20 * per_field[2] + 0.15 * middle) * 0.6,
            "loam_dry": None,
        },
        QUARRY: {
            "loam_sandy": _mix(0.12 + 0.12 * broad) * 0.7,
            "gravel": _mix(0.10 + 0.12 * other) * 0.7,
            "kaolin_stained": _mix(0.40 + 0.28 * middle + 0.05 * fine) * 0.8,
            "kaolin": None,
        },
        ASPHALT: {
            "gravel": _mix(0.06 + 0.05 * other),
            "asphalt_worn": _mix(0.60 + 0.30 * broad + 0.10 * middle),
            "asphalt_fresh": None,
        },
        ROOF: {
            "asphalt_worn": _mix(0.04 + 0.03 * fine),
            "tile_weathered": _mix(0.45 + 0.40 * other),
            "tile": None,
        },
    }
    brightness = np.clip(1 + 0.05 * fine + 0.05 * middle + 0.04 * broad, 0.7, 1.35)
    for cover, recipe in recipes.items():
        inside = landscape.cover == cover
        rest = np.ones(np.count_nonzero(inside))
        for name, share in recipe.items():
            # Each share is of what the ones before it left; the last takes the rest.
            part = rest if share is None else rest * share[inside]
            rest = rest - part
            fractions[ENDMEMBERS.index(name)][inside] = part * brightness[inside]
    return fractions


LIGHT_IN_SHADOW = 0.18
"""Share of direct light that reaches shadows all the same: through leaves, and off the surroundings."""


def make_shade(height: FloatGrid, *, sun_elevation: float, sun_azimuth: float) -> FloatGrid:
    """Direct light on each square metre, relative to flat ground: slope, and shadows cast up to 40 m away.

    Parameters
    ----------
    height
        (row, col) metres on a 1 m grid.
    sun_elevation, sun_azimuth
        Degrees; the azimuth counts clockwise from the direction in which rows decrease.
    """
    elevation, azimuth = np.radians([sun_elevation, sun_azimuth])
    towards_row, towards_col = -np.cos(azimuth), np.sin(azimuth)
    slope_row, slope_col = np.gradient(height)
    facing = np.sin(elevation) - np.cos(elevation) * (slope_row * towards_row + slope_col * towards_col)
    shade = np.clip(facing / np.sqrt(1 + slope_row**2 + slope_col**2) / np.sin(elevation), 0, 1.5)
    for distance in range(1, 41):
        step = (-round(distance * towards_row), -round(distance * towards_col))
        obstacle = np.roll(height, step, axis=(0, 1))
        shade[obstacle > height + distance * np.tan(elevation) + 0.5] = 0
    return np.asarray(np.maximum(shade, LIGHT_IN_SHADOW))


def _mix(share: FloatGrid) -> FloatGrid:
    return np.asarray(np.clip(share, 0, 1))
