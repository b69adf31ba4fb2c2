"""The Dockerfiles hold to what docker/README.md promises. Building them is docker/check.sh's job."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docker"
DOCKERFILES = sorted(FOLDER.glob("Dockerfile*"))


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def last(dockerfile: Path, wanted: str) -> str:
    return [text for word, text in instructions(dockerfile) if word == wanted][-1]


def test_there_is_one_for_the_cpu_and_one_for_cuda() -> None:
    assert [path.name for path in DOCKERFILES] == ["Dockerfile", "Dockerfile.cuda"]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
class TestEachImage:
    def test_runs_hsigeo(self, dockerfile: Path) -> None:
        assert json.loads(last(dockerfile, "ENTRYPOINT")) == ["hsigeo"]

    def test_does_not_run_as_root(self, dockerfile: Path) -> None:
        after_last_from = [word for word, _ in instructions(dockerfile)][::-1]
        assert after_last_from.index("USER") < after_last_from.index("FROM")
        assert int(last(dockerfile, "USER").split(":")[0]) > 0

    def test_works_in_the_mounted_folder(self, dockerfile: Path) -> None:
        assert last(dockerfile, "WORKDIR") == last(dockerfile, "VOLUME") == "/data"

    def test_pins_its_base_images(self, dockerfile: Path) -> None:
        images = [text.split()[0] for word, text in instructions(dockerfile) if word == "FROM"]

        assert len(images) == 2
        assert all(re.fullmatch(r"[\w/.-]+:\d[\w.-]+", image) for image in images)

    def test_installs_what_was_tested(self, dockerfile: Path) -> None:
        installs = [text for word, text in instructions(dockerfile) if word == "RUN" and "pip install" in text]

        assert installs
        assert all("-c constraints.txt" in text for text in installs)

    def test_copies_only_what_dockerignore_lets_through(self, dockerfile: Path) -> None:
        ignore = (FOLDER.parent / ".dockerignore").read_text(encoding="utf-8").split()
        sources = [
            source
            for word, text in instructions(dockerfile)
            if word == "COPY" and "--from" not in text
            for source in text.split()[:-1]
        ]

        assert {f"!{source}" for source in sources} <= set(ignore)
