"""Running ``hsigeo`` as a program of its own: finding it, hearing how far it is, stopping it, and what it says.

Nothing here needs QGIS.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

__all__ = ["SETTING", "CommandError", "Listener", "Stopped", "find_command", "run_command"]

SETTING = "HSIGEO_PROGRAM"
"""Name of the Processing setting that says where hsigeo is."""

COMMAND_FILE = Path(__file__).with_name("command.json")
"""Written by ``hsigeo qgis install``: how to start the hsigeo that installed this plugin."""

PATIENCE = 15.0
"""Seconds that hsigeo gets to end its tile and to clear away what is half-written, before it is asked again."""

INTERRUPTED = 130
_TICK = 0.2
_MOST_LINES = 10

# QGIS sets these for its own libraries; hsigeo brings others.
_OF_QGIS = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA")


class CommandError(Exception):
    """hsigeo could not be started, or reports an error; the text is what it prints."""


class Stopped(Exception):  # noqa: N818 - no error
    """The user cancelled, and hsigeo has ended."""


@dataclass(frozen=True)
class Listener:
    """Who hears of a running command.

    Parameters
    ----------
    say
        Called with each line that hsigeo prints on stderr.
    advance
        Called with what is being done, and how much of it is, in percent.
    is_cancelled
        Asked a few times a second.
    """

    say: Callable[[str], None]
    advance: Callable[[str, float], None]
    is_cancelled: Callable[[], bool]


def find_command(setting: str = "") -> list[str]:
    """How to start hsigeo: the setting, else what the installer wrote, else ``hsigeo`` on the search path.

    Raises
    ------
    CommandError
        There is none.
    """
    if setting.strip():
        return [setting.strip()]
    if COMMAND_FILE.is_file():
        command = json.loads(COMMAND_FILE.read_text(encoding="utf-8")).get("command")
        if isinstance(command, list) and command and all(isinstance(part, str) for part in command):
            return command
    found = shutil.which("hsigeo")
    if found is None:
        raise CommandError(
            "hsigeo was not found. Run `hsigeo qgis install` in the environment where hsigeo is installed, or name "
            "the program in Settings > Options > Processing > Providers > hsigeo."
        )
    return [found]


def make_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables for hsigeo: without QGIS's own, UTF-8 on every system, progress as JSON."""
    kept = {name: value for name, value in environment.items() if name not in _OF_QGIS}
    return kept | {"PYTHONUTF8": "1", "HSIGEO_PROGRESS": "json"}


def run_command(command: Sequence[str], arguments: Iterable[str], listener: Listener) -> str:
    """Run hsigeo to its end.

    Returns
    -------
    str
        What it printed on stdout.

    Raises
    ------
    CommandError
        It could not be started, or ended with an error.
    Stopped
        The listener cancelled.
    """
    process = _start([*command, *arguments])
    lines: queue.Queue[tuple[str, str | None]] = queue.Queue()
    for name in ("stdout", "stderr"):
        threading.Thread(target=_forward, args=(getattr(process, name), name, lines), daemon=True).start()
    printed: dict[str, list[str]] = {"stdout": [], "stderr": []}
    stopping = _Stopping(process)
    open_streams = 2
    try:
        while open_streams:
            if listener.is_cancelled():
                stopping.insist()
            try:
                name, line = lines.get(timeout=_TICK)
            except queue.Empty:
                continue
            if line is None:
                open_streams -= 1
            elif name == "stdout" or not _hear(line, listener):
                printed[name].append(line)
        code = process.wait()
    finally:
        if process.poll() is None:  # something here failed: leave no program running that nobody hears
            process.kill()
            process.wait()
    if stopping.asked or code == INTERRUPTED:
        raise Stopped
    if code:
        raise CommandError(_error_text(printed["stderr"], code))
    return "\n".join(printed["stdout"])


def _start(command: list[str]) -> subprocess.Popen[str]:
    hidden: dict[str, Any] = {"creationflags": 0x08000000} if os.name == "nt" else {}  # no console window
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own hsigeo; no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=make_environment(os.environ),
            **hidden,
        )
    except OSError as error:
        raise CommandError(
            f"{command[0]} cannot be started: {error.strerror}. If hsigeo has moved, run `hsigeo qgis install` again."
        ) from error


def _forward(stream: IO[str], name: str, lines: queue.Queue[tuple[str, str | None]]) -> None:
    with stream:
        for line in stream:
            lines.put((name, line.rstrip("\r\n")))
    lines.put((name, None))


def _hear(line: str, listener: Listener) -> bool:
    """Pass a line on; whether it was progress."""
    if line.startswith('{"progress":'):
        try:
            progress = json.loads(line)["progress"]
            listener.advance(str(progress["what"]), 100 * progress["done"] / max(1, progress["total"]))
        except (ValueError, KeyError, TypeError):
            return False
        return True
    listener.say(line)
    return False


class _Stopping:
    """Asks a program to end: politely, again, and then not at all politely."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._asked_at: list[float] = []

    @property
    def asked(self) -> bool:
        """Whether it was asked to end."""
        return bool(self._asked_at)

    def insist(self) -> None:
        """Ask, if it is time to."""
        now = time.monotonic()
        if self._process.poll() is not None or (self._asked_at and now - self._asked_at[-1] < PATIENCE):
            return
        self._asked_at.append(now)
        if len(self._asked_at) <= 2:
            self._process.terminate()
        else:
            self._process.kill()


def _error_text(lines: Sequence[str], code: int) -> str:
    """What went wrong, as hsigeo prints it."""
    for line in reversed(lines):
        if line.startswith(("hsigeo: ", "Error: ")):
            return line
    return "\n".join(lines[-_MOST_LINES:]) or f"hsigeo ended with exit code {code} and said nothing"
