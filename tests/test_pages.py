"""Code blocks on the pages about ablations, explanations, labels and maps work as printed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from code_blocks import CodeBlock, read_code_blocks, run_code

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = (
    "ablation.md",
    "explain.md",
    "header-doctor.md",
    "labels.md",
    "maps.md",
    "mosaics.md",
    "python.md",
    "qgis.md",
    "quicklooks.md",
    "refine.md",
    "report.md",
)
BLOCKS = [(page, block) for page in PAGES for block in read_code_blocks(REPOSITORY / "docs" / page)]


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{page}-{block.heading}" for page, block in BLOCKS])
def test_every_block_runs(page: str, block: CodeBlock, tmp_path: Path, warm_commands: Path) -> None:
    if block.not_run:
        pytest.skip(block.not_run)
    shutil.copytree(REPOSITORY / "sample_scenes", tmp_path / "sample_scenes")

    done = run_code(block.language, block.code, tmp_path, programs=warm_commands)

    assert done.returncode == 0, done.stderr
