"""The parts of a run, each alone, and all together."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.rounds import Cost, Stopwatch
from hsigeo.campaign.job import LineJob, cached_model
from hsigeo.campaign.line import run_line
from hsigeo.campaign.local import LocalEngine, local_engine, read_ahead
from hsigeo.campaign.preparation import PreparedLine, prepare_line
from hsigeo.campaign.roles import Listener, Settings
from hsigeo.campaign.work import LineWork, Tile, Window, compute_tiles
from hsigeo.classification import classify
from hsigeo.io import mark_dead_bands, open_scene
from hsigeo.io.spectra import PIECE_PIXELS, StoredBlock
from hsigeo.kernels.choice import describe_kernel

__all__ = ["Run", "forget_pages"]

HELD_BYTES = 512 << 20
"""Blocks and tiles in memory at most; they are taken again and again."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class _Ready:
    """Implements `hsigeo.campaign.roles.Engine` with tiles that were computed before: what is left is writing."""

    tiles: Sequence[Tile]
    device: torch.device = CPU
    device_kind: str = "cpu"
    threads: int = 1
    lines_at_once: int = 1

    def kernel(self, large: bool) -> str:
        """None is needed."""
        return "none"

    def compute(
        self, work: LineWork, tiles: Sequence[int], is_stopping: Callable[[], bool] = bool
    ) -> Generator[tuple[int, Tile], None, None]:
        """Whatever is there, cut to size."""
        for tile in tiles:
            rows = work.plan.rows_of(tile)
            held = self.tiles[tile % len(self.tiles)]
            yield tile, {name: values[..., : rows.stop - rows.start, :] for name, values in held.items()}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A scene, a model, and the map that is made again and again.

    Parameters
    ----------
    scene, model, output
        Paths.
    cold
        Forget the scene's pages before each reading, as if it had never been read.
    """

    scene: Path
    model: Path
    output: Path
    cold: bool = False

    def measures(self) -> dict[str, Callable[[], Cost]]:
        """Name → measure."""
        return {"reading": self.read, "computing": self.compute, "writing": self.write, "whole": self.whole}

    def lazily(self) -> dict[str, Callable[[], Cost]]:
        """The same pixels by this engine, by plain threads and by dask; all read and compute, and write nothing."""
        return {"engine": self.by_engine, "threads": self.by_threads, "dask": self.by_dask}

    @property
    def pixels(self) -> int:
        """Of the scene."""
        return self._line().pixels

    @property
    def stored_bytes(self) -> int:
        """Of the scene's numbers, uncompressed."""
        header = self._line().work.cube.header
        return header.bands.count * header.grid.lines * header.grid.samples * header.dtype.itemsize

    def read(self) -> Cost:
        """Read every window as the engine does, and drop it."""
        work = self._line().work
        self._forget()
        watch = Stopwatch()
        with watch.running():
            for _ in read_ahead(work, range(len(work.plan))):
                pass
        return watch.cost

    def compute(self) -> Cost:
        """As many windows from memory."""
        work = self._line().work
        windows = list(work.windows(range(len(work.plan))))
        held = _hold(work, windows)
        watch = Stopwatch()
        with local_engine(CPU) as engine, watch.running():
            for _ in compute_tiles(work, _repeat(held, windows), engine.pool):
                pass
        return watch.cost

    def write(self) -> Cost:
        """Journal, overviews, sidecars and all, of tiles that are there already."""
        work = self._line().work
        with local_engine(CPU) as engine:
            tiles = _some_tiles(work, engine)
        watch = Stopwatch()
        line = self._line()
        with watch.running():
            run_line(line, _Ready(tiles), self._settings(), Listener())
        return watch.cost

    def whole(self) -> Cost:
        """All of it, from headers and checks to the finished map."""
        self._forget()
        watch = Stopwatch()
        with watch.running():
            self.classify()
        return watch.cost

    def classify(self) -> None:
        """As `whole`, without a clock."""
        with local_engine(CPU) as engine:
            run_line(self._line(), engine, self._settings(), Listener())

    def by_engine(self) -> Cost:
        """Class ids of all tiles, in memory."""
        work = self._line().work
        self._forget()
        watch = Stopwatch()
        with local_engine(CPU) as engine, watch.running():
            found = [tile["class_id"] for _, tile in engine.compute(work, range(len(work.plan)))]
        del found
        return watch.cost

    def by_threads(self) -> Cost:
        """Class ids of the lazy classification's chunks, each by one call in a pool: what dask adds is scheduling."""
        work = self._line().work
        ends = np.cumsum(open_scene(self.scene).chunks[1])

        def make(rows: slice) -> NDArray[Any]:
            block = work.read((rows, slice(0, work.plan.samples)))
            parts = [work.compute(block.spectra(pixels))["class_id"] for pixels in block.pieces(PIECE_PIXELS)]
            return np.concatenate(parts).reshape(block.shape)

        self._forget()
        watch = Stopwatch()
        with ThreadPoolExecutor(torch.get_num_threads()) as pool, watch.running():
            np.concatenate(list(pool.map(make, map(slice, [0, *ends[:-1]], ends))))
        return watch.cost

    def by_dask(self) -> Cost:
        """Class ids of the lazy classification, on as many threads; the scene is open, as it is for the others."""
        self._forget()
        watch = Stopwatch()
        scene = mark_dead_bands(open_scene(self.scene))
        with dask.config.set(scheduler="threads", num_workers=torch.get_num_threads()), watch.running():
            classify(scene, cached_model(str(self.model)), device="cpu")["class_id"].data.compute()
        return watch.cost

    def _line(self) -> PreparedLine:
        job = LineJob(name=self.scene.stem, scene=str(self.scene), model=str(self.model), map=self.output)
        return prepare_line(job, self._settings())

    def _settings(self) -> Settings:
        return Settings(
            device=CPU,
            device_kind="cpu",
            kernel=lambda large: describe_kernel("cpu", large=large),
            overwrite=True,
            skip_finished=False,
        )

    def _forget(self) -> None:
        if self.cold:
            forget_pages(Path(self._line().work.cube.header.data_path))


def forget_pages(path: Path) -> None:
    """Have the system drop what it keeps of a file in memory; what is not on the disk yet stays."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _hold(work: LineWork, windows: Sequence[Window]) -> list[StoredBlock]:
    """Blocks of the first windows, as many as memory is granted for."""
    held: list[StoredBlock] = []
    size = 0
    for window in windows:
        held.append(work.read(window))
        size += held[-1].values.nbytes
        if size > HELD_BYTES:
            break
    return held


def _repeat(held: Sequence[StoredBlock], windows: Sequence[Window]) -> Iterator[tuple[Window, StoredBlock]]:
    for number, (rows, cols) in enumerate(windows):
        lines, samples = rows.stop - rows.start, cols.stop - cols.start
        turns = (held[(number + turn) % len(held)] for turn in range(len(held)))
        block = next(block for block in turns if block.shape[0] >= lines and block.shape[1] >= samples)
        yield (rows, cols), block.part(slice(0, lines), slice(0, samples))


def _some_tiles(work: LineWork, engine: LocalEngine, most: int = 16) -> list[Tile]:
    return [tile for _, tile in engine.compute(work, range(min(most, len(work.plan))))]
