"""What ``hsigeo info`` says of a folder: a line for each scene in it, as ``hsigeo classify`` would take them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hsigeo.cli.columns import cells_of, pad
from hsigeo.cli.options import progress_bar
from hsigeo.errors import HsigeoError, SceneError

__all__ = ["list_scenes", "scenes_in"]


def scenes_in(path: Path) -> list[str]:
    """The scenes of a folder; empty for a file, and for a folder that itself is one scene or holds none."""
    if not path.is_dir():
        return []
    from hsigeo.campaign.inputs import expand_scenes

    found = expand_scenes([str(path)])
    return [] if found == [str(path)] else found


def list_scenes(scenes: Sequence[str], reader: str | None, *, as_json: bool) -> None:
    """Print a line for each scene: size, bands and whether it can be classified.

    Raises
    ------
    SceneError
        Some cannot be opened; their lines say why.
    """
    width = max(cells_of(_name(scene)) for scene in scenes)
    documents = []
    with progress_bar("info", "scene") as show:
        for done, scene in enumerate(scenes, start=1):
            documents.append(_describe(scene, reader))
            if not as_json:
                click.echo(f"{pad(_name(scene), width)}  {_line(documents[-1])}")
            show(done, len(scenes))
    if as_json:
        click.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    broken = sum("error" in document for document in documents)
    if broken:
        raise SceneError(f"{broken} of {len(scenes)} scenes cannot be opened; `hsigeo info SCENE` says more about one")


def _describe(scene: str, reader: str | None) -> dict[str, Any]:
    from hsigeo.io.cube_reader import open_cube
    from hsigeo.io.summary import describe_scene

    try:
        return describe_scene(open_cube(scene, reader=reader))
    except HsigeoError as error:
        return {"path": scene, "error": str(error)}


def _line(document: dict[str, Any]) -> str:
    if "error" in document:
        return f"cannot be opened: {' '.join(document['error'].splitlines())}"
    size = f"{document['lines']} x {document['samples']}"
    return f"{size:>13}  {document['bands']:>4} bands  {document['verdict']}"


def _name(scene: str) -> str:
    """The name within the folder, in one line whatever it holds."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in Path(scene).name)
