"""The tiles of a line, computed in this process: a thread reads ahead, the cores share each tile's pieces.

The strategy here: one reader thread hides reading behind computing, and memory is bounded by a few blocks: one being
read, one begun, one being finished (`hsigeo.campaign.pieces`), and more only where a file is decompressed many blocks
at a time. They lie in buffers that are used in turn, since an allocator that is handed such blocks again and again
comes to hold one or two more. dask would do it too, at 20 to
60 ms a tile and with as many blocks in memory as it likes; it remains the lazy face (`hsigeo.classify`) and the fleet.
Threads rather than processes: torch and NumPy let go of the interpreter while they compute, so processes would only add
their start and a copy of the model each (docs/design/campaigns.md has the measurement).

Each batch runs on one core (`hsigeo.model.predict_probabilities`): torch's own threads would meet at a barrier after
every operation, which costs little on an idle machine and most of the time on a busy one, and their number would show
in the last bits.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch

from hsigeo.campaign.work import Buffer, LineWork, Tile, Window, compute_tiles
from hsigeo.io.spectra import StoredBlock
from hsigeo.kernels.choice import describe_kernel
from hsigeo.limits import usable_processors
from hsigeo.memory import limit_arenas

__all__ = ["LocalEngine", "local_engine", "read_ahead"]

_MOST_ANNOUNCED = 8
"""Windows that the system is told of at once: of a bsq file so many strips of each band are one part."""

_LEAST_ARENAS = 2
"""Measured on two cores: as fast as with eight for each, and 15 to 30 MB less."""


@dataclass(frozen=True, kw_only=True)
class LocalEngine:
    """Implements `hsigeo.campaign.roles.Engine` in this process.

    Parameters
    ----------
    device
        Where the network runs.
    pool
        Threads that share the pieces; `None` for the caller's alone.
    threads
        How many compute.
    lines_at_once
        One: its tiles occupy all threads.
    """

    device: torch.device = torch.device("cpu")  # noqa: RUF009 - a device is a value
    pool: Executor | None = None
    threads: int = 1
    lines_at_once: int = 1

    @property
    def device_kind(self) -> str:
        """``cpu`` or ``cuda``."""
        return self.device.type

    def kernel(self, large: bool) -> str:
        """The form of the fast loops, for a scene that is large or not."""
        return describe_kernel(self.device.type, large=large)

    def compute(
        self, work: LineWork, tiles: Sequence[int], is_stopping: Callable[[], bool] = bool
    ) -> Generator[tuple[int, Tile], None, None]:
        """The tiles, in order. Close the iterator when leaving early: the reader then stops after its block.

        The caller looks at `is_stopping` after each tile, which is soon enough here.
        """
        with contextlib.closing(read_ahead(work, tiles)) as blocks:
            yield from compute_tiles(work, blocks, self.pool)


@contextlib.contextmanager
def local_engine(device: torch.device, *, threads: int | None = None) -> Iterator[LocalEngine]:
    """An engine with so many threads, or with one that feeds a GPU.

    Parameters
    ----------
    threads
        By default as many as torch may use (``OMP_NUM_THREADS``, or the processors this process may run on), and no
        more than its cgroups grant it the time of.
    """
    count = min(torch.get_num_threads(), usable_processors()) if threads is None else threads
    limit_arenas(max(_LEAST_ARENAS, count))
    if device.type != "cpu" or count == 1:
        yield LocalEngine(device=device)
        return
    with ThreadPoolExecutor(count, "hsigeo-batch") as pool:
        yield LocalEngine(device=device, pool=pool, threads=count)


def read_ahead(work: LineWork, tiles: Sequence[int]) -> Generator[tuple[Window, StoredBlock], None, None]:
    """Windows that were read. Whoever asks for one is done with all but the last of those before it."""
    free = [work.make_buffer() for _ in range(work.window.held)]
    steps = _steps(work.windows(tiles))
    reading: deque[tuple[Window, Buffer, Future[StoredBlock]]] = deque()
    last: Buffer | None = None
    with ThreadPoolExecutor(work.window.readers, "hsigeo-reader") as pool:
        try:
            while True:
                for window, news in itertools.islice(steps, len(free)):
                    reading.append((window, free[-1], pool.submit(_read, work, window, free.pop(), news)))
                if not reading:
                    return
                window, buffer, block = reading.popleft()
                yield window, block.result()
                if last is not None:
                    free.append(last)
                last = buffer
        finally:
            for *_, block in reading:
                block.cancel()


def _read(work: LineWork, window: Window, buffer: Buffer, news: Sequence[Window]) -> StoredBlock:
    work.announce(news)
    return work.read(window, buffer)


def _steps(windows: Iterator[Window]) -> Iterator[tuple[Window, Sequence[Window]]]:
    """Each window, and of which ones the system should hear before it is read: a group ahead.

    Groups are small at first, so that the first window need not wait for many others.
    """
    group = news = list(itertools.islice(windows, 1))
    size = 1
    while group:
        following = list(itertools.islice(windows, size))
        news = [*news, *following]
        for window in group:
            yield window, news
            news = []
        group, size = following, min(2 * size, _MOST_ANNOUNCED)
