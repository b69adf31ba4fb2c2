"""Commands and options that the pages name are there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from hsigeo.cli.main import cli

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [
    page
    for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    if page.name != "cli.md"  # made from the commands themselves
]
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
CONTEXT = click.Context(cli)
COMMANDS = {name: cli.get_command(CONTEXT, name) for name in cli.list_commands(CONTEXT)}


def named(page: Path) -> list[tuple[str, str]]:
    """Each ``hsigeo COMMAND`` of a block, and those in running text, with the rest of the line."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    found = [command for line in blocks for command in re.findall(r"\bhsigeo ([a-z]+)\b([^&|;]*)", line)]
    parted = [" ".join(span.split()).removeprefix("hsigeo ").partition(" ") for span in spans]
    # `hsigeo repairs` is a field of a header, `train` a function: in running text only commands are meant.
    return found + [(word, rest) for word, _, rest in parted if word in COMMANDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_command_and_option_named_is_there(page: Path) -> None:
    missing = []
    for name, rest in named(page):
        command = COMMANDS.get(name)
        if command is None:
            missing.append(name)
            continue
        if isinstance(command, click.Group):
            continue
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
        missing += [
            f"{name} {option}" for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", rest) if option not in known
        ]
    assert not missing
