"""Accuracy and class areas that allow for the map's errors and for how the sample was drawn.

The number of map pixels of a class is a biased estimate of its area: what the map takes for something else is missing,
what it takes wrongly is too much. With a random sample of reference pixels, drawn from each mapped class (stratified)
or from the whole map, both can be corrected. The estimators and their standard errors are those of Olofsson et al.
2014, "Good practices for estimating area and assessing accuracy of land change", Remote Sens. Environ. 148, 42-57,
section 4. Their rows are map classes; here, as everywhere in hsigeo, rows are reference classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.intervals import LEVEL, Z
from hsigeo.metrics import none_if_nan

__all__ = ["FEWEST", "AreaEstimate", "estimate_areas"]

FEWEST = 2
"""Sample pixels a mapped class needs: of a single one no variance can be estimated."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaEstimate:
    """Area-adjusted figures; each standard error belongs to the figure before it.

    Parameters
    ----------
    names
        Class names.
    unit
        Of the areas: ``ha`` or ``pixels``.
    mapped
        (class,) area on the map.
    area, area_error
        (class,) error-adjusted area, whose sum is that of the map.
    overall, overall_error
        Share of the mapped area that is right.
    precision, precision_error
        (class,) user's accuracy; NaN for classes that the map does not show.
    recall, recall_error
        (class,) producer's accuracy, by area; NaN for classes without any estimated area.
    """

    names: tuple[str, ...]
    unit: str
    mapped: FloatArray
    area: FloatArray
    area_error: FloatArray
    overall: float
    overall_error: float
    precision: FloatArray
    precision_error: FloatArray
    recall: FloatArray
    recall_error: FloatArray

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; NaN becomes `None`. Half widths are of 95 % intervals."""
        rows = zip(
            self.names,
            *(
                values.tolist()
                for values in (
                    self.mapped,
                    self.area,
                    Z * self.area_error,
                    self.precision,
                    Z * self.precision_error,
                    self.recall,
                    Z * self.recall_error,
                )
            ),
            strict=True,
        )
        keys = ("mapped", "area", "area_half_width", "precision", "precision_half_width", "recall", "recall_half_width")
        return {
            "method": "Olofsson et al. 2014, stratified by mapped class",
            "level": LEVEL,
            "unit": self.unit,
            "overall_accuracy": self.overall,
            "overall_accuracy_half_width": Z * self.overall_error,
            "classes": [
                {"name": name, **{key: none_if_nan(value) for key, value in zip(keys, values, strict=True)}}
                for name, *values in rows
            ],
        }


def estimate_areas(
    confusion: NDArray[np.int64], mapped: NDArray[Any], *, names: tuple[str, ...], unit: str = "ha"
) -> AreaEstimate:
    """Estimate areas and accuracies from a sample confusion matrix and the areas on the map.

    Parameters
    ----------
    confusion : (reference class, mapped class)
        Counts of sample pixels, each drawn at random within its mapped class.
    mapped : (class,)
        Area of each class on the map, any unit.
    names, unit
        Of the classes; of `mapped`.

    Raises
    ------
    ValueError
        Shapes do not fit, the map shows nothing, or a class that it shows has fewer than `FEWEST` sample pixels.
    """
    counts, areas = np.asarray(confusion, dtype=np.float64).T, np.asarray(mapped, dtype=np.float64)
    if counts.shape != (len(names), len(names)) or areas.shape != (len(names),):
        raise ValueError(f"{len(names)} classes need a square matrix and as many areas, not {confusion.shape}")
    drawn = counts.sum(axis=1)  # (map class,)
    if poor := [name for name, n, area in zip(names, drawn, areas, strict=True) if area > 0 and n < FEWEST]:
        raise ValueError(f"{', '.join(poor)}: mapped, but with fewer than {FEWEST} reference pixels on it")
    total = float(areas.sum())
    if not total > 0:
        raise ValueError("the map shows none of the classes")
    # Rows are map classes from here on, as in the paper. What is not mapped has no weight, and no share either.
    shares = np.divide(counts, drawn[:, None], out=np.zeros_like(counts), where=drawn[:, None] > 0)
    weights = areas / total
    spread = shares * (1 - shares) / np.maximum(drawn - 1, 1)[:, None]  # variance of each share
    right, right_spread = np.diagonal(shares), np.diagonal(spread)
    area = areas @ shares
    precision = np.where(areas > 0, right, np.nan)
    recall = np.divide(areas * right, area, out=np.full(len(names), np.nan), where=area > 0)
    elsewhere = (areas[:, None] ** 2 * spread).sum(axis=0) - areas**2 * right_spread
    variance = (areas * (1 - recall)) ** 2 * right_spread + recall**2 * elsewhere
    return AreaEstimate(
        names=names,
        unit=unit,
        mapped=areas,
        area=area,
        area_error=total * np.sqrt((weights[:, None] ** 2 * spread).sum(axis=0)),
        overall=float(weights @ right),
        overall_error=float(np.sqrt((weights**2 * right_spread).sum())),
        precision=precision,
        precision_error=np.where(areas > 0, np.sqrt(right_spread), np.nan),
        recall=recall,
        recall_error=np.divide(np.sqrt(np.maximum(variance, 0)), area, out=np.full(len(names), np.nan), where=area > 0),
    )
