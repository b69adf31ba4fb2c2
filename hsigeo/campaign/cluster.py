"""The tiles of a line, computed by the workers of a dask.distributed cluster that see the same files.

What travels is small: to a worker the paths of scene and model with their fingerprints and a few tile numbers, back the
finished tiles (a byte a pixel for a plain map). No pixel of the scene crosses the network, and neither client nor
scheduler holds more than the groups in flight. A worker opens the model once and keeps it. One that dies takes its
groups with it, and the scheduler gives them to others: tiles are functions of the scene, so nothing else is lost.

Only the client writes. Workers that wrote into one file over a network file system would overwrite each other's pages.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hsigeo.campaign.job import cached_model, describe_header
from hsigeo.campaign.pace import Pace
from hsigeo.campaign.work import LineWork, Tile, compute_tiles
from hsigeo.classification import match_scene
from hsigeo.errors import ClusterError
from hsigeo.io import mark_dead_bands, open_cube, open_scene
from hsigeo.io.cube import FileStamp, with_cache
from hsigeo.kernels.choice import VARIABLE, describe_kernel
from hsigeo.model import is_large, resolve_device
from hsigeo.software import SOFTWARE
from hsigeo.tiling import TilePlan, WindowPlan

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["ClusterEngine", "TileOrder", "cluster_engine", "compute_order"]

_GROUP = {"cpu": 8, "cuda": 64}
_GROUPS_PER_THREAD = 2
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class LineSource:
    """Where a worker finds a line, and how it knows that it is the right one.

    Parameters
    ----------
    scene, model
        Absolute paths on storage that all machines share.
    reader, fill_missing
        As in the job.
    stamp, header, digest
        Of the scene's data file, the scene's header and the model.
    software
        Versions that decide about the last bits.
    device, kernel
        ``cpu`` or ``cuda``, and the form of the fast loops there.
    layers, plan, window, cache, limit
        As in `LineWork`.
    """

    scene: str
    model: str
    reader: str | None
    fill_missing: bool
    stamp: FileStamp
    header: str
    digest: str
    software: str
    device: str
    kernel: str
    layers: tuple[str, ...]
    plan: TilePlan
    window: WindowPlan
    cache: int | None
    limit: float | None


@dataclass(frozen=True, kw_only=True)
class TileOrder:
    """What a worker is asked for."""

    source: LineSource
    tiles: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterEngine:
    """Implements `hsigeo.campaign.roles.Engine` on a cluster.

    Parameters
    ----------
    client
        Of the cluster.
    device_kind
        What the workers compute on: ``cpu`` or ``cuda``.
    kernels
        The form of the fast loops that they all use, for small scenes and for large ones.
    device, threads
        What this process has, for what it computes itself.
    lines_at_once
        So many that workers have work while this process writes.
    """

    client: Client
    device_kind: str
    kernels: tuple[str, str]
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - a device is a value
    lines_at_once: int = 2
    threads: int = 1

    def kernel(self, large: bool) -> str:
        """The form of the fast loops that all workers use, for a scene that is large or not."""
        return self.kernels[large]

    def compute(
        self, work: LineWork, tiles: Sequence[int], is_stopping: Callable[[], bool]
    ) -> Generator[tuple[int, Tile], None, None]:
        """The tiles, in the order in which they are finished.

        Raises
        ------
        ClusterError
            Workers die again and again over a tile, or have another software or another file.
        HsigeoError
            What a worker reports.
        """
        from distributed import KilledWorker

        threads = max(1, sum(self.client.nthreads().values()))
        groups = _groups(tiles, max(1, min(_GROUP[self.device_kind], -(-len(tiles) // (2 * threads)))))
        source = self._source(work)
        running: set[Future[Any]] = set()
        finished: queue.Queue[Future[Any]] = queue.Queue()
        try:
            while not is_stopping():
                while len(running) < _GROUPS_PER_THREAD * threads and (group := next(groups, None)):
                    future = self._submit(TileOrder(source=source, tiles=group))
                    running.add(future)
                    future.add_done_callback(finished.put)
                if not running:
                    return
                # Not longer, so that Ctrl-C is heard while all workers are away.
                with contextlib.suppress(queue.Empty):
                    future = finished.get(timeout=_POLL_SECONDS)
                    running.remove(future)
                    yield from future.result()
                    threads = max(1, sum(self.client.nthreads().values()))
        except KilledWorker as error:
            raise ClusterError(
                f"{work.cube.header.path}: workers die while computing its tiles, perhaps for lack of memory: {error}"
            ) from error
        finally:
            self.client.cancel(list(running))

    def _submit(self, order: TileOrder) -> Future[Any]:
        resources = {"GPU": 1} if self.device_kind == "cuda" else None
        return self.client.submit(compute_order, order, pure=False, resources=resources)

    def _source(self, work: LineWork) -> LineSource:
        header = work.cube.header
        return LineSource(
            scene=str(Path(header.path).absolute()),
            model=str(Path(work.model.path or "").absolute()),
            reader=header.reader or None,
            fill_missing=work.fill_missing,
            stamp=header.stamp,
            header=describe_header(header),
            digest=work.model.digest,
            software=_software(),
            device=self.device_kind,
            kernel=self.kernel(work.is_large),
            layers=work.layers,
            plan=work.plan,
            window=work.window,
            cache=header.cache_bytes,
            limit=work.limit,
        )


@contextlib.contextmanager
def cluster_engine(address: str | None, *, scheduler_file: str | None, device: str) -> Iterator[ClusterEngine]:
    """Connect to a scheduler, and see that its workers can do the work.

    Parameters
    ----------
    address, scheduler_file
        Where the scheduler is: one of the two.
    device
        ``auto`` takes GPUs if workers offer them (``--resources GPU=1``), one process each.

    Raises
    ------
    ClusterError
        dask.distributed is not installed, no scheduler answers, there are no workers, or they are not like this client.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            f"--scheduler needs dask.distributed ({error.name} is missing): pip install 'hsigeo[cluster]'"
        ) from error
    where = address or scheduler_file
    if scheduler_file is not None and not Path(scheduler_file).is_file():
        # dask would wait for it for ever.
        raise ClusterError(
            f"{scheduler_file} does not exist; `dask scheduler --scheduler-file {scheduler_file}` writes it"
        )
    try:
        client = Client(address, scheduler_file=scheduler_file, set_as_default=False, timeout=_PATIENCE_SECONDS / 2)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no dask scheduler answers at {where}: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_SECONDS)
        except TimeoutError as error:
            raise ClusterError(f"the scheduler at {where} has no workers; start some: dask worker {where}") from error
        check_workers(client)
        kind = _device_kind(client, device)
        yield ClusterEngine(client=client, device_kind=kind, kernels=_common_kernels(client, kind))


def check_workers(client: Client) -> None:
    """Refuse now what every tile would be refused for.

    Raises
    ------
    ClusterError
        A worker has no hsigeo, or another version of it or of torch.
    """
    ours = _software()
    try:
        theirs = client.run(_software)
    except (ImportError, AttributeError) as error:
        raise ClusterError(f"a worker cannot use hsigeo: {error}; install {ours} there") from error
    for worker, software in theirs.items():
        if software != ours:
            raise ClusterError(f"the worker {worker} has {software}, this process {ours}; maps would differ")


def compute_order(order: TileOrder) -> list[tuple[int, Tile]]:
    """What a worker does: open scene and model, or take those of the order before; read, classify.

    Raises
    ------
    ClusterError
        This machine sees other files, or has other software.
    HsigeoError
        As the readers and the model say.
    """
    work = _open_work(order.source)
    return list(compute_tiles(work, ((window, work.read(window)) for window in work.windows(order.tiles))))


@lru_cache(maxsize=4)
def _open_work(source: LineSource) -> LineWork:
    if source.software != _software():
        raise ClusterError(f"this worker has {_software()}, the client {source.software}; maps would differ")
    cube, model = open_cube(source.scene, reader=source.reader), cached_model(source.model)
    if FileStamp.of(Path(cube.header.data_path)) != source.stamp or describe_header(cube.header) != source.header:
        raise ClusterError(f"a worker sees another file at {source.scene} than the client; is the storage shared?")
    if model.digest != source.digest:
        raise ClusterError(f"a worker sees another model at {source.model} than the client; is the storage shared?")
    large = is_large(model, source.plan.pixels)
    if (kernel := describe_kernel(source.device, large=large)) != source.kernel:
        raise ClusterError(
            f"this worker has the kernel {kernel}, others {source.kernel}; a map would be made half with each"
        )
    scene = mark_dead_bands(open_scene(source.scene, reader=source.reader))
    return LineWork(
        cube=cube if source.cache is None else with_cache(cube, source.cache),
        model=model,
        match=match_scene(scene, model, fill_missing=source.fill_missing),
        fill_missing=source.fill_missing,
        pace=Pace(resolve_device(source.device)),
        layers=source.layers,
        plan=source.plan,
        window=source.window,
        limit=source.limit,
    )


def _device_kind(client: Client, wanted: str) -> str:
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    offered = any(worker.get("resources", {}).get("GPU") for worker in workers.values())
    if wanted == "cuda" and not offered:
        raise ClusterError("no worker offers a GPU; start them with `--nthreads 1 --resources GPU=1`, one for each GPU")
    return "cuda" if offered and wanted != "cpu" else "cpu"


def _common_kernels(client: Client, device: str) -> tuple[str, str]:
    """The forms of the fast loops that the workers use, for small scenes and for large ones."""
    return _common_kernel(client, device, large=False), _common_kernel(client, device, large=True)


def _common_kernel(client: Client, device: str, *, large: bool) -> str:
    """The form that all use, those with a GPU where it matters."""
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    asked = [name for name, worker in workers.items() if device == "cpu" or worker.get("resources", {}).get("GPU")]
    found: dict[str, str] = client.run(describe_kernel, device, large=large, workers=asked)
    first, *others = found
    for worker in others:
        if found[worker] != found[first]:
            raise ClusterError(
                f"the worker {worker} has the kernel {found[worker]}, {first} {found[first]}; a map would be made half "
                f"with each; install the same software on all, or set {VARIABLE}=plain"
            )
    return found[first]


def _software() -> str:
    return f"{SOFTWARE}, torch {torch.__version__}"


def _groups(tiles: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(tiles), size):
        yield tuple(tiles[start : start + size])
