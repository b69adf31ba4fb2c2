"""The scenes a command names: files, folders, patterns that the shell did not expand, and lists of these."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from hsigeo.errors import SceneNotFoundError
from hsigeo.io.readers.registry import is_scene
from hsigeo.line_names import is_companion

__all__ = ["NO_TEXT", "expand_scenes", "read_list"]

NO_TEXT = "the file's name is no text in UTF-8; rename it, or run with LC_ALL=C.UTF-8 if it is one"

_ENDINGS = frozenset({".hdr", ".tif", ".tiff", ".nc", ".h5", ".he5"})
_OWN_ENDINGS = ("_map", "_confidence", "_probabilities")
_LARGEST_LIST = 64 << 20


def expand_scenes(named: Iterable[str]) -> list[str]:
    """The scenes that arguments stand for, in order.

    ============  ====================================================================================
    ``@FILE``     what the lines of a list file stand for
    a folder      itself, if it is one product; else the scenes in it (not below it), by name; maps of hsigeo and
                  companions are left out
    a pattern     the files that match, by name; ``**`` matches folders below
    the rest      itself
    ============  ====================================================================================

    Raises
    ------
    SceneNotFoundError
        There is no such list, a folder or pattern holds no scene, or a name is no text.
    """
    found = _expand(named)
    for name in found:
        if not _is_text(name):
            # Neither a map's metadata nor a manifest could name it.
            raise SceneNotFoundError(f"{ascii(name)[1:-1]}: {NO_TEXT}")
    return found


def _expand(named: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in named:
        if not name.strip():
            raise SceneNotFoundError("a scene has an empty name; is a shell variable unset?")
        if name.startswith("@") and not Path(name).exists():
            found.extend(_expand(read_list(name[1:])))
        elif Path(name).is_dir():
            found.extend([name] if is_scene(Path(name)) else _in_folder(name) or [name])
        elif glob.has_magic(name) and not Path(name).exists():
            matching = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
            if not matching:
                raise SceneNotFoundError(f"no file matches {name}")
            found.extend(path for path in matching if not is_companion(path))
        else:
            found.append(name)
    return found


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_list(path: str) -> list[str]:
    """The lines of a list file, as if typed where the command runs; ``#`` begins a comment line.

    Raises
    ------
    SceneNotFoundError
        It cannot be read, or names nothing.
    """
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LARGEST_LIST).decode()
    except OSError as error:
        raise SceneNotFoundError(f"the list {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SceneNotFoundError(f"{path} is no list of scenes: it is not text in UTF-8") from error
    lines = [line.strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise SceneNotFoundError(f"the list {path} names no scene")
    if nested := next((line for line in named if line.startswith("@")), None):
        raise SceneNotFoundError(f"the list {path} names another list, {nested}; give both to the command instead")
    return named


def _in_folder(name: str) -> list[str]:
    """The scenes of a folder. One without any may itself be a scene, as some products are folders."""
    return sorted(_scenes(Path(name)))


def _scenes(folder: Path) -> Iterator[str]:
    entries = {entry.name for entry in folder.iterdir() if entry.is_file()}
    headers = {Path(name).stem for name in entries if name.lower().endswith(".hdr")}
    for name in entries:
        path = Path(name)
        if path.suffix.lower() not in _ENDINGS or name.startswith(".") or is_companion(name):
            continue
        if path.suffix.lower() in (".tif", ".tiff") and path.stem.endswith(_OWN_ENDINGS):
            continue
        # A TIFF with an ENVI header beside it is the data file of that scene.
        if path.suffix.lower() != ".hdr" and (path.stem in headers or name in headers):
            continue
        yield str(folder / name)
