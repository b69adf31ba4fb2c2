"""The example runs as it is, in a copy of the project, and the notebook is the same cells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLES = REPOSITORY / "examples"


def test_the_example_runs_from_scene_to_spectra(sample_scenes, tmp_path):
    shutil.copytree(sample_scenes, tmp_path / "sample_scenes")
    shutil.copytree(EXAMPLES, tmp_path / "examples")

    done = subprocess.run(
        [sys.executable, "-W", "error", "examples/first_map.py"],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "of 230 points are right" in done.stdout
    assert "as classified" in done.stdout
    results = {path.name for path in (tmp_path / "first_map").iterdir()}
    assert {"map.tif", "calm.tif", "model.safetensors", "scene.png", "maps.png", "spectra.png"} <= results


def test_the_notebook_holds_the_cells_of_the_script():
    done = subprocess.run([sys.executable, EXAMPLES / "make_notebook.py", "--check"], check=False)
    document = json.loads((EXAMPLES / "first_map.ipynb").read_text(encoding="utf-8"))

    assert done.returncode == 0, "run: python examples/make_notebook.py"
    kinds = [cell["cell_type"] for cell in document["cells"]]
    assert kinds[0] == "markdown"
    assert kinds.count("code") > 8
    for cell in document["cells"]:
        source = "".join(cell["source"])
        assert source
        if cell["cell_type"] == "code":
            compile(source, cell["id"], "exec")
            assert cell["outputs"] == []
