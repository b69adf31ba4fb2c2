"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
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
