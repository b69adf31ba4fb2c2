"""What belongs to a map: its scene, model, confidence, evaluation and agreement; found, checked, or said to be missing.

The map may come from anybody, so what it names is only ever opened for reading, as what it is said to be. And it may
have been made anew since: a scene, model or evaluation is only used if its digest is the one that the map knows, for a
page that explains another model's map is worse than one that explains nothing. What the user names and is not the map's
is an error; what was found by name and is not the map's is left out, and the page says so.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsigeo.errors import HsigeoError, LabelError, ModelError, SceneError
from hsigeo.explanation.sources import find_named
from hsigeo.fingerprint import fingerprint
from hsigeo.io.class_raster import ClassRaster, open_map
from hsigeo.io.cube import Cube
from hsigeo.io.cube_reader import open_cube
from hsigeo.lines.companions import find_companion, misfit_of
from hsigeo.report.agreement import Agreement, read_agreement
from hsigeo.report.assessment import Evaluation, read_evaluation

if TYPE_CHECKING:
    from hsigeo.model import Model

__all__ = ["Absence", "Belongings", "Given", "find_belongings"]

LARGEST_JSON = 64 << 20
MOST_FILES = 500
"""JSON files of a folder that are looked into; a campaign's folder has one or two for each line."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the user says belongs to the map; `None` for what shall be found.

    Parameters
    ----------
    scene, model, confidence, evaluation
        Files.
    agreement
        ``agreement.json``, or the folder with it.
    reader
        How to read the scene.
    """

    scene: str | None = None
    model: str | None = None
    confidence: str | None = None
    evaluation: str | None = None
    agreement: str | None = None
    reader: str | None = None

    @property
    def files(self) -> list[str]:
        """All that is named."""
        named = (self.scene, self.model, self.confidence, self.evaluation, self.agreement)
        return [path for path in named if path is not None]


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Something that the page does not show.

    Parameters
    ----------
    what
        Is not shown.
    why
        A sentence.
    remedy
        A command, or a part of one, that would change it; may be empty.
    """

    what: str
    why: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Belongings:
    """A map and what belongs to it.

    Parameters
    ----------
    raster
        The map.
    scene, model, confidence, evaluation, agreement
        `None` for what is not there.
    evaluation_path, agreement_path
        Where these were found; empty where they were not.
    job
        What a campaign's manifest says about the map; empty where there is none.
    absences
        What is not there, and why.
    notes
        What could not be checked.
    """

    raster: ClassRaster
    scene: Cube | None
    model: Model | None
    confidence: Path | None
    evaluation: Evaluation | None
    evaluation_path: str
    agreement: Agreement | None
    agreement_path: str
    job: Mapping[str, Any]
    absences: tuple[Absence, ...]
    notes: tuple[str, ...]

    @property
    def files(self) -> list[str]:
        """Everything that is read, which no output may replace."""
        found = [self.raster.path, self.evaluation_path, self.agreement_path, str(self.confidence or "")]
        if self.scene is not None:
            found += [self.scene.header.path, self.scene.header.data_path]
            found += [path for _, path in self.scene.header.companions]
        if self.model is not None:
            found.append(str(self.model.path or ""))
        return [path for path in found if path]


class _Search:
    """Gathers what is missing, and what could not be checked, along the way."""

    def __init__(self, raster: ClassRaster, given: Given) -> None:
        self.raster = raster
        self.given = given
        self.absences: list[Absence] = []
        self.notes: list[str] = []

    def stated(self, key: str) -> str:
        """What the map says about itself, where that is text."""
        value = self.raster.metadata.get(key)
        return value if isinstance(value, str) else ""

    def miss(self, what: str, why: str, remedy: str = "") -> None:
        self.absences.append(Absence(what=what, why=why, remedy=remedy))


def find_belongings(map_path: str, given: Given) -> Belongings:
    """Open a map and what belongs to it.

    Raises
    ------
    LabelError
        It is no class map, or a layer or table that was named does not belong to it.
    SceneError, SceneNotFoundError, ModelError, ModelNotFoundError
        The scene or model that was named cannot be opened, or is not that of the map.
    """
    raster = open_map(map_path)
    search = _Search(raster, given)
    scene = _find_scene(search)
    model = _find_model(search)
    confidence = _find_confidence(search)
    evaluation, evaluation_path = _find_evaluation(search)
    agreement, agreement_path = _find_agreement(search)
    return Belongings(
        raster=raster,
        scene=scene,
        model=model,
        confidence=confidence,
        evaluation=evaluation,
        evaluation_path=evaluation_path,
        agreement=agreement,
        agreement_path=agreement_path,
        job=_find_job(Path(map_path)),
        absences=tuple(search.absences),
        notes=tuple(search.notes),
    )


def _find_scene(search: _Search) -> Cube | None:
    what = "The scene beside the map, and the spectra of the mapped pixels"
    path = search.given.scene or find_named(search.raster.metadata, "scene", search.raster.path)
    if path is None:
        made_of_maps = isinstance(search.raster.metadata.get("lines"), list)
        why = "a mosaic has no scene of its own" if made_of_maps else "the map does not say which scene it is of"
        search.miss(what, why, "" if made_of_maps else "--scene FILE")
        return None
    try:
        cube = open_cube(path, reader=search.given.reader)
        found = fingerprint(cube.header.data_path)
    except (HsigeoError, OSError) as error:
        if search.given.scene is not None:
            raise
        search.miss(what, _reason(error), "--scene FILE")
        return None
    stated = search.stated("scene_fingerprint")
    if stated and found != stated:
        difference = f"{path} is not the scene that the map was made from: its pixels differ ({_short(found)}, not "
        difference += f"{_short(stated)})"
        if search.given.scene is not None:
            raise SceneError(f"{difference}; give the scene as it was, or classify it again")
        search.miss(what, difference, "--scene FILE")
        return None
    if not stated:
        search.notes.append("The map does not say by which digest its scene is known, so that could not be checked.")
    return cube


def _find_model(search: _Search) -> Model | None:
    what = "What each class's decision rests on, and the spectra it was learnt from"
    path = search.given.model or find_named(search.raster.metadata, "model", search.raster.path)
    if path is None:
        search.miss(what, "the map does not say which model made it", "--model FILE")
        return None
    from hsigeo.model import load_model

    try:
        model = load_model(path)
    except HsigeoError as error:
        if search.given.model is not None:
            raise
        search.miss(what, _reason(error), "--model FILE")
        return None
    stated = search.stated("model_sha256")
    if stated and model.digest != stated:
        difference = f"{path} is not the model that made the map ({_short(model.digest)}, not {_short(stated)})"
        if search.given.model is not None:
            raise ModelError(f"{difference}; give that model")
        search.miss(what, difference, "--model FILE")
        return None
    if not stated:
        search.notes.append("The map does not say by which digest its model is known, so that could not be checked.")
    return model


def _find_confidence(search: _Search) -> Path | None:
    raster = search.raster
    if search.given.confidence is not None:
        path = Path(search.given.confidence)
        if misfit := misfit_of(path, raster, "confidence"):
            raise LabelError(f"{path} is not the confidence of {raster.path}: {misfit}")
        return path
    found, notes = find_companion(raster, "confidence")
    if found is not None:
        return found.path
    layer = _beside(raster.path, "_confidence.tif")
    scene = search.stated("scene") or "SCENE"
    remedy = f"hsigeo classify {shlex.quote(scene)} -o {shlex.quote(raster.path)} --confidence {shlex.quote(layer)}"
    why = notes[0] if notes else f"there is no {Path(layer).name} beside the map"
    made_of_maps = isinstance(raster.metadata.get("lines"), list) or "refined" in raster.metadata
    search.miss("How sure the model is, pixel by pixel", why, "--confidence FILE" if made_of_maps else remedy)
    return None


def _find_evaluation(search: _Search) -> tuple[Evaluation | None, str]:
    raster = search.raster
    if search.given.evaluation is not None:
        document = _read_json(Path(search.given.evaluation))
        found = read_evaluation(document)
        if found is None:
            raise LabelError(f"{search.given.evaluation} is no result of `hsigeo evaluate --json`")
        if misfit := _is_of_another(document, raster.path):
            raise LabelError(f"{search.given.evaluation} is not about {raster.path}: {misfit}")
        return found, search.given.evaluation
    why = "no evaluation of this map lies beside it"
    for path in _json_files(Path(raster.path).parent):
        document = _read_json(path)
        if not isinstance(document, Mapping) or Path(str(document.get("map", ""))).name != Path(raster.path).name:
            continue
        found = read_evaluation(document)
        if found is None:
            continue
        misfit = _is_of_another(document, raster.path)
        if misfit is None:
            return found, str(path)
        why = f"{path.name} is not used: {misfit}"
    output = _beside(raster.path, "_accuracy.json")
    remedy = f"hsigeo evaluate {shlex.quote(raster.path)} --labels REFERENCE --json {shlex.quote(output)}"
    search.miss("An independent assessment of the accuracy", why, remedy)
    return None, ""


def _is_of_another(document: object, map_path: str) -> str | None:
    """Why an evaluation is none of this map as it is now; `None` if it is."""
    stated = document.get("map_fingerprint") if isinstance(document, Mapping) else None
    if not isinstance(stated, str):
        return "it does not say by its digest which map it is of; evaluate again"
    if stated != fingerprint(map_path):
        return "the map was changed after it was evaluated, or it is of another map"
    return None


def _find_agreement(search: _Search) -> tuple[Agreement | None, str]:
    raster = search.raster
    if search.given.agreement is not None:
        path = Path(search.given.agreement)
        path = path / "agreement.json" if path.is_dir() else path
        found = read_agreement(_read_json(path), raster)
        if isinstance(found, Agreement):
            return found, str(path)
        raise LabelError(f"{path} is not about {raster.path}: {found or 'it is no result of `hsigeo agree`'}")
    folder = Path(raster.path).parent
    why = "no comparison with overlapping lines lies beside the map"
    for path in (folder / "agreement.json", *_subfolders(folder, "agreement.json")):
        found = read_agreement(_read_json(path), raster)
        if isinstance(found, Agreement):
            return found, str(path)
        why = f"{path} is not used: {found}" if found else why
    others = [
        path for path in _listing(folder) if path.name.endswith("_map.tif") and path.name != Path(raster.path).name
    ]
    is_line = Path(raster.path).name.endswith("_map.tif") and others
    if is_line or isinstance(raster.metadata.get("lines"), list):
        where = shlex.quote(str(folder))
        output = shlex.quote(str(folder / "agreement"))
        search.miss("Agreement with overlapping lines", why, f"hsigeo agree {where} -o {output}")
    return None, ""


def _find_job(path: Path) -> Mapping[str, Any]:
    """The entry of the map in the manifest beside it, which may come from anywhere."""
    document = _read_json(path.parent / "manifest.json")
    if not isinstance(document, Mapping) or document.get("format") != "hsigeo campaign":
        return {}
    lines = document.get("lines")
    for entry in lines.values() if isinstance(lines, Mapping) else ():
        match entry:
            case {"status": "done", "outputs": {"map": str(name)}} if Path(name).name == path.name:
                return dict(entry)
    return {}


def _read_json(path: Path) -> object:
    """What a file holds; `None` where that is no JSON, or too much of it."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_JSON:
            return None
        document: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document


def _json_files(folder: Path) -> Iterable[Path]:
    """Those of a folder, those named after accuracy or evaluation first."""
    found = [path for path in _listing(folder) if path.suffix == ".json"][:MOST_FILES]
    return sorted(
        found, key=lambda path: (not any(word in path.name for word in ("accuracy", "evaluation")), path.name)
    )


def _subfolders(folder: Path, name: str) -> list[Path]:
    return [path / name for path in _listing(folder)[:MOST_FILES] if (path / name).is_file()]


def _listing(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder that may not be looked into holds nothing for us
        return []


def _beside(map_path: str, ending: str) -> str:
    path = Path(map_path)
    return str(path.with_name(path.stem.removesuffix("_map") + ending))


def _short(digest: str) -> str:
    kind, _, number = digest.rpartition("-")
    return f"{kind}-{number[:12]}" if kind else digest[:12]


def _reason(error: Exception) -> str:
    if isinstance(error, HsigeoError):
        return str(error)
    return f"{getattr(error, 'filename', None) or 'it'} cannot be read: {getattr(error, 'strerror', None) or error}"
