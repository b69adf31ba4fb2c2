"""Accuracy of a class map against reference labels, from the confusion matrix.

Rows are reference classes, columns are what the map says. One more column counts reference pixels on which the map
says nothing (0: nodata or unclassified). They count neither for nor against it; but as a map could look good by saying
little, the share of the reference it does speak about is stated beside every figure, as coverage.

Names and formulas follow Congalton and Green, "Assessing the Accuracy of Remotely Sensed Data" (3rd ed., 2019), chapter
5: producer's accuracy is recall, user's accuracy is precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accuracy", "confusion_matrix", "none_if_nan"]

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]


def confusion_matrix(reference: NDArray[np.integer[Any]], mapped: NDArray[np.integer[Any]], count: int) -> Counts:
    """Count pixels by reference class and mapped class.

    Parameters
    ----------
    reference, mapped : (pixel,) integer
        Class positions from 1 to `count`; 0 is unlabelled or unclassified.
    count
        Number of classes.

    Returns
    -------
    (reference class, mapped class or unclassified) int64, shape ``(count, count + 1)``
        The last column holds the reference pixels that the map leaves unclassified. Pixels without a reference are
        not counted at all.

    Raises
    ------
    ValueError
        The arrays differ in shape, or hold a position outside 0 to `count`.

    Examples
    --------
    >>> import numpy as np
    >>> confusion_matrix(np.array([1, 1, 2, 2, 0]), np.array([1, 2, 2, 0, 1]), 2)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    if reference.shape != mapped.shape:
        raise ValueError(f"reference has shape {reference.shape}, map {mapped.shape}")
    for name, values in (("reference", reference), ("map", mapped)):
        if values.size and not 0 <= values.min() <= values.max() <= count:
            raise ValueError(f"{name} holds positions from {values.min()} to {values.max()}; {count} classes are known")
    labelled = reference > 0
    row = reference[labelled].astype(np.int64) - 1
    column = np.where(mapped[labelled] > 0, mapped[labelled].astype(np.int64) - 1, count)
    flat = np.bincount(row * (count + 1) + column, minlength=count * (count + 1))
    return flat.reshape(count, count + 1).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Accuracy:
    """How well a map agrees with reference labels.

    A ratio without a denominator is NaN (``null`` in JSON): the precision of a class the map never shows, the recall of
    one that the reference never shows. Means over classes leave NaN out.

    Parameters
    ----------
    names
        Class names, in the order of rows and columns.
    confusion
        (reference class, mapped class or unclassified) pixel counts, as `confusion_matrix` gives them.

    Raises
    ------
    ValueError
        The matrix does not have one row for each class and one more column.
    """

    names: tuple[str, ...]
    confusion: Counts

    def __post_init__(self) -> None:
        if self.confusion.shape != (len(self.names), len(self.names) + 1):
            raise ValueError(f"{len(self.names)} classes need one row each and one more column; {self.confusion.shape}")

    @property
    def total(self) -> int:
        """Number of reference pixels that the map classifies: those that count."""
        return int(self.confusion[:, :-1].sum())

    @property
    def support(self) -> Counts:
        """(class,) reference pixels of each class that the map classifies."""
        counts: Counts = self.confusion[:, :-1].sum(axis=1)
        return counts

    @property
    def mapped(self) -> Counts:
        """(class,) reference pixels that the map gives to each class."""
        counts: Counts = self.confusion[:, :-1].sum(axis=0)
        return counts

    @property
    def unclassified(self) -> Counts:
        """(class,) reference pixels of each class on which the map says nothing; they do not count."""
        return self.confusion[:, -1]

    @property
    def correct(self) -> Counts:
        """(class,) reference pixels that the map gives to their class."""
        return np.diagonal(self.confusion)

    @property
    def coverage(self) -> float:
        """Share of the reference pixels that the map classifies at all."""
        return _ratio(self.total, int(self.confusion.sum()))

    @property
    def overall(self) -> float:
        """Overall accuracy: the share of classified reference pixels that the map gives to their class."""
        return _ratio(int(self.correct.sum()), self.total)

    @property
    def recall(self) -> FloatArray:
        """(class,) producer's accuracy: of the reference pixels of a class, the share mapped as such."""
        return _ratios(self.correct, self.support)

    @property
    def precision(self) -> FloatArray:
        """(class,) user's accuracy: of the reference pixels mapped as a class, the share that is of it."""
        return _ratios(self.correct, self.mapped)

    @property
    def f1(self) -> FloatArray:
        """(class,) harmonic mean of precision and recall, 2·correct / (support + mapped)."""
        return _ratios(2 * self.correct, self.support + self.mapped)

    @property
    def average(self) -> float:
        """Average accuracy: mean recall of the classes that the reference shows."""
        return _mean(self.recall)

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that the reference or the map shows."""
        return _mean(self.f1)

    @property
    def kappa(self) -> float:
        """Cohen's kappa, (p_o - p_e) / (1 - p_e), over the classified reference pixels.

        Its agreement by chance p_e is of little meaning for maps (Pontius and Millones 2011, "Death to Kappa"); it is
        here because reviewers ask for it. NaN where reference and map show one and the same single class.
        """
        if not self.total:
            return math.nan
        observed = self.correct.sum() / self.total
        expected = float((self.support / self.total) @ (self.mapped / self.total))
        return math.nan if expected == 1 else float((observed - expected) / (1 - expected))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; NaN becomes `None`."""
        per_class = zip(
            self.names,
            self.support.tolist(),
            self.mapped.tolist(),
            self.unclassified.tolist(),
            self.precision.tolist(),
            self.recall.tolist(),
            self.f1.tolist(),
            strict=True,
        )
        return {
            "pixels": self.total,
            "overall_accuracy": none_if_nan(self.overall),
            "average_accuracy": none_if_nan(self.average),
            "kappa": none_if_nan(self.kappa),
            "macro_f1": none_if_nan(self.macro_f1),
            "coverage": none_if_nan(self.coverage),
            "classes": [
                {
                    "name": name,
                    "reference_pixels": support,
                    "mapped_pixels": mapped,
                    "unclassified_pixels": unclassified,
                    "precision": none_if_nan(precision),
                    "recall": none_if_nan(recall),
                    "f1": none_if_nan(f1),
                }
                for name, support, mapped, unclassified, precision, recall, f1 in per_class
            ],
            "confusion_matrix": {
                "rows": "reference",
                "columns": "map",
                "row_names": list(self.names),
                "column_names": [*self.names, UNCLASSIFIED_COLUMN],
                "pixels": self.confusion.tolist(),
            },
        }


UNCLASSIFIED_COLUMN = "(unclassified)"
"""Heading of the last column, in brackets so that no class has the same name by chance."""


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _ratios(part: Counts, whole: Counts) -> FloatArray:
    result = np.full(len(whole), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def _mean(values: Sequence[float] | FloatArray) -> float:
    known = np.asarray(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def none_if_nan(value: float) -> float | None:
    """What is not known, as JSON has it.

    >>> none_if_nan(0.5), none_if_nan(math.nan)
    (0.5, None)
    """
    return None if math.isnan(value) else value
