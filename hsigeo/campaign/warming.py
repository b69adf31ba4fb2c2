"""Classifies a first piece, so that everything is loaded and the memory it takes is known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from hsigeo.band_matching import BandMatch
from hsigeo.campaign.pace import LEAST_BATCH, Pace, fitting_batch
from hsigeo.classification import answers_of_spectra
from hsigeo.io.scaling import Scaling
from hsigeo.io.spectra import PIECE_PIXELS, StoredBlock
from hsigeo.kernels.choice import choose_kernel
from hsigeo.memory import forget_peak, peak_memory, release_unused, resident_memory
from hsigeo.model import Model, batch_size

__all__ = ["Ready", "warm_up"]

_KEPT = 1.25
"""Measured: so much more than a first piece takes is what a thread comes to, with what its allocator keeps."""

_FIRST_PIXELS = 256
"""Enough for all to be loaded and made that is used at all."""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A process that has classified a few pixels in this thread, and a piece in another.

    Parameters
    ----------
    resident
        Bytes it takes now.
    thread
        Bytes that a further thread adds while it computes.
    pace
        With which to begin.
    """

    resident: int
    thread: int
    pace: Pace


def warm_up(model: Model, match: BandMatch, device: torch.device, limit: float | None, *, large: bool) -> Ready:
    """Compute a piece, so that whatever is loaded or made at first use is there, and see what it takes."""
    pace = Pace(device, LEAST_BATCH if device.type == "cuda" else None)

    def answers(spectra: NDArray[np.float32], device: torch.device, batch: int) -> None:
        model.network.to(device)
        answers_of_spectra(spectra, model=model, match=match, device=device, limit=limit, batch=batch, large=large)

    compiled = choose_kernel(device.type, large=large) == "cpu"

    def compute(pixels: int) -> None:
        # Compiled loops have room for odd pixels in any case; in torch, each takes its own.
        block = _make_block(len(match.used), pixels, odd_every=64 if compiled else 8)
        block = replace(block, compiled=compiled)
        pace.run(lambda device, batch: answers(block.spectra(), device, batch))

    compute(_FIRST_PIXELS)
    release_unused()
    before = resident_memory()
    forget_peak()
    _in_thread(lambda: compute(max(PIECE_PIXELS, pace.batch)))
    grown = max(0, peak_memory() - before)
    release_unused()
    return Ready(resident=resident_memory(), thread=int(_KEPT * grown), pace=_begin(pace, device))


def _begin(tried: Pace, device: torch.device) -> Pace:
    """The pace to begin with on a device, of which a small batch was tried."""
    if tried.device.type != "cuda":
        return tried if tried.device != device else Pace(device)
    return Pace(
        device,
        fitting_batch(
            batch_size(device),
            free=torch.cuda.mem_get_info(device)[0],
            pixel_bytes=torch.cuda.max_memory_allocated(device) // LEAST_BATCH,
        ),
    )


def _make_block(bands: int, pixels: int, *, odd_every: int) -> StoredBlock:
    """One pixel in so many is unlike any spectrum, for networks that look twice at what is odd."""
    odd = np.where(np.arange(bands) % 2, 0.9, 0.05).astype(np.float32)
    values = np.full((bands, 1, pixels), 0.3, dtype=np.float32)
    values[:, 0, ::odd_every] = odd[:, None]
    return StoredBlock(values=values, used=np.arange(bands), scaling=Scaling.constant(bands), nodata=None)


def _in_thread(compute: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            compute()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, name="hsigeo-warm-up")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
