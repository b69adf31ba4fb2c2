"""How work that takes a while says how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

Progress = Callable[[int, int], None]
"""Called with (done, total) after each step; in what they are counted, the function says that takes it."""
