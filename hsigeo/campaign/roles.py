"""The parts of a run besides its lines: the engine that computes, the settings, the listener."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from hsigeo.campaign.work import LineWork, Tile

__all__ = ["Engine", "Listener", "Settings"]


class Engine(Protocol):
    """Computes tiles, here or elsewhere."""

    @property
    def device(self) -> torch.device:
        """What this process has, for what it computes itself."""

    @property
    def device_kind(self) -> str:
        """Where the tiles are computed: ``cpu`` or ``cuda``."""

    def kernel(self, large: bool) -> str:
        """With what those of a scene, large or small, are computed: `hsigeo.kernels.choice.describe_kernel` there."""

    @property
    def threads(self) -> int:
        """How many threads of a process compute."""

    @property
    def lines_at_once(self) -> int:
        """How many lines to work on together: more than one where others compute while this process writes."""

    def compute(
        self, work: LineWork, tiles: Sequence[int], is_stopping: Callable[[], bool]
    ) -> Generator[tuple[int, Tile], None, None]:
        """Each of the tiles once, in any order, or fewer once `is_stopping` says so. Closed when the caller leaves."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What holds for all lines alike.

    Parameters
    ----------
    device
        Where this process computes.
    device_kind
        Where the tiles are computed, which may be elsewhere: ``cpu`` or ``cuda``.
    kernel
        With what they are computed there, `Engine.kernel`.
    max_memory
        Bytes that this process may have resident; `None` for a quarter of what it may use.
    threads
        That compute.
    overwrite
        Replace outputs of other scenes, models or options.
    skip_finished
        A map that is there and is what would be made need not be made again.
    strict
        Refuse scenes whose values are doubtful, rather than say so.
    wait
        Wait for another process that is at work on the same line, and take over if it dies.
    """

    device: torch.device
    device_kind: str
    kernel: Callable[[bool], str]
    max_memory: int | None = None
    threads: int = 1
    overwrite: bool = False
    skip_finished: bool = True
    strict: bool = False
    wait: bool = False


def _silent(_: Any) -> None:
    pass


def _go_on() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Whom to tell.

    Parameters
    ----------
    say
        Takes a sentence.
    advance
        Takes a number of pixels that were made now.
    skip
        Takes a number of pixels that need not be made: an earlier run did, or the line failed.
    is_stopping
        Says whether to stop after the current tile.
    """

    say: Callable[[str], None] = _silent
    advance: Callable[[int], None] = _silent
    skip: Callable[[int], None] = _silent
    is_stopping: Callable[[], bool] = _go_on
