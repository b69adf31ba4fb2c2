"""Batch size and device of a run, reduced when a GPU runs out of memory.

A GPU is often shared, so what is free when a run starts may be gone an hour later. A batch that does not fit is halved;
if even the smallest does not fit, the rest of the line is computed on the CPU. Each step is reported. Results change by
no more than the last bits of a probability, as they do from one GPU to another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import torch

from hsigeo.model import batch_size

__all__ = ["LEAST_BATCH", "Pace", "fitting_batch"]

LEAST_BATCH = 256
_SHARE = 0.5
"""Share of the free memory that a batch may take; the rest allows for fragmentation and other processes."""

T = TypeVar("T")


def fitting_batch(wanted: int, *, free: int, pixel_bytes: int) -> int:
    """The largest half, quarter… of a batch that fits, and not less than `LEAST_BATCH`.

    Parameters
    ----------
    wanted
        Pixels, as many as are worth it.
    free, pixel_bytes
        Bytes that the GPU has free, and that a pixel takes.
    """
    batch = wanted
    while batch > LEAST_BATCH and batch * pixel_bytes > _SHARE * free:
        batch //= 2
    return max(batch, min(wanted, LEAST_BATCH))


class Pace:
    """Batches for a device; slower ones when its memory does not suffice. Threads may share it.

    Parameters
    ----------
    device
        Where to begin.
    batch
        Pixels at once; by default what suits the device.
    """

    def __init__(self, device: torch.device, batch: int | None = None) -> None:
        self._lock = threading.Lock()
        self._device, self._batch = device, batch or batch_size(device)
        self._notes: list[str] = []

    @property
    def device(self) -> torch.device:
        """Where it goes now."""
        return self._device

    @property
    def batch(self) -> int:
        """Pixels at once now."""
        return self._batch

    def take_notes(self) -> list[str]:
        """What has changed since this was last asked, as sentences."""
        with self._lock:
            notes, self._notes = self._notes, []
        return notes

    def run(self, compute: Callable[[torch.device, int], T]) -> T:
        """What `compute` gives for a device and a batch, at the first pace that its memory suffices for."""
        while True:
            device, batch = self._device, self._batch
            try:
                return compute(device, batch)
            except torch.cuda.OutOfMemoryError:
                if device.type == "cpu":
                    raise
                self._slow_down(device, batch)
            # Outside of the handler, whose error holds on to the tensors of the attempt.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _slow_down(self, device: torch.device, batch: int) -> None:
        with self._lock:
            if (device, batch) != (self._device, self._batch):
                return  # another thread has done so
            if batch // 2 >= LEAST_BATCH:
                self._batch = batch // 2
                self._notes.append(f"{device} is out of memory: batches of {self._batch} pixels instead of {batch}")
            else:
                self._device = torch.device("cpu")
                self._batch = batch_size(self._device)
                self._notes.append(
                    f"{device} is out of memory even for {batch} pixels; the rest is computed on the CPU"
                )
