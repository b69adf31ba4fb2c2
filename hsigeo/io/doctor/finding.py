"""A finding of the header doctor: the problem, its evidence and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a file, or might be.

    Parameters
    ----------
    code
        A short name for programs, such as ``byte-order``.
    severity
        ``error``: what is read is not what was measured, or nothing can be read. ``warning``: maps suffer.
        ``note``: good to know.
    message
        What is the matter, with the values that show it.
    remedy
        What would do.
    changes
        ENVI header fields that would correct it, as ``key → value``; `None` takes a field away. Empty where no
        header can help.
    """

    code: str
    severity: Severity
    message: str
    remedy: str = ""
    changes: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "remedy": self.remedy,
            "changes": dict(self.changes),
        }

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message
