"""The command line, run as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from hsigeo.cli import main

Completed = subprocess.CompletedProcess[str]


@pytest.fixture
def hsigeo(tmp_path, monkeypatch, capfd) -> Callable[..., Completed]:
    """Run ``hsigeo`` with these arguments in the test's own folder, through the installed command's entry point.

    In this process: a start of Python with torch and xarray takes seconds, and there are many tests.
    """

    def run(*arguments: object, env: dict[str, str] | None = None) -> Completed:
        command = ["hsigeo", *map(str, arguments)]
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        capfd.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setattr("sys.argv", command)
            for name in ("GDAL_NUM_THREADS", "OMP_NUM_THREADS"):  # --threads sets what is not set
                if name not in os.environ:
                    patch.setenv(name, "")
                    patch.delenv(name)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as stopped:
                main()
        for number, handler in before.items():
            signal.signal(number, handler)
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(command, int(stopped.value.code or 0), out, err)

    return run


@pytest.fixture
def start_hsigeo(tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """Start the installed ``hsigeo`` as a process of its own in the test's folder."""

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [Path(sysconfig.get_path("scripts")) / "hsigeo", *map(str, arguments)]
        # Tests run in a shell's background ignore SIGINT, which children inherit; a handler, they do not.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                command, cwd=tmp_path, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        finally:
            signal.signal(signal.SIGINT, before)

    return start
