"""What belongs to a map: its scene, model, confidence, evaluation and agreement; found, checked, or said to be missing.

The map is untrusted, so files it names are only opened for reading, as what they are said to be. They may also have
changed since: a scene, model or evaluation is used only if its digest is the one stated by the map, because a page that
explains another model's map is worse than one that explains nothing. Files that the user named and that do not match
are an error; files found by name that do not match are left out, and the page says so.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hsigeo.errors import HsigeoError, LabelError, ModelError, SceneError
from hsigeo.explanation.sources import find_named
from hsigeo.fingerprint import fingerprint
from hsigeo.io.class_raster import ClassRaster, open_map
from hsigeo.io.cube import Cube
from hsigeo.io.cube_reader import open_cube
from hsigeo.lines.companions import find_companion, misfit_of
from hsigeo.report.agreement import Agreement, read_agreement
from hsigeo.report.assessment import Evaluation, read_evaluation
from hsigeo.report.surroundings import Surroundings, read_json

if TYPE_CHECKING:
    from hsigeo.model import Model

__all__ = ["Absence", "Belongings", "Given", "find_belongings"]


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

    def __init__(self, raster: ClassRaster, given: Given, around: Surroundings) -> None:
        self.raster = raster
        self.given = given
        self.around = around
        self.absences: list[Absence] = []
        self.notes: list[str] = []

    def stated(self, key: str) -> str:
        """What the map says about itself, where that is text."""
        value = self.raster.metadata.get(key)
        return value if isinstance(value, str) else ""

    @property
    def is_mosaic(self) -> bool:
        """Whether the map was put together from those of several lines."""
        return isinstance(self.raster.metadata.get("lines"), list)

    def miss(self, what: str, why: str, remedy: str = "") -> None:
        self.absences.append(Absence(what=what, why=why, remedy=remedy))


def find_belongings(map_path: str, given: Given, around: Surroundings | None = None) -> Belongings:
    """Open a map and what belongs to it.

    Parameters
    ----------
    map_path
        The map.
    given
        What the user says belongs to it.
    around
        The folder of the map, where more than one map of it is looked at.

    Raises
    ------
    LabelError
        It is no class map, or a layer or table that was named does not belong to it.
    SceneError, SceneNotFoundError, ModelError, ModelNotFoundError
        The scene or model that was named cannot be opened, or is not that of the map.
    """
    raster = open_map(map_path)
    around = around or Surroundings(Path(map_path).parent)
    search = _Search(raster, given, around)
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
        job=around.job_of(Path(map_path).name),
        absences=tuple(search.absences),
        notes=tuple(search.notes),
    )


@dataclass(frozen=True, kw_only=True)
class _Ingredient:
    """What a map was made from: its scene, or its model.

    Parameters
    ----------
    name
        The key of the map's metadata that names its file, and the option that names another.
    digest
        The key under which the map states its digest.
    shown
        What the page shows by it.
    differs
        What is wrong with another one.
    error
        For one that was named and is another.
    advice
        What to do then.
    """

    name: str
    digest: str
    shown: str
    differs: str
    error: type[HsigeoError]
    advice: str

    @property
    def remedy(self) -> str:
        """The option that would help where it was not found."""
        return f"--{self.name} FILE"


_SCENE = _Ingredient(
    name="scene",
    digest="scene_fingerprint",
    shown="The scene beside the map, and the spectra of the mapped pixels",
    differs="is not the scene of this map: its pixels differ",
    error=SceneError,
    advice="give the original scene, or classify this one",
)
_MODEL = _Ingredient(
    name="model",
    digest="model_sha256",
    shown="What decisions rest on, and the training spectra of each class",
    differs="is not the model that made the map",
    error=ModelError,
    advice="give that model",
)

_Opened = TypeVar("_Opened")


def _find_scene(search: _Search) -> Cube | None:
    if search.is_mosaic and not (search.given.scene or search.stated(_SCENE.name)):
        search.miss(_SCENE.shown, "a mosaic has no scene of its own")
        return None

    def open_(path: str) -> tuple[Cube, str]:
        cube = open_cube(path, reader=search.given.reader)
        return cube, fingerprint(cube.header.data_path)

    return _find_ingredient(search, _SCENE, search.given.scene, open_)


def _find_model(search: _Search) -> Model | None:
    def open_(path: str) -> tuple[Model, str]:
        model = search.around.load_model(path)
        return model, model.digest

    return _find_ingredient(search, _MODEL, search.given.model, open_)


def _find_ingredient(
    search: _Search, wanted: _Ingredient, given: str | None, open_: Callable[[str], tuple[_Opened, str]]
) -> _Opened | None:
    """What was named, or what the map names; `None`, and a line about it, where that is not there or is another."""
    path = given or find_named(search.raster.metadata, wanted.name, search.raster.path)
    if path is None:
        search.miss(wanted.shown, f"the map does not say which {wanted.name} it was made with", wanted.remedy)
        return None
    try:
        opened, digest = open_(path)
    except (HsigeoError, OSError) as error:
        if given is not None:
            raise
        search.miss(wanted.shown, _reason(error), wanted.remedy)
        return None
    stated = search.stated(wanted.digest)
    if stated and digest != stated:
        difference = f"{path} {wanted.differs} ({_short(digest)}, not {_short(stated)})"
        if given is not None:
            raise wanted.error(f"{difference}; {wanted.advice}")
        search.miss(wanted.shown, difference, wanted.remedy)
        return None
    if not stated:
        search.notes.append(f"The map does not state the digest of its {wanted.name}, so that could not be checked.")
    return opened


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
    made_of_maps = search.is_mosaic or "refined" in raster.metadata
    search.miss("The confidence of each pixel", why, "--confidence FILE" if made_of_maps else remedy)
    return None


def _find_evaluation(search: _Search) -> tuple[Evaluation | None, str]:
    raster = search.raster
    if search.given.evaluation is not None:
        document = read_json(Path(search.given.evaluation))
        found = read_evaluation(document)
        if found is None:
            raise LabelError(f"{search.given.evaluation} is not a result of `hsigeo evaluate --json`")
        if misfit := _is_of_another(document, raster.path):
            raise LabelError(f"{search.given.evaluation} is not about {raster.path}: {misfit}")
        return found, search.given.evaluation
    why = "there is no evaluation of this map beside it"
    for path, document in search.around.evaluations_of(Path(raster.path).name):
        found = read_evaluation(document)
        if found is None:
            continue
        misfit = _is_of_another(document, raster.path)
        if misfit is None:
            return found, str(path)
        why = f"{path.name} is not used: {misfit}"
    output = _beside(raster.path, "_accuracy.json")
    remedy = f"hsigeo evaluate {shlex.quote(raster.path)} --labels REFERENCE --json {shlex.quote(output)}"
    search.miss("Accuracy against an independent reference", why, remedy)
    return None, ""


def _is_of_another(document: object, map_path: str) -> str | None:
    """Why an evaluation is none of this map as it is now; `None` if it is."""
    stated = document.get("map_fingerprint") if isinstance(document, Mapping) else None
    if not isinstance(stated, str):
        return "it does not state the digest of its map; evaluate again"
    if stated != fingerprint(map_path):
        return "the map has changed since it was evaluated, or the evaluation is of another map"
    return None


def _find_agreement(search: _Search) -> tuple[Agreement | None, str]:
    raster, around = search.raster, search.around
    if search.given.agreement is not None:
        path = Path(search.given.agreement)
        path = path / "agreement.json" if path.is_dir() else path
        found = read_agreement(read_json(path), raster)
        if isinstance(found, Agreement):
            return found, str(path)
        raise LabelError(f"{path} is not about {raster.path}: {found or 'it is not a result of `hsigeo agree`'}")
    why = "there is no comparison with overlapping lines beside the map"
    for path, document in around.comparisons:
        found = read_agreement(document, raster)
        if isinstance(found, Agreement):
            return found, str(path)
        why = f"{path} is not used: {found}" if found else why
    name = Path(raster.path).name
    if search.is_mosaic or (name.endswith("_map.tif") and around.has_other_maps(name)):
        where, output = shlex.quote(str(around.folder)), shlex.quote(str(around.folder / "agreement"))
        search.miss("Agreement with overlapping lines", why, f"hsigeo agree {where} -o {output}")
    return None, ""


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
