"""Reports on a sample scene, whose map is made once."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from reports import report_on

from hsigeo.cli import main
from hsigeo.report.findings import Findings


@dataclass(frozen=True)
class Classified:
    """A folder with a scene, its model and its map, the map's confidence and an evaluation of it."""

    folder: Path

    @property
    def map(self) -> Path:
        return self.folder / "map.tif"

    def copy(self, to: Path) -> Classified:
        return Classified(Path(shutil.copytree(self.folder, to / "copy")))


def run(*words: object) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr("sys.argv", ["hsigeo", *map(str, words)])
        main()
    assert stopped.value.code == 0


@pytest.fixture(scope="session")
def classified(tmp_path_factory: pytest.TempPathFactory, sample_scenes: Path) -> Classified:
    """Not to be changed; `Classified.copy` gives one that may be."""
    folder = tmp_path_factory.mktemp("classified")
    for name in ("line_1.hdr", "line_1.img", "line_1.safetensors"):
        shutil.copy(sample_scenes / name, folder)
    confidence = folder / "map_confidence.tif"
    run("classify", folder / "line_1.hdr", "-o", folder / "map.tif", "--confidence", confidence, "--unknown", 0.05)
    labels = sample_scenes / "validation.gpkg"
    run("evaluate", folder / "map.tif", "--labels", labels, "--json", folder / "accuracy.json")
    assert json.loads((folder / "accuracy.json").read_text())["map_fingerprint"]
    return Classified(folder)


@pytest.fixture(scope="session")
def full(classified: Classified) -> tuple[Findings, str]:
    """The report with everything in it."""
    return report_on(classified.map)
