"""The options of ``hsigeo classify`` that apply to all scenes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsigeo.errors import HsigeoError, MemoryLimitError, ModelNotFoundError, SceneNotFoundError
from hsigeo.io.readers.registry import is_scene
from hsigeo.limits import usable_memory

if TYPE_CHECKING:
    from hsigeo.campaign.roles import Engine, Settings

__all__ = ["Choices", "fetch_start", "find_model", "memory_in_use"]

_FETCHED_BYTES = 256 << 20
"""What a slow disk delivers in that second, and more. Pages that are not needed in the end go when others are."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the options say about every scene alike."""

    model_path: str | None
    options: Mapping[str, Any]
    reader: str | None
    device: str
    max_memory: int | None
    threads: int | None
    scheduler: str | None
    scheduler_file: str | None
    strict: bool
    dry_run: bool
    retry_failed: bool
    overwrite: bool

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """What computes the tiles: the threads of this process, or a cluster."""
        if self.threads is not None:
            # GDAL's own, for blocks and outputs, and torch's, which it counts when it is imported below.
            for name in ("GDAL_NUM_THREADS", "OMP_NUM_THREADS"):
                os.environ.setdefault(name, str(self.threads))
        from hsigeo.campaign.local import local_engine
        from hsigeo.model import resolve_device

        if self.scheduler is None and self.scheduler_file is None:
            with local_engine(resolve_device(self.device), threads=self.threads) as local:
                yield local
            return
        from hsigeo.campaign.cluster import cluster_engine

        with cluster_engine(self.scheduler, scheduler_file=self.scheduler_file, device=self.device) as cluster:
            yield cluster

    def settings(self, engine: Engine, *, is_campaign: bool) -> Settings:
        """As the lines take them."""
        from hsigeo.campaign.roles import Settings

        return Settings(
            device=engine.device,
            device_kind=engine.device_kind,
            kernel=engine.kernel,
            max_memory=self.max_memory,
            threads=engine.threads,
            overwrite=self.overwrite,
            skip_finished=is_campaign,
            strict=self.strict,
        )


def fetch_start(scene: str, reader: str | None) -> None:
    """Have the disk fetch the first pixels of an ENVI scene while torch is imported, which takes a second.

    A hint: a scene that cannot be opened is reported when its turn comes.
    """
    import numpy as np

    from hsigeo.io.cube_reader import open_cube
    from hsigeo.io.envi.datafile import find_header
    from hsigeo.io.spectra import announce_start

    with contextlib.suppress(HsigeoError, OSError):
        if Path(scene).suffix.lower() == ".hdr" or find_header(Path(scene)) is not None:
            cube = open_cube(scene, reader=reader)
            announce_start(cube, np.arange(cube.header.bands.count), min(_FETCHED_BYTES, usable_memory() // 16))


@contextmanager
def memory_in_use() -> Iterator[None]:
    """Errors about memory name the option.

    Raises
    ------
    click.UsageError
        A `MemoryLimitError` of the block.
    """
    try:
        yield
    except MemoryLimitError as error:
        raise click.UsageError(f"--max-memory is too small: {error}") from error


def find_model(scene: str, given: str | None) -> str:
    """The model given, else the one beside the scene, else the one in the environment.

    Raises
    ------
    ModelNotFoundError, SceneNotFoundError
        There is none, or no scene that it could be of.
    """
    if given is not None:
        return given
    beside = Path(scene).with_suffix(".safetensors")
    if beside.is_file():
        return str(beside)
    if os.environ.get("HSIGEO_MODEL"):
        return os.environ["HSIGEO_MODEL"]
    if Path(scene).is_dir() and not is_scene(Path(scene)):
        raise SceneNotFoundError(f"the folder {scene} holds no scene (ENVI .hdr, GeoTIFF, product of a sensor)")
    if not Path(scene).exists():
        raise SceneNotFoundError(f"{scene}: there is no such file")
    raise ModelNotFoundError(
        f"no model for {scene}: {beside} does not exist and $HSIGEO_MODEL is not set; give --model FILE, "
        f"or make one with `hsigeo train {scene} --labels LABELS -o {beside}`"
    )
