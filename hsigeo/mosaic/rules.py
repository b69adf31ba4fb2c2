"""Which line a pixel of a mosaic is taken from, where several cover it.

Each rule is a few lines, and each has its truth table in the tests. Four give every line a score for every pixel, and
the highest wins; a score that is not known (NaN) never beats one that is, and of equals the line given first wins. The
fifth, mean probability, does not choose a line but a class: the one whose probability, averaged over the lines, is
highest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import OutputError
from hsigeo.lines.mapped_line import MappedLine

__all__ = ["Rule", "choose_rule", "is_better", "lacks", "most_probable", "score_by_centre", "score_by_zenith"]

Scores = NDArray[np.float32]


class Rule(StrEnum):
    """How overlaps are decided, from the one that knows most to the one that needs nothing."""

    PROBABILITY = "probability"
    CONFIDENCE = "confidence"
    ZENITH = "zenith"
    CENTRE = "centre"
    ORDER = "order"


WHAT_IT_DOES = {
    Rule.PROBABILITY: "the class whose probability, averaged over the lines, is highest",
    Rule.CONFIDENCE: "the line with the highest confidence",
    Rule.ZENITH: "the line with the smallest view zenith angle",
    Rule.CENTRE: "the line whose centre is nearest",
    Rule.ORDER: "the line that was given first",
}

_NEEDS: dict[Rule, tuple[str, Callable[[MappedLine], bool]]] = {
    Rule.PROBABILITY: ("NAME_probabilities.tif beside it", lambda line: line.probabilities is not None),
    Rule.CONFIDENCE: (
        "NAME_confidence.tif or NAME_probabilities.tif beside it",
        lambda line: line.confidence is not None or line.probabilities is not None,
    ),
    Rule.ZENITH: ("file with view angles", lambda line: line.observation is not None),
}


def lacks(lines: Sequence[MappedLine], rule: Rule) -> list[str]:
    """Names of the lines that do not have what a rule needs."""
    if rule not in _NEEDS:
        return []
    _, has = _NEEDS[rule]
    return [line.name for line in lines if not has(line)]


def choose_rule(lines: Sequence[MappedLine], wanted: Rule | None = None) -> tuple[Rule, list[str]]:
    """The rule asked for, else the first that all lines have what it needs for.

    One rule for all lines, because a mosaic in which each pair of lines meets by another rule means nothing.

    Returns
    -------
    rule
    notes
        Why a better one is not used, where only some lines lack what it needs.

    Raises
    ------
    OutputError
        Lines lack what the rule asked for needs.
    """
    if wanted is not None:
        missing = lacks(lines, wanted)
        if missing:
            raise OutputError(
                f"the rule {wanted} needs for every line a {_NEEDS[wanted][0]}; {len(missing)} of {len(lines)} have "
                f"none: {', '.join(missing[:5])}"
            )
        return wanted, []
    notes: list[str] = []
    for rule in Rule:
        missing = lacks(lines, rule)
        if not missing:
            return rule, notes
        if len(missing) < len(lines):
            notes.append(
                f"the rule {rule} is not used: {len(missing)} of {len(lines)} lines have no {_NEEDS[rule][0]} "
                f"({', '.join(missing[:5])})"
            )
    return Rule.ORDER, notes


def score_by_zenith(zenith: NDArray[Any]) -> Scores:
    """The steeper, the better: straight down is 0."""
    return np.asarray(-zenith, dtype=np.float32)


def score_by_centre(distance: NDArray[Any]) -> Scores:
    """The nearer to the centre line, the better, on whichever side."""
    return np.asarray(-np.abs(distance), dtype=np.float32)


def is_better(score: Scores, best: Scores, covered: NDArray[np.bool_], taken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a line takes a pixel over from those before it.

    Parameters
    ----------
    score, best : (y, x)
        Of this line, and the best so far. NaN is "not known".
    covered, taken : (y, x)
        Where this line says something, and where one before it did.
    """
    known, known_before = np.isfinite(score), np.isfinite(best)
    with np.errstate(invalid="ignore"):
        higher = known & (~known_before | (score > best))
    return np.asarray(covered & (~taken | higher))


def most_probable(sums: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Position of the class with the highest mean, from 1; 0 where no line says anything.

    Parameters
    ----------
    sums : (class, y, x)
        Probabilities added over the lines that cover a pixel. Dividing by their number would not change the order.
    covered : (y, x)
        Where any line does.
    """
    position: NDArray[np.int64] = np.where(covered, np.argmax(sums, axis=0) + 1, 0)  # of equals the first
    return position
