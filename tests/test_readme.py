"""What the documentation tells people to type works as printed."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from code_blocks import RUNNERS, CodeBlock, read_code_blocks, run_code

REPOSITORY = Path(__file__).resolve().parents[1]
BLOCKS = read_code_blocks(REPOSITORY / "README.md")
SET_UP = ("Set up and make a map", "Set up and run the tests")
PAGES = sorted(
    path.relative_to(REPOSITORY)
    for pattern in ("*.md", "docs/**/*.md", "docker/*.md", "sample_scenes/*.md", "changes/*.md")
    for path in REPOSITORY.glob(pattern)
)


def set_up_command(heading: str) -> str:
    (block,) = (block for block in BLOCKS if block.heading == heading)
    return block.code


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a fresh clone, as far as the README's commands look at it."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(REPOSITORY / "sample_scenes", folder / "sample_scenes")
    return folder


@pytest.mark.parametrize("heading", SET_UP)
def test_set_up_is_one_command(heading: str) -> None:
    command = set_up_command(heading)

    assert command.count("\n") == 1
    assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install -c constraints.txt ")


def test_the_first_command_makes_a_map(workplace: Path) -> None:
    *_, main_job = set_up_command(SET_UP[0]).split(" && ")

    result = run_code("sh", main_job, workplace, programs=Path(sys.executable).parent)

    assert result.returncode == 0, result.stderr
    assert (workplace / "map.tif").is_file()
    assert (workplace / "map.tif.aux.xml").is_file()
    assert (workplace / "map.qml").is_file()


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.language in RUNNERS and block.heading not in SET_UP and not block.not_run],
    ids=lambda block: block.heading,
)
def test_code_blocks_of_the_readme_run(block: CodeBlock, workplace: Path, warm_commands: Path) -> None:
    result = run_code(block.language, block.code, workplace, programs=warm_commands)

    assert result.returncode == 0, result.stdout + result.stderr


def test_blocks_that_are_not_run_say_why() -> None:
    for block in BLOCKS:
        assert block.language, f"a block under {block.heading!r} has no language"
        assert block.language in {*RUNNERS, "text"} or block.not_run


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]

    missing = [target for target in local if not (REPOSITORY / page.parent / target).exists()]

    assert missing == []


def test_the_file_tree_names_what_is_there() -> None:
    (tree,) = (block.code for block in BLOCKS if block.heading == "What is where")
    names = [re.match(r"( *)(\S+)", line) for line in tree.splitlines()]

    parent = ""
    for match in names:
        assert match is not None
        indent, name = match.groups()
        if not indent:
            parent = name if name.endswith("/") else ""
        path = (parent if indent else "") + name.rstrip("…")
        assert list(REPOSITORY.glob(f"{path.rstrip('/')}*")), f"the README's file tree names {path}"
