"""What was tried for the default and dropped, kept so that it can be measured again."""

from __future__ import annotations

from hsigeo.training.components import Component

__all__ = ["DROPPED"]

DROPPED: tuple[Component, ...] = ()
