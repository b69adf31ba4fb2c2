"""The tutorial's commands, one after the other, in a folder that holds nothing but the sample scenes."""

from __future__ import annotations

import shutil
from pathlib import Path

from code_blocks import read_code_blocks, run_code

REPOSITORY = Path(__file__).resolve().parents[1]


def test_the_tutorial_leads_from_the_scene_to_the_report(
    sample_scenes: Path, tmp_path: Path, warm_commands: Path
) -> None:
    shutil.copytree(sample_scenes, tmp_path / "sample_scenes")
    blocks = [block for block in read_code_blocks(REPOSITORY / "docs" / "tutorial.md") if block.language == "sh"]

    done = run_code("sh", "\n".join(block.code for block in blocks), tmp_path, programs=warm_commands)

    assert done.returncode == 0, done.stderr
    assert not any(block.not_run for block in blocks)
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"figures/spectra.png", "sheet.png", "judged/confusion.png", "pixel.png", "map_report.html"} <= made
    assert "map_accuracy.json" in (tmp_path / "map_report.html").read_text(encoding="utf-8")
