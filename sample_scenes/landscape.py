"""The invented landscape, on a 1 m grid: what covers the ground, how high it stands, which field it belongs to.

Later layers overwrite earlier ones, as on a map: fields, then river, woods, quarry, town, roads. Positions are metres
in the frame of the flight lines: row 0 is where the aircraft comes in, column 0 the left edge of the first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "Landscape", "make_landscape", "smooth_noise"]

FloatGrid = NDArray[np.float64]
Mask = NDArray[np.bool_]

CLASSES = {
    "Water": 1,
    "Wald (Laubbäume)": 2,
    "Crops and lawns": 3,
    "Dry grass": 4,
    "Bare soil": 5,
    "Kaolin quarry": 6,
    "Asphalt": 7,
    "Clay tile roof": 8,
}
"""Name and cover id. One name is German, so that nobody's tool may assume ASCII."""

WATER, WOOD, GREEN, GRASS, SOIL, QUARRY, ASPHALT, ROOF = CLASSES.values()


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """The ground truth.

    Parameters
    ----------
    cover
        (row, col) uint8, the id of what covers each square metre; never 0.
    height
        (row, col) float64, metres, of the ground or of what stands on it.
    field
        (row, col) int32, number of the field parcel: what one farmer sowed on one day. 0 in the quarry's pond, which
        is milky with clay.
    """

    cover: NDArray[np.uint8]
    height: FloatGrid
    field: NDArray[np.int32]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> FloatGrid:
    """Gaussian random field of zero mean and unit deviation, correlated over about `scale` cells."""
    rows = np.fft.fftfreq(shape[0])[:, None]
    cols = np.fft.rfftfreq(shape[1])[None, :]
    kernel = np.exp(-2 * (np.pi * scale / 2) ** 2 * (rows**2 + cols**2))
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * kernel, s=shape)
    return np.asarray((field - field.mean()) / field.std())


def make_landscape(rng: np.random.Generator, shape: tuple[int, int]) -> Landscape:
    """Build the whole landscape; the same generator state gives the same one."""
    row, col = np.meshgrid(np.arange(shape[0], dtype=float), np.arange(shape[1], dtype=float), indexing="ij")
    river_middle = 500 - 0.40 * row + 48 * np.sin(row / 105)
    river_distance = np.abs(col - river_middle) * 0.88 + 3 * smooth_noise(rng, shape, 25)

    height = 9 * smooth_noise(rng, shape, 170) + 26 * np.exp(-(((row - 90) / 170) ** 2 + ((col - 120) / 170) ** 2))
    height *= np.clip(river_distance / 120, 0.1, 1)

    field = _number_fields(rng, row, col, east=col > river_middle)
    cover = _sow_fields(rng, field)
    cover[river_distance < 34 + 5 * smooth_noise(rng, shape, 30)] = GRASS
    _plant_woods(rng, row, col, river_distance, cover, height)
    _dig_quarry(rng, row, col, cover, height, field)
    water = river_distance < 14
    cover[water] = WATER
    height[water] = height[water].min()
    _build_town(rng, row, col, cover, height)
    _lay_roads(row, col, cover, height)
    return Landscape(cover=cover, height=height, field=field)


def _turn(row: FloatGrid, col: FloatGrid, degrees: float) -> tuple[FloatGrid, FloatGrid]:
    angle = np.radians(degrees)
    return np.cos(angle) * row - np.sin(angle) * col, np.sin(angle) * row + np.cos(angle) * col


def _number_fields(rng: np.random.Generator, row: FloatGrid, col: FloatGrid, east: Mask) -> NDArray[np.int32]:
    """Cut each bank of the river into rectangles, by halving until they are the size of fields."""
    field = np.zeros(row.shape, dtype=np.int32)
    number = 0
    for bank, degrees in ((~east, 14.0), (east, -9.0)):
        a, b = _turn(row, col, degrees)
        for a0, a1, b0, b1 in _split(rng, a.min(), a.max() + 1, b.min(), b.max() + 1):
            number += 1
            field[bank & (a >= a0) & (a < a1) & (b >= b0) & (b < b1)] = number
    return field


def _split(
    rng: np.random.Generator, a0: float, a1: float, b0: float, b1: float
) -> Iterator[tuple[float, float, float, float]]:
    long_side = max(a1 - a0, b1 - b0)
    if long_side < 95 or (long_side < 150 and rng.random() < 0.3):
        yield a0, a1, b0, b1
        return
    cut = rng.uniform(0.38, 0.62)
    if a1 - a0 > b1 - b0:
        middle = a0 + cut * (a1 - a0)
        parts = ((a0, middle, b0, b1), (middle, a1, b0, b1))
    else:
        middle = b0 + cut * (b1 - b0)
        parts = ((a0, a1, b0, middle), (a0, a1, middle, b1))
    for part in parts:
        yield from _split(rng, *part)


def _sow_fields(rng: np.random.Generator, field: NDArray[np.int32]) -> NDArray[np.uint8]:
    """One cover per field, and a grassy balk of about 3 m between fields."""
    choice = rng.permutation(np.resize([GREEN, SOIL, GREEN, GRASS, SOIL, GREEN], field.max() + 1)).astype(np.uint8)
    cover = choice[field]
    for axis in (0, 1):
        for step in (-1, 1):
            cover[np.roll(field, step, axis=axis) != field] = GRASS
    return cover


def _plant_woods(
    rng: np.random.Generator,
    row: FloatGrid,
    col: FloatGrid,
    river_distance: FloatGrid,
    cover: NDArray[np.uint8],
    height: FloatGrid,
) -> None:
    """Two woods with ragged edges, scattered trees before them, and willows along the river."""
    shape = cover.shape
    edge = 0.35 * smooth_noise(rng, shape, 40) + 0.22 * smooth_noise(rng, shape, 9)
    hill = 1.1 - np.hypot((row - 110) / 210, (col - 110) / 190)
    south = 0.95 - np.hypot((row - 700) / 150, (col - 560) / 190)
    density = np.maximum(hill, south) + edge
    density = np.maximum(density, 0.55 - np.abs(river_distance - 24) / 18 + 0.6 * smooth_noise(rng, shape, 28))
    crowns = smooth_noise(rng, shape, 5)
    wood = density + 0.25 * crowns > 0.42
    wood |= (crowns > 2.3) & (cover == GRASS)
    cover[wood] = WOOD
    height[wood] += (13 + 3.2 * crowns + 2 * smooth_noise(rng, shape, 30))[wood]


def _dig_quarry(
    rng: np.random.Generator,
    row: FloatGrid,
    col: FloatGrid,
    cover: NDArray[np.uint8],
    height: FloatGrid,
    field: NDArray[np.int32],
) -> None:
    """A terraced kaolin pit with a pond at its bottom and a spoil heap beside it."""
    shape = cover.shape
    depth = 1 - np.hypot((row - 615) / 86, (col - 115) / 80) + 0.13 * smooth_noise(rng, shape, 35)
    pit = depth > 0
    terrace = np.floor(depth * 5 + 0.25 * smooth_noise(rng, shape, 15))
    cover[pit] = QUARRY
    height[pit] = height[615, 115] - 5 * np.clip(terrace, 0, 4)[pit] + 0.3 * smooth_noise(rng, shape, 3)[pit]
    cover[(depth > -0.10) & ~pit] = SOIL
    pond = 1 - np.hypot((row - 633) / 20, (col - 100) / 26) + 0.12 * smooth_noise(rng, shape, 12) > 0
    cover[pond] = WATER
    height[pond] = height[pond].min()
    field[pond] = 0
    heap = 1 - np.hypot((row - 728) / 34, (col - 165) / 28) + 0.1 * smooth_noise(rng, shape, 14)
    cover[heap > 0] = QUARRY
    height[heap > 0] += 14 * heap[heap > 0]


def _build_town(
    rng: np.random.Generator, row: FloatGrid, col: FloatGrid, cover: NDArray[np.uint8], height: FloatGrid
) -> None:
    """Streets on a turned grid, gabled houses in gardens along them, flat-roofed halls with a yard at one end."""
    turned_row, turned_col = _turn(row - 350, col - 570, -9)
    town = 1 - np.maximum(np.abs(turned_row) / 150, np.abs(turned_col) / 118) ** 2 > 0
    town &= cover != WATER
    cover[town] = GREEN
    height[town] = np.median(height[town]) + 0.2 * (height[town] - np.median(height[town]))
    trees = town & (smooth_noise(rng, cover.shape, 5) > 1.75)
    cover[trees] = WOOD
    height[trees] += 8
    street = (np.abs(np.mod(turned_row + 30, 60) - 30) < 3.5) | (np.abs(np.mod(turned_col + 59, 118) - 59) < 4)
    cover[town & street] = ASPHALT
    height[town & street] = np.median(height[town & street])
    for centre_row in np.arange(-135, 150, 30.0):
        for centre_col in np.arange(-105, 112, 17.0):
            on_cross_street = abs(abs(centre_col) - 59) < 11
            if on_cross_street or rng.random() < 0.12:
                continue
            along = turned_row - centre_row - rng.normal(0, 0.9)
            across = turned_col - centre_col - rng.normal(0, 0.9)
            hall = bool(centre_row > 85 and centre_col > 0)
            _build_house(rng, along, across, town, hall, cover, height)


def _build_house(
    rng: np.random.Generator,
    along: FloatGrid,
    across: FloatGrid,
    town: Mask,
    hall: bool,
    cover: NDArray[np.uint8],
    height: FloatGrid,
) -> None:
    half_along, half_across = rng.uniform(4.5, 6.0), rng.uniform(5.5, 7.0)
    if hall:
        half_along, half_across = 11.0, 8.6
    inside = town & (np.abs(along) < half_along) & (np.abs(across) < half_across)
    if hall:
        cover[inside] = ASPHALT  # bitumen sheeting
        height[inside] += 8
        return
    cover[inside] = ROOF
    height[inside] += (4.5 + 0.75 * (half_along - np.abs(along)))[inside]


def _lay_roads(row: FloatGrid, col: FloatGrid, cover: NDArray[np.uint8], height: FloatGrid) -> None:
    """A country road over the river into the town and out again, and a track to the quarry."""
    country = 425 - 0.16 * col + 22 * np.sin(col / 90)
    road = np.abs(row - country) < 5.0
    track = 172 + 24 * np.sin((row - 420) / 55)
    road |= (np.abs(col - track) < 3.2) & (row > country) & (row < 585)
    road &= cover != ROOF
    cover[road] = ASPHALT
    # A road is level across; the bridge deck stands above the water.
    height[road] = np.percentile(height[road], 60)
