"""Options that the benchmarks' command lines share."""

from __future__ import annotations

import os
from pathlib import Path

import click

__all__ = ["REPOSITORY", "data_option"]

REPOSITORY = Path(__file__).resolve().parents[1]

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: Path(os.environ.get("HSIGEO_TEST_DATA", REPOSITORY.parent / "shared" / "data")),
    help="Folder of the real scenes. [default: $HSIGEO_TEST_DATA, else ../shared/data]",
)
