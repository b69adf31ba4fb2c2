"""The command line, run as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

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
def start_hsigeo(tmp_path, warm_commands) -> Callable[..., subprocess.Popen[str]]:
    """Start ``hsigeo`` as a process of its own in the test's folder, with all that it imports there already."""

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [warm_commands / "hsigeo", *map(str, arguments)]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start
