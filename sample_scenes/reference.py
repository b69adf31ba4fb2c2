"""What people know of the landscape: polygons digitised for training, and points visited for validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from affine import Affine
from landscape import CLASSES, Landscape
from numpy.typing import NDArray
from rasterio.warp import transform as transform_points
from sensor import METRES_PER_PIXEL, pure_share

__all__ = ["Feature", "make_training_polygons", "make_validation_points", "write_features"]

POLYGONS_PER_CLASS = 9
POINTS_PER_CLASS = 60
SMALLEST_RADIUS, LARGEST_RADIUS = 3, 11
"""Metres. Nobody digitises whole fields: a dozen pixels a polygon is what a day in the field gives."""

SCENE_CRS = "EPSG:32633"
FILE_CRS = "EPSG:4326"
"""Not the scenes' CRS, as with most reference data."""

Mask = NDArray[np.bool_]


COLORS = {
    "Asphalt": "#666666",
    "Bare soil": "#8c510a",
    "Clay tile roof": "#d7301f",
    "Crops and lawns": "#a6d96a",
    "Dry grass": "#dfc27d",
    "Kaolin quarry": "#fee8c8",
    "Wald (Laubbäume)": "#1a6b2f",
    "Water": "#3182bd",
}
"""Close to what the classes look like; hsigeo takes them from the training polygons into model and map."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A point or polygon with its class; coordinates are (x, y) in pixels of the landscape."""

    name: str
    geometry: shapely.Geometry


def make_training_polygons(rng: np.random.Generator, landscape: Landscape, seen: Mask) -> list[Feature]:
    """Small polygons well inside patches of one cover, drawn with an unsteady hand, apart from each other."""
    side = METRES_PER_PIXEL
    visible = np.kron(_shrink(seen, 2), np.ones((side, side), dtype=bool))
    features: list[Feature] = []
    for name, number in CLASSES.items():
        depth = _depth(visible & (landscape.cover == number), LARGEST_RADIUS)
        for count in range(POLYGONS_PER_CLASS):
            row, col = _pick_place(rng, depth, east=count % 2 == 1)
            features.append(Feature(name=name, geometry=_outline(rng, col, row, 0.95 * depth[row, col])))
            depth[max(0, row - 25) : row + 26, max(0, col - 25) : col + 26] = 0
    return features


def make_validation_points(
    rng: np.random.Generator, landscape: Landscape, seen: Mask, polygons: list[Feature]
) -> list[Feature]:
    """Random pixels, equally many per class of their dominant cover, at least a pixel away from every polygon."""
    share = pure_share(landscape)
    dominant = share.argmax(axis=0)
    free = _shrink(seen, 1)
    taken = shapely.union_all([feature.geometry for feature in polygons]).buffer(1.5)
    rows, cols = np.indices(free.shape)
    free &= ~shapely.contains_xy(taken, cols + 0.5, rows + 0.5)
    features = []
    for index, name in enumerate(CLASSES):
        candidates = np.argwhere(free & (dominant == index) & (share[index] > 0.6))
        for row, col in rng.choice(candidates, size=POINTS_PER_CLASS, replace=False):
            offset = rng.uniform(0.25, 0.75, 2)
            features.append(Feature(name=name, geometry=shapely.Point(col + offset[0], row + offset[1])))
    return features


def write_features(path: Path, features: list[Feature], transform: Affine) -> None:
    """Write features with the text fields ``class`` and ``color``, placed on the Earth.

    Raises
    ------
    pyogrio.errors.DataSourceError
        The file cannot be written.
    """

    def place(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x = transform.a * points[:, 0] + transform.b * points[:, 1] + transform.c
        y = transform.d * points[:, 0] + transform.e * points[:, 1] + transform.f
        return np.column_stack(transform_points(SCENE_CRS, FILE_CRS, x, y)).round(8)

    path.unlink(missing_ok=True)
    # GeoPackage records when it was written; a fixed date keeps the file the same from run to run.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-06-11T00:00:00.000Z"})
    try:
        pyogrio.raw.write(
            path,
            geometry=shapely.to_wkb([shapely.transform(feature.geometry, place) for feature in features]),
            field_data=[
                np.array([feature.name for feature in features], dtype=object),
                np.array([COLORS[feature.name] for feature in features], dtype=object),
            ],
            fields=["class", "color"],
            geometry_type=features[0].geometry.geom_type,
            crs=FILE_CRS,
            driver="GPKG",
            layer=path.stem,
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _pick_place(rng: np.random.Generator, depth: NDArray[np.int64], *, east: bool) -> tuple[int, int]:
    """A place deep inside a patch: people digitise where they are sure. East and west in turn, where both have any."""
    half = np.zeros_like(depth)
    columns = slice(depth.shape[1] // 2, None) if east else slice(None, depth.shape[1] // 2)
    half[:, columns] = depth[:, columns]
    if half.max() < SMALLEST_RADIUS:
        half = depth
    if half.max() < SMALLEST_RADIUS:
        raise RuntimeError("the landscape has too few patches of some class for the polygons wanted")
    rows, cols = np.nonzero(half >= max(SMALLEST_RADIUS, np.quantile(half[half > 0], 0.9)))
    pick = rng.integers(rows.size)
    return int(rows[pick]), int(cols[pick])


def _outline(rng: np.random.Generator, col: int, row: int, radius: float) -> shapely.Polygon:
    """An irregular octagon around a square metre, in pixels."""
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False) + rng.uniform(0, 0.6)
    length = radius * rng.uniform(0.8, 1.05, 8)
    x = (col + 0.5 + length * np.cos(angle)) / METRES_PER_PIXEL
    y = (row + 0.5 + length * np.sin(angle)) / METRES_PER_PIXEL
    return shapely.Polygon(np.column_stack([x, y]))


def _shrink(mask: Mask, steps: int) -> Mask:
    for _ in range(steps):
        padded = np.pad(mask, 1)
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask


def _depth(mask: Mask, limit: int) -> NDArray[np.int64]:
    """How many steps each cell lies inside its patch, up to a limit."""
    depth = mask.astype(np.int64)
    for _ in range(limit - 1):
        mask = _shrink(mask, 1)
        depth += mask
    return depth
