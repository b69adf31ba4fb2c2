"""What lies around the maps of a folder and may be about one of them: evaluations, comparisons of lines, the manifest.

Read once for all maps of the folder: a campaign of 500 lines has as many evaluations, of which each line wants its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsigeo.model import Model

__all__ = ["Surroundings", "read_json"]

LARGEST_JSON = 64 << 20
MOST_FILES = 20_000
"""JSON files of a folder that are looked into, and folders in it; a campaign has one or two for each line."""


class Surroundings:
    """A folder of maps, read as far as somebody asks for it.

    Parameters
    ----------
    folder
        Of the maps.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def load_model(self) -> Callable[[str], Model]:
        """Loads a model; the last one is remembered, for most lines have the same."""
        from hsigeo.model import load_model

        return lru_cache(maxsize=1)(load_model)

    @cached_property
    def comparisons(self) -> tuple[tuple[Path, object], ...]:
        """What `hsigeo agree` may have written, in the folder and in those just below it; with where it lies."""
        below = [path / "agreement.json" for path in self._listing if path.is_dir()][:MOST_FILES]
        paths = [path for path in (self.folder / "agreement.json", *below) if path.is_file()]
        return tuple((path, read_json(path)) for path in paths)

    @cached_property
    def jobs(self) -> dict[str, Mapping[str, Any]]:
        """The entries of the campaign's manifest, by line; untrusted, like everything here."""
        document = read_json(self.folder / "manifest.json")
        if not isinstance(document, Mapping) or document.get("format") != "hsigeo campaign":
            return {}
        lines = document.get("lines")
        found = lines.items() if isinstance(lines, Mapping) else ()
        return {str(line): entry for line, entry in found if isinstance(entry, Mapping)}

    def job_of(self, map_name: str) -> Mapping[str, Any]:
        """What the manifest says of a finished map; empty where it says nothing."""
        return self._jobs_by_map.get(map_name, {})

    def evaluations_of(self, map_name: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The JSON files that say they are about a map, those first whose names speak of accuracy or evaluation."""
        for path in self._evaluations.get(map_name, ()):
            document = read_json(path)
            if isinstance(document, Mapping):
                yield path, document

    def has_other_maps(self, map_name: str) -> bool:
        """Whether there are maps of other lines."""
        return any(path.name.endswith("_map.tif") and path.name != map_name for path in self._listing)

    @cached_property
    def _jobs_by_map(self) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for entry in self.jobs.values():
            match entry:
                case {"status": "done", "outputs": {"map": str(name)}}:
                    found.setdefault(Path(name).name, entry)
        return found

    @cached_property
    def _evaluations(self) -> dict[str, list[Path]]:
        paths = [path for path in self._listing if path.suffix == ".json" and not path.name.endswith(".stac.json")]
        paths.sort(key=lambda path: (not any(word in path.name for word in ("accuracy", "evaluation")), path.name))
        found: dict[str, list[Path]] = {}
        for path in paths[:MOST_FILES]:
            document = read_json(path)
            if isinstance(document, Mapping) and isinstance(name := document.get("map"), str):
                found.setdefault(Path(name).name, []).append(path)
        return found

    @cached_property
    def _listing(self) -> list[Path]:
        try:
            return sorted(self.folder.iterdir())
        except OSError:  # a folder that may not be looked into holds nothing for us
            return []


def read_json(path: Path) -> object:
    """What a file holds; `None` where that is no JSON, or too much of it."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_JSON:
            return None
        document: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document
