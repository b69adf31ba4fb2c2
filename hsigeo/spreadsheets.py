"""What is written into CSV files that people open in a spreadsheet."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["harmless"]

_BEGIN_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = TypeVar("Cell")


def harmless(cell: Cell) -> Cell | str:
    """A cell as it is, but a text that a spreadsheet would run as a formula after an apostrophe, which it hides.

    Names of classes and files come from whoever made them.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_BEGIN_A_FORMULA) else cell
