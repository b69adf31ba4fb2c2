"""Ranges of band numbers as text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["describe_bands"]


def describe_bands(numbers: Sequence[int]) -> str:
    """Band numbers with runs joined.

    >>> describe_bands([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9-10'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
