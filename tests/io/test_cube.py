from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.bands import BandTable
from hsigeo.errors import SceneNotFoundError
from hsigeo.grid import Grid
from hsigeo.io.cube import BLOCK_BYTES, MAX_BLOCK_BYTES, CubeHeader, FileStamp, chunk_shape
from hsigeo.io.scaling import Scaling


def make_header(bands: int, lines: int, samples: int, block: tuple[int, int]) -> CubeHeader:
    return CubeHeader(
        path="a",
        data_path="a",
        stamp=FileStamp(size=0, modified_ns=0),
        format="ENVI",
        interleave="bil",
        dtype=np.dtype("int16"),
        byte_order="little",
        block_shape=block,
        grid=Grid(lines=lines, samples=samples),
        bands=BandTable(count=bands),
        scaling=Scaling.constant(bands),
    )


@pytest.mark.parametrize(
    ("shape", "block", "expected"),
    [
        ((256, 4000, 1000), (1, 1000), (32, 1000)),  # raw: 32 rows are 32 MiB
        ((3, 5, 4), (1, 4), (5, 4)),  # smaller than a block
        ((200, 10, 100_000), (1, 100_000), (1, 83_886)),  # one row is more than 64 MiB: narrower
        ((224, 32, 32), (32, 32), (32, 32)),
        ((100, 1000, 500), (256, 256), (256, 500)),  # whole rows of tiles
        ((100, 5000, 5000), (256, 256), (256, 512)),  # a row of tiles is too much: whole tiles
        ((400, 5000, 5000), (512, 512), (81, 512)),  # one tile is too much
        ((200, 5000, 1000), (5000, 1000), (83, 1000)),  # one strip for the whole file
    ],
)
def test_default_chunks(shape: tuple[int, int, int], block: tuple[int, int], expected: tuple[int, int]) -> None:
    assert chunk_shape(make_header(*shape, block)) == expected


@given(
    st.integers(1, 2000), st.integers(1, 100_000), st.integers(1, 100_000), st.integers(1, 5000), st.integers(1, 5000)
)
def test_chunks_fit_the_scene_and_the_memory(bands: int, lines: int, samples: int, high: int, wide: int) -> None:
    rows, cols = chunk_shape(make_header(bands, lines, samples, (high, wide)))
    assert 1 <= rows <= lines
    assert 1 <= cols <= samples
    assert 4 * bands * rows * cols <= max(MAX_BLOCK_BYTES, BLOCK_BYTES)


def test_stamp_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SceneNotFoundError, match="cannot be opened"):
        FileStamp.of(tmp_path / "none")
