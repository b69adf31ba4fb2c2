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
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from hsigeo.campaign.work import Buffer, LineWork, Tile, Window, compute_tiles
from hsigeo.io.spectra import StoredBlock
from hsigeo.kernels.choice import describe_kernel
from hsigeo.limits import usable_processors

__all__ = ["LocalEngine", "local_engine"]

_Item = tuple[Window, StoredBlock, Buffer] | BaseException | None


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
        with contextlib.closing(_read_ahead(work, tiles)) as blocks:
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
    if device.type != "cpu" or count == 1:
        yield LocalEngine(device=device)
        return
    with ThreadPoolExecutor(count, "hsigeo-batch") as pool:
        yield LocalEngine(device=device, pool=pool, threads=count)


def _read_ahead(work: LineWork, tiles: Sequence[int]) -> Generator[tuple[Window, StoredBlock], None, None]:
    """Windows that were read. Whoever asks for one is done with all but the last of those before it."""
    blocks: queue.SimpleQueue[_Item] = queue.SimpleQueue()
    buffers: queue.SimpleQueue[Buffer] = queue.SimpleQueue()
    for _ in range(work.window.held):
        buffers.put(work.make_buffer())
    closed = threading.Event()
    thread = threading.Thread(
        target=_read, args=(work, tiles, blocks, buffers, closed), name="hsigeo-reader", daemon=True
    )
    thread.start()
    last: Buffer | None = None
    try:
        while (item := blocks.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            window, block, buffer = item
            yield window, block
            if last is not None:
                buffers.put(last)
            last = buffer
    finally:
        closed.set()
        buffers.put(np.empty(0, dtype=np.uint8))  # a reader that waits for one looks up


def _read(
    work: LineWork,
    tiles: Sequence[int],
    blocks: queue.SimpleQueue[_Item],
    buffers: queue.SimpleQueue[Buffer],
    closed: threading.Event,
) -> None:
    try:
        for window in work.windows(tiles):
            buffer = buffers.get()
            if closed.is_set():
                return
            blocks.put((window, work.read(window, buffer), buffer))
        blocks.put(None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the consumer must not wait for ever
        blocks.put(error)
