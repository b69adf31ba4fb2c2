"""A corrected ENVI header beside the old one: what the checks found and what the reader guessed, written out.

The strategy here: the header is corrected in memory and the scene opened and examined by it, again and again, until
there is nothing left that a header could correct. Only then is it written, under a name of its own; the old header and
the data stay as they are. What was changed stands in the new header, and the reader passes it on to every map.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hsigeo.atomic import check_not_an_input, check_output
from hsigeo.errors import HsigeoError, OutputError, SceneError, SceneNotFoundError
from hsigeo.io.cube import Cube
from hsigeo.io.doctor.canonical import canonical_changes
from hsigeo.io.doctor.examination import examine, examine_header, find_data, read_leniently
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.envi.datafile import find_header, resolve_data_file
from hsigeo.io.envi.header import EnviHeader, is_envi_header, parse_header
from hsigeo.io.envi.header_text import edit_header
from hsigeo.io.envi.layout import read_layout
from hsigeo.io.envi.reader import DATA_FILE_KEY, REPAIRS_KEY, open_described
from hsigeo.text_files import write_text

__all__ = ["Repair", "check_repair_path", "plan_repair", "write_repair"]

_MOST_ROUNDS = 8


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A corrected header, not written yet.

    Parameters
    ----------
    header_path, data_path
        The old header, and the data file that both describe.
    text
        The new header.
    sentences
        What was corrected, in order.
    remaining
        What is still to be said about the scene when it is read by the new header.
    error
        Why the new header cannot be used either; empty where it can.
    """

    header_path: Path
    data_path: Path
    text: str
    sentences: tuple[str, ...]
    remaining: tuple[Finding, ...]
    error: str = ""


def plan_repair(path: Path, *, keep: Sequence[str] = ()) -> Repair:
    """Correct what can be corrected.

    Parameters
    ----------
    path
        The header of an ENVI scene, or its data file.
    keep
        Codes of findings that are left as they are.

    Raises
    ------
    SceneError
        This is no ENVI scene.
    SceneNotFoundError
        It has no data file.
    """
    header_path = path if path.suffix.lower() == ".hdr" else find_header(path)
    if header_path is None or not is_envi_header(header_path):
        raise SceneError(
            f"{path} has no ENVI header; only those can be corrected; other formats say all in the file itself"
        )
    header, found = read_leniently(header_path)
    data_path = find_data(header, path, header_path)
    if data_path is None:
        raise SceneNotFoundError(f"{header_path}: its data file is not there, so nothing can be said about its header")
    sentences = [str(finding) for finding in found]
    text, error = header.raw, ""
    remaining: tuple[Finding, ...] = ()
    for _ in range(_MOST_ROUNDS):
        header = parse_header(text, str(header_path))
        cube, error = _try_open(header, data_path)
        remaining = examine(cube, header=header).findings if cube else tuple(examine_header(header, data_path))
        changes: dict[str, str | None] = {}
        for finding in remaining:
            new = {key: value for key, value in finding.changes.items() if key not in changes}
            if new and finding.code not in keep:
                changes |= new
                sentences.append(f"{finding.message} (--fix: {_said(new)})")
        if not changes and cube is not None and (changes := canonical_changes(header, cube.header)):
            sentences += [repair for repair in cube.header.repairs if repair not in sentences]
        if not changes:
            break
        text = edit_header(header, changes)
    return Repair(
        header_path=header_path,
        data_path=data_path,
        text=text,
        sentences=tuple(sentences),
        remaining=remaining,
        error=error,
    )


def check_repair_path(path: str | os.PathLike[str], scene: Path, *, overwrite: bool = False) -> None:
    """Refuse early what `write_repair` would refuse.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It would replace the scene, is no header by its name, or lies in another folder than the data.
    """
    out = Path(path)
    if out.suffix.lower() != ".hdr":
        raise OutputError(f"{path}: give a header name that ends in .hdr")
    beside = find_header(scene) if scene.suffix.lower() != ".hdr" else scene
    check_not_an_input(path, [scene, *([] if beside is None else [beside])])
    check_output(path, overwrite=overwrite)
    if out.resolve().parent != scene.resolve().parent:
        raise OutputError(
            f"{path} lies in another folder than {scene.name}, where no program would find the data: "
            f"give a name in {scene.resolve().parent}"
        )


def write_repair(repair: Repair, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write the corrected header beside the old one.

    Where the data file cannot be told from the new header's name, the header names it.

    Raises
    ------
    OutputExistsError, OutputError
        As `check_repair_path`.
    """
    check_repair_path(path, repair.header_path, overwrite=overwrite)
    check_not_an_input(path, [repair.data_path])
    out = Path(path)
    header = parse_header(repair.text, str(out))
    earlier = [line for line in header.text(REPAIRS_KEY).split("\n") if line.strip()]
    lines = [*earlier, *(_plain(sentence) for sentence in repair.sentences)]
    changes: dict[str, str | None] = {REPAIRS_KEY: "{\n " + "\n ".join(lines) + "}"}
    changes[DATA_FILE_KEY] = None if _finds_data(header, out, repair.data_path) else repair.data_path.name
    write_text(path, edit_header(header, changes), overwrite=overwrite)


def _try_open(header: EnviHeader, data_path: Path) -> tuple[Cube | None, str]:
    try:
        return open_described(header, Path(header.source), data_path=data_path), ""
    except SceneError as error:
        return None, str(error)


def _finds_data(header: EnviHeader, out: Path, data_path: Path) -> bool:
    """Whether the new header's name alone leads to the data file."""
    try:
        layout = read_layout(header, out, [])
        found = resolve_data_file(out, layout.data_bytes, compressed=layout.compressed)
    except HsigeoError:
        return False
    return found.resolve() == data_path.resolve()


def _said(changes: dict[str, str | None]) -> str:
    """The changes as text; a list is told by its length."""
    parts = []
    for key, value in changes.items():
        if value is None:
            parts.append(f"no '{key}'")
        elif value.startswith("{") and value.count(",") > 8:
            parts.append(f"{key} = {value.count(',') + 1} values")
        else:
            parts.append(f"{key} = {value}")
    return ", ".join(parts)


def _plain(sentence: str) -> str:
    """On one line and without braces, which would end the field."""
    return " ".join(sentence.replace("{", "(").replace("}", ")").split())
