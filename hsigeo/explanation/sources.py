"""Where the scene and the model of an explanation are: given, or named by the map.

Maps are untrusted: files they name are only opened, as a scene or a model, never written. If a named file does not
exist, one of the same name beside the map is used, since maps are moved together with their scenes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsigeo.io.class_raster import open_map

__all__ = ["Sources", "find_named", "find_sources"]

ABOVE = 3


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Paths of a scene and a model.

    Parameters
    ----------
    scene, model
        `None` where nothing says.
    model_digest
        Of the model that made the map; empty where there is no map, or it does not say.
    """

    scene: str | None
    model: str | None
    model_digest: str = ""


def find_sources(subject: str, *, scene: str | None = None, model: str | None = None) -> Sources:
    """The scene and model of a model or map file; what is given goes before what the map names.

    Raises
    ------
    LabelError
        The file is neither a model (by its ending) nor a class map.
    """
    if Path(subject).suffix.casefold() == ".safetensors":
        return Sources(scene=scene, model=model or subject)
    metadata = open_map(subject).metadata
    return Sources(
        scene=scene or find_named(metadata, "scene", subject),
        model=model or find_named(metadata, "model", subject),
        model_digest=_text(metadata, "model_sha256"),
    )


def find_named(metadata: Mapping[str, Any], key: str, subject: str) -> str | None:
    """The path in the metadata: as it is, from the map's folder or one of `ABOVE` above it, or beside the map.

    A path is from where the command ran that made the map, which often was a folder or two above it. The first that is
    there is taken; the path as it is where none is.
    """
    name = _text(metadata, key)
    if not name or not _is_a_name(name):
        return None
    home = Path(subject).absolute().parent
    candidates = [Path(name), *(folder / name for folder in (home, *home.parents[:ABOVE])), home / Path(name).name]
    return next((str(path) for path in candidates if _is_there(path)), name)


def _text(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long a name, or a folder that may not be looked into
        return False


def _is_a_name(text: str) -> bool:
    """Whether a file can be called so: JSON may spell what no file system can."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
