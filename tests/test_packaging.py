"""The pinned versions, the dependency notes and the change log fragments keep up with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [
    line
    for line in (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def test_pins_are_plain_versions() -> None:
    unusual = [line for line in PINS if not re.fullmatch(r"[\w.-]+==\d[\w.]*", line)]

    assert unusual == []


def test_every_direct_dependency_is_pinned() -> None:
    direct = names(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        direct |= names(extra)

    assert direct - names(PINS) == set()


def test_torch_is_pinned_to_the_tested_version() -> None:
    assert "torch==2.13.0" in PINS


@pytest.mark.parametrize("name", sorted(names(PROJECT["dependencies"])))
def test_every_dependency_says_why_it_is_here(name: str) -> None:
    notes = (REPOSITORY / "docs" / "design" / "dependencies.md").read_text(encoding="utf-8")

    assert re.search(rf"^\|[^|]*\b{re.escape(name)}\b[^|]*\|", notes, re.MULTILINE)


def test_the_design_notes_are_all_in_their_index() -> None:
    folder = REPOSITORY / "docs" / "design"
    index = (folder / "README.md").read_text(encoding="utf-8")

    missing = [path.name for path in folder.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index]

    assert missing == []


def test_change_log_fragments_are_named_by_kind_and_hold_list_items() -> None:
    for path in (REPOSITORY / "changes").iterdir():
        if path.name == "README.md":
            continue
        assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md", path.name), path.name
        assert path.read_text(encoding="utf-8").startswith("- "), path.name
