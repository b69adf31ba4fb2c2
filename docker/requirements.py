"""Print what a pyproject.toml requires, with the extras named: for a layer of an image that outlives the source.

python3 requirements.py pyproject.toml cluster sensors
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def read_requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """The project's dependencies, then those of each extra; an unknown extra is a `KeyError`."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]


if __name__ == "__main__":
    print(*read_requirements(Path(sys.argv[1]), sys.argv[2:]), sep="\n")
