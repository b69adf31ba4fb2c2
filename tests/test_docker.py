"""The Dockerfile holds to what docs/containers.md promises. Building it is docker/check.sh's job."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "docker"


def instructions() -> list[tuple[str, str]]:
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    kept = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", kept)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def stages() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for word, text in instructions():
        if word == "FROM":
            found[text.split(" AS ")[1]] = steps = [(word, text.split()[0])]
        elif word != "ARG" or found:
            steps.append((word, text))
    return found


def last(wanted: str) -> str:
    return [text for word, text in stages()["common"] if word == wanted][-1]


def test_there_is_one_for_cuda_and_by_default_one_for_the_cpu() -> None:
    assert stages()["cuda"][0] == stages()["cpu"][0] == ("FROM", "common")
    assert list(stages())[-1] == "cpu"


def test_runs_hsigeo_in_the_mounted_folder() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["hsigeo"]
    assert last("WORKDIR") == "/data"


def test_does_not_run_as_root() -> None:
    assert int(last("USER").split(":")[0]) > 0


def test_pins_its_base_image() -> None:
    bases = [text for word, text in instructions() if word == "ARG" and text.startswith("BASE=")]
    others = {text for name in stages() for word, text in stages()[name][:1]} - {"${BASE}", *stages()}

    assert [bool(re.fullmatch(r"BASE=debian:\d+\.\d+-slim", base)) for base in bases] == [True]
    assert not others


def test_installs_what_was_tested_and_no_compiler() -> None:
    installs = [text for word, text in instructions() if word == "RUN" and "pip install" in text]
    packages = [text for word, text in stages()["common"] if word == "RUN" and "apt-get" in text]

    assert installs
    assert all("-c constraints.txt" in text or "--no-deps" in text for text in installs)
    assert packages
    assert all(re.search(r"--no-install-recommends python3\s+&&", text) for text in packages)


def test_takes_its_requirements_from_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    command = [sys.executable, FOLDER / "requirements.py", REPOSITORY / "pyproject.toml", "cluster", "zarr"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    extras = project["optional-dependencies"]

    assert printed == [*project["dependencies"], *extras["cluster"], *extras["zarr"]]


def test_copies_only_what_dockerignore_lets_through() -> None:
    ignore = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
    sources = {
        source
        for word, text in instructions()
        if word == "COPY" and "--from" not in text
        for source in text.split()[:-1]
    }

    assert {f"!{source}" for source in sources} <= set(ignore)
    assert all((REPOSITORY / source).exists() for source in sources)
