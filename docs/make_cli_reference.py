"""Write docs/cli.md from the ``--help`` of every command: ``python docs/make_cli_reference.py [--check]``.

With ``--check`` nothing is written; the exit code is 1 if the file is not what the commands say.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hsigeo.cli.main import cli

REFERENCE = Path(__file__).resolve().parent / "cli.md"
WIDTH = 98
"""What click uses on a terminal of 100 columns."""

INTRODUCTION = """# The command line

What `hsigeo COMMAND --help` prints, for every command. Made by `docs/make_cli_reference.py`; do not edit.

Exit codes: 0 done, 1 a reported error (one line on stderr), 2 wrong usage, 130 interrupted. Results that programs
read go to stdout, everything else to stderr. With `HSIGEO_PROGRESS=json` in the environment, progress comes as lines of
JSON on stderr, `{"progress": {"what": …, "done": …, "total": …, "unit": …}}`, for programs that run hsigeo.
"""


def make_reference() -> str:
    """The whole page."""
    root = click.Context(cli, info_name="hsigeo", terminal_width=WIDTH, **cli.context_settings)
    parts = [INTRODUCTION, _section("hsigeo", cli, root)]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is None:
            raise LookupError(f"hsigeo lists the command {name!r} but does not have it")
        context = click.Context(command, info_name=name, parent=root, **command.context_settings)
        parts.append(_section(f"hsigeo {name}", command, context))
        for part in command.commands.values() if isinstance(command, click.Group) else ():
            inner = click.Context(part, info_name=part.name, parent=context, **part.context_settings)
            parts.append(_section(f"hsigeo {name} {part.name}", part, inner))
    return "\n".join(parts)


def _section(title: str, command: click.Command, context: click.Context) -> str:
    return f"## {title}\n\n```text\n{command.get_help(context)}\n```\n"


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    reference = make_reference()
    if "--check" in arguments:
        if REFERENCE.is_file() and REFERENCE.read_text(encoding="utf-8") == reference:
            return 0
        print(f"{REFERENCE} is not what the commands say; run `python docs/make_cli_reference.py`", file=sys.stderr)
        return 1
    REFERENCE.write_text(reference, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
