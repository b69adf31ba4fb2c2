"""What is said of a scene before it is classified, against all that is found out about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spectral_scenes import BANDS, edit, make_image, write_scene

from hsigeo.io import open_cube
from hsigeo.io.doctor.examination import examine, find_doubts


def few_good(count: int = BANDS) -> str:
    """A list in which only the dead last bands are good."""
    return "{" + ", ".join("1" if band >= count - 3 else "0" for band in range(count)) + "}"


def image_with_dead_end() -> Any:
    image = make_image()
    image[-3:] = 0
    return image


@pytest.mark.parametrize(
    ("array", "changes", "code"),
    [
        (make_image(), {}, None),
        (make_image(), {"interleave": "bsq"}, "interleave"),
        (make_image(), {"byte_order": 1}, "byte-order"),
        (np.where(make_image() < 600, -9999, make_image()).astype(np.int16), {"data_type": 12}, "data-type"),
        (image_with_dead_end(), {"bbl": few_good()}, "bbl-inverted"),
        (image_with_dead_end(), {}, None),
        (make_image() * 0 + 7, {}, None),
    ],
)
def test_every_error_of_the_examination_is_a_doubt_and_nothing_else_is(
    array: Any, changes: dict[str, Any], code: str | None, tmp_path: Path
) -> None:
    cube = open_cube(edit(write_scene(tmp_path, array, interleave="bil"), **changes))
    errors = [finding for finding in examine(cube).findings if finding.severity == "error"]
    assert [finding.code for finding in errors] == ([] if code is None else [code])
    doubts = find_doubts(cube)
    assert len(doubts) == len(errors)
    assert all(error.message in doubt for error, doubt in zip(errors, doubts, strict=True))
