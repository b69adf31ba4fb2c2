"""What a map says about itself, as JSON in one dataset tag: the TIFF alone is enough to know its classes and origin."""

from __future__ import annotations

import json
from typing import Any

from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError

__all__ = ["TAG", "add_unknown_pixels", "make_tag", "read_tag"]

TAG = "HSIGEO"
_FORMAT = 1


def make_tag(classes: ClassTable, metadata: Any) -> str:
    """The text of the tag.

    Raises
    ------
    OutputError
        The metadata holds what JSON cannot.
    """
    document = {"format": _FORMAT, "classes": classes.to_json(), "metadata": metadata}
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OutputError(f"the result's metadata cannot be written as JSON: {error}") from error


def add_unknown_pixels(text: str, pixels: int) -> str:
    """The tag of a map that leaves unknown pixels unclassified, with how many there turned out to be."""
    document = json.loads(text)
    document["metadata"].setdefault("unknown", {})["pixels"] = pixels
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def read_tag(text: str | None) -> tuple[ClassTable, dict[str, Any]] | None:
    """Class table and metadata; `None` where there is no tag, or no valid one: tags are untrusted."""
    if text is None:
        return None
    try:
        document = json.loads(text)
        classes = ClassTable.from_json(document["classes"])
        metadata = document.get("metadata")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return classes, metadata if isinstance(metadata, dict) else {}
