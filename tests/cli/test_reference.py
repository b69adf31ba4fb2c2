"""The command line is documented, and the documentation is what the commands print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hsigeo.cli.main import cli

REPOSITORY = Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "docs" / "cli.md"
COMMANDS = cli.list_commands(click.Context(cli))


def test_the_reference_is_what_the_commands_say() -> None:
    result = subprocess.run(
        [sys.executable, "docs/make_cli_reference.py", "--check"], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    assert f"\n## hsigeo {name}\n" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_installed_command_prints_what_the_reference_shows(name: str) -> None:
    hsigeo = Path(sys.executable).with_name("hsigeo")
    result = subprocess.run(
        [str(hsigeo), name, "--help"], capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"}
    )

    assert result.returncode == 0
    assert result.stdout.strip() in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_explained(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help

    unexplained = [
        parameter.opts[0]
        for parameter in command.params
        if isinstance(parameter, click.Option) and not (parameter.help or "").strip()
    ]

    assert unexplained == []
