"""The installed command, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

HSIGEO = Path(sysconfig.get_path("scripts")) / "hsigeo"


@pytest.fixture
def hsigeo(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``hsigeo`` with these arguments in the test's own folder."""

    def run(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HSIGEO, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONWARNINGS": "default", **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
