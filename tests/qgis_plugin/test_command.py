"""Running hsigeo from QGIS, with small programs in its place."""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path

import pytest

from hsigeo.qgis_plugin import command as command_module
from hsigeo.qgis_plugin.command import (
    CommandError,
    Listener,
    Stopped,
    find_command,
    make_environment,
    run_command,
)

PLUGIN = Path(command_module.__file__).parent


class Ear:
    """Remembers what it hears, and cancels when told."""

    def __init__(self, cancel_at: str = "") -> None:
        self.said: list[str] = []
        self.heard: list[tuple[str, float]] = []
        self._cancel_at = cancel_at

    def listener(self) -> Listener:
        return Listener(
            say=self.said.append,
            advance=lambda what, percent: self.heard.append((what, percent)),
            is_cancelled=lambda: self._cancel_at in self.said,
        )


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_is_printed_comes_back_and_what_is_said_is_heard():
    ear = Ear()

    printed = run_command(
        program("import sys; print('Wald (Laubbäume)'); print('水'); print('note: x', file=sys.stderr)"),
        [],
        ear.listener(),
    )

    assert printed == "Wald (Laubbäume)\n水"
    assert ear.said == ["note: x"]


def test_progress_is_heard_in_percent_and_not_said():
    ear = Ear()
    lines = [json.dumps({"progress": {"what": "w", "done": done, "total": 8, "unit": "px"}}) for done in (2, 8)]

    run_command(
        program(f"import sys; print({lines[0]!r}, {lines[1]!r}, sep='\\n', file=sys.stderr)"), [], ear.listener()
    )

    assert ear.heard == [("w", 25.0), ("w", 100.0)]
    assert ear.said == []


def test_arguments_arrive_as_they_are():
    odd = ["a b", 'quote "x"', "水", "$HOME", "*"]

    assert (
        json.loads(run_command(program("import json, sys; print(json.dumps(sys.argv[1:]))"), odd, Ear().listener()))
        == odd
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("sys.exit('note: a\\nhsigeo: no such scene')", "hsigeo: no such scene"),
        ("print('Usage: x\\nError: no such option', file=sys.stderr); sys.exit(2)", "Error: no such option"),
        ("print('what a\\nmess', file=sys.stderr); sys.exit(3)", "what a\nmess"),
        ("sys.exit(4)", "hsigeo ended with exit code 4 and said nothing"),
    ],
)
def test_errors_are_reported_as_hsigeo_prints_them(code, text):
    with pytest.raises(CommandError) as error:
        run_command(program(f"import sys; {code}"), [], Ear().listener())

    assert str(error.value) == text


def test_cancelling_lets_the_program_clear_up(tmp_path):
    code = (
        "import pathlib, signal, sys, time\n"
        "half = pathlib.Path(sys.argv[1]); half.touch()\n"
        "def stop(*_): half.unlink(); sys.exit(130)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', file=sys.stderr, flush=True)\n"
        "time.sleep(60)"
    )
    start = time.monotonic()

    with pytest.raises(Stopped):
        run_command(program(code), [str(tmp_path / "half")], Ear("ready").listener())

    assert not (tmp_path / "half").exists()
    assert time.monotonic() - start < 30


def test_a_program_that_will_not_stop_is_stopped(monkeypatch):
    monkeypatch.setattr(command_module, "PATIENCE", 0.3)
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', file=sys.stderr, flush=True)\n"
        "time.sleep(60)"
    )
    start = time.monotonic()

    with pytest.raises(Stopped):
        run_command(program(code), [], Ear("ready").listener())

    assert time.monotonic() - start < 30


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(CommandError, match=r"^/no/such/hsigeo cannot be started: No such file"):
        run_command(["/no/such/hsigeo"], [], Ear().listener())


def test_the_setting_goes_before_what_was_installed_and_that_before_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(command_module, "COMMAND_FILE", tmp_path / "command.json")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CommandError, match="hsigeo qgis install"):
        find_command()

    (tmp_path / "hsigeo").write_text("#!/bin/sh\n")
    (tmp_path / "hsigeo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_command() == [str(tmp_path / "hsigeo")]

    (tmp_path / "command.json").write_text('{"command": ["/env/bin/python", "-m", "hsigeo"]}')
    assert find_command() == ["/env/bin/python", "-m", "hsigeo"]
    assert find_command(" /my/hsigeo ") == ["/my/hsigeo"]


def test_hsigeo_gets_none_of_the_variables_that_qgis_sets_for_itself():
    made = make_environment({"PYTHONHOME": "/qgis", "GDAL_DATA": "/qgis/gdal", "HSIGEO_MODEL": "m", "PATH": "/bin"})

    assert made == {"HSIGEO_MODEL": "m", "PATH": "/bin", "PYTHONUTF8": "1", "HSIGEO_PROGRESS": "json"}


@pytest.mark.parametrize("path", sorted(PLUGIN.glob("*.py")), ids=lambda path: path.name)
def test_the_plugin_needs_python_3_9_and_nothing_that_qgis_does_not_bring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add(str(node.module))

    outside = {name.split(".")[0] for name in imported} - sys.stdlib_module_names

    assert outside <= {"qgis", "processing"}
