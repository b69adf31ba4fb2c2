"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import warm_hsigeo
from hypothesis import settings

# A busy machine is no defect: the time an example takes decides nothing.
settings.register_profile("hsigeo", deadline=None)
settings.load_profile("hsigeo")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real scenes and labels; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("HSIGEO_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real test data not found at {folder}; set HSIGEO_TEST_DATA to use it")
    return folder


@pytest.fixture(scope="session")
def sample_scenes() -> Path:
    """The scenes that ship with the project."""
    return REPOSITORY / "sample_scenes"


@pytest.fixture(scope="session")
def warm_commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an ``hsigeo`` that starts at once, as a process of its own; see `warm_hsigeo`."""
    folder = tmp_path_factory.mktemp("warm")
    warm_hsigeo.write_commands(folder, folder / "socket")
    command = [sys.executable, warm_hsigeo.__file__, str(folder / "socket")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield folder
