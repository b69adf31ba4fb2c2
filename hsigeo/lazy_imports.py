"""Names of a package that are imported when they are first used, so that importing the package stays fast."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A module-level ``__getattr__`` (PEP 562) for a package.

    Parameters
    ----------
    package
        Its ``__name__``.
    homes
        Public name → the module that defines it.

    Returns
    -------
    Callable
        It raises `AttributeError` for any other name, as a module does.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return find
