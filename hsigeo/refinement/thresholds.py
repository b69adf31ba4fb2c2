"""The confidence a pixel needs to keep its class: one threshold for all classes, or one per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError
from hsigeo.refinement.changes import number_classes

__all__ = ["NO_THRESHOLDS", "Thresholds", "parse_thresholds"]


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Least probabilities; none by default.

    Parameters
    ----------
    everywhere
        Of every class that is not named.
    of_classes
        (name or id of a class of the new map, its least probability), which may be 0.

    Raises
    ------
    ValueError
        A probability is out of range, or a class is named twice.
    """

    everywhere: float | None = None
    of_classes: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.everywhere is not None and not 0 < self.everywhere <= 1:
            raise ValueError(f"a threshold is a probability between 0 and 1; {self.everywhere:g} is not")
        for name, least in self.of_classes:
            if not 0 <= least <= 1:
                raise ValueError(f"a threshold is a probability between 0 and 1; {least:g}, for {name!r}, is not")
        names = [name for name, _ in self.of_classes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"class {twice[0]!r} has two thresholds; give one")

    def __bool__(self) -> bool:
        return self.everywhere is not None or bool(self.of_classes)

    def by_id(self, classes: ClassTable) -> NDArray[np.float32]:
        """(1 + largest id,) least probability of each class of the new map; -inf where there is none.

        As float32, like the probabilities: 0.9 must not be more than the 0.9 that is stored.

        Raises
        ------
        LabelError
            A name is that of no class, or two stand for the same.
        """
        general = -np.inf if self.everywhere is None else self.everywhere
        least = np.full(max(classes.ids, default=0) + 1, general, dtype=np.float32)
        least[0] = -np.inf
        numbers = number_classes(classes)
        named: dict[int, str] = {}
        for name, value in self.of_classes:
            number = numbers.get(name)
            if number is None:
                known = ", ".join(classes.names)
                raise LabelError(f"no class {name!r} for a threshold; the new map has {known:.200}")
            if number in named:
                raise LabelError(f"{named[number]!r} and {name!r} are one class; give it one threshold")
            named[number] = name
            least[number] = value
        return least

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        everywhere = {} if self.everywhere is None else {"threshold": self.everywhere}
        return everywhere | ({"thresholds": dict(self.of_classes)} if self.of_classes else {})


NO_THRESHOLDS = Thresholds()


def parse_thresholds(texts: Sequence[str]) -> Thresholds:
    """Thresholds from ``0.6`` and ``water=0.9``; what comes after the last equals sign is the number.

    Raises
    ------
    ValueError
        A text is no threshold, or contradicts another.
    """
    everywhere: list[float] = []
    of_classes = []
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            least = float(number)
        except ValueError as error:
            raise ValueError(
                f"{text!r} is not a threshold; give a probability (0.6), or that of a class (NAME=0.9)"
            ) from error
        if equals and not name.strip():
            raise ValueError(f"{text!r} names no class; write NAME=0.9")
        if equals:
            of_classes.append((name.strip(), least))
        else:
            everywhere.append(least)
    if len(everywhere) > 1:
        raise ValueError(f"{len(everywhere)} thresholds for all classes; give one, and NAME=P for single classes")
    return Thresholds(everywhere=everywhere[0] if everywhere else None, of_classes=tuple(of_classes))
