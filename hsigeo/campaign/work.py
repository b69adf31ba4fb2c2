"""The tiles of one line: what to read, and how a block of the scene becomes a tile of the map.

Tiles are strips of rows whose size depends on the scene alone (`hsigeo.tiling.plan_strips`). What is read at once
depends on memory and on the file (`hsigeo.campaign.budget`): several strips where the file's own blocks are higher, a
part of one where memory is short. Neither changes a bit of the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsigeo.band_matching import BandMatch
from hsigeo.campaign.pace import Pace
from hsigeo.campaign.pieces import compute_ahead
from hsigeo.classification import answers_of_spectra, class_ids, most_probable
from hsigeo.io.cube import Cube
from hsigeo.io.spectra import PIECE_PIXELS, StoredBlock, announce_blocks, read_block, span_of
from hsigeo.kernels.choice import choose_kernel
from hsigeo.model import Model, is_large
from hsigeo.partial import PartialLayer
from hsigeo.tiling import TilePlan, WindowPlan

__all__ = ["Buffer", "LineWork", "Tile", "Window", "compute_tiles", "partial_layers"]

Buffer = NDArray[np.uint8]
Tile = dict[str, NDArray[Any]]
Window = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True, eq=False)
class LineWork:
    """All that computing a line's tiles takes.

    Parameters
    ----------
    cube, model, match, fill_missing
        The scene, the model, which bands serve it, and whether it may lack some.
    pace
        Where the network runs, and with how many pixels at once.
    layers
        Which layers a tile has.
    plan
        The tiles.
    window
        What is read at once.
    limit
        Distance beyond which a pixel is unlike anything learnt; `None` if that is not asked.
    """

    cube: Cube
    model: Model
    match: BandMatch
    fill_missing: bool = False
    pace: Pace
    layers: tuple[str, ...]
    plan: TilePlan
    window: WindowPlan
    limit: float | None = None

    @property
    def is_large(self) -> bool:
        """Whether compiled loops pay."""
        return is_large(self.model, self.plan.pixels)

    def windows(self, tiles: Sequence[int]) -> Iterator[Window]:
        """What to read, one window after the other; tiles become complete in ascending order."""
        return self.window.windows(self.plan, tiles)

    def make_buffer(self) -> Buffer:
        """(byte,) room for the largest window."""
        pixels = min(self.window.rows, self.plan.lines) * self.window.columns
        bands = span_of(self.match.used)
        return np.empty(pixels * (bands.stop - bands.start) * self.cube.header.dtype.itemsize, dtype=np.uint8)

    def read(self, window: Window, into: Buffer | None = None) -> StoredBlock:
        """The used bands of a window, as the file has them.

        Parameters
        ----------
        into
            As `make_buffer` gives it; the block then lies in it.

        Raises
        ------
        SceneError
            The file is damaged or has changed.
        """
        compiled = choose_kernel(self.pace.device.type, large=self.is_large) == "cpu"
        return read_block(self.cube, self.match.used, *window, into=into, compiled=compiled)

    def announce(self, windows: Sequence[Window]) -> None:
        """Say what will be read soon."""
        announce_blocks(self.cube, self.match.used, windows)

    def compute(self, spectra: NDArray[np.float32]) -> Tile:
        """The layers (…, pixel) of spectra (pixel, used band)."""

        def ask(device: torch.device, batch: int) -> NDArray[np.float32]:
            self.model.network.to(device)
            return answers_of_spectra(
                spectra,
                model=self.model,
                match=self.match,
                device=device,
                limit=self.limit,
                batch=batch,
                large=self.is_large,
            )

        answers = self.pace.run(ask)
        probability = answers[: len(self.model.card.classes)]
        made: Tile = {"class_id": most_probable(probability, ids=class_ids(self.model.card.classes))}
        if "confidence" in self.layers:
            made["confidence"] = probability.max(axis=0)
        if "probability" in self.layers:
            made["probability"] = probability
        if "distance" in self.layers:
            made["distance"] = answers[-1]
        return made


def compute_tiles(
    work: LineWork, blocks: Iterable[tuple[Window, StoredBlock]], pool: Executor | None = None
) -> Iterator[tuple[int, Tile]]:
    """Tiles out of windows that were read, in the order of `LineWork.windows`, each as soon as it is complete.

    The next window is taken before the tiles of this one are done.
    """
    size = PIECE_PIXELS if work.pace.device.type == "cpu" else max(PIECE_PIXELS, work.pace.batch)
    begun: dict[int, _Begun] = {}
    for (rows, cols), made in compute_ahead(blocks, work.compute, pool, pixels=size):
        for tile, inside in _cut(work.plan, rows):
            part = {
                name: values[..., inside.start - rows.start : inside.stop - rows.start, :]
                for name, values in made.items()
            }
            whole = work.plan.rows_of(tile)
            if (inside, cols.stop - cols.start) == (whole, work.plan.samples):
                yield tile, part
                continue
            if tile not in begun:
                begun[tile] = _Begun.of(part, (whole.stop - whole.start, work.plan.samples))
            begun[tile].fill(part, slice(inside.start - whole.start, inside.stop - whole.start), cols)
            if not begun[tile].missing:
                yield tile, begun.pop(tile).parts


@dataclass
class _Begun:
    """A tile of which some windows are still to come."""

    parts: Tile
    missing: int

    @classmethod
    def of(cls, part: Tile, shape: tuple[int, int]) -> _Begun:
        """Nothing yet of a tile of this shape; `part` says which layers and types it has."""
        parts = {name: np.empty((*values.shape[:-2], *shape), dtype=values.dtype) for name, values in part.items()}
        return cls(parts, shape[0] * shape[1])

    def fill(self, part: Tile, rows: slice, cols: slice) -> None:
        """Put the layers of a window where they belong."""
        for name, values in part.items():
            self.parts[name][..., rows, cols] = values
        self.missing -= (rows.stop - rows.start) * (cols.stop - cols.start)


def _cut(plan: TilePlan, rows: slice) -> Iterator[tuple[int, slice]]:
    """The tiles that some rows belong to, and which rows to each."""
    for tile in range(rows.start // plan.rows, -(-rows.stop // plan.rows)):
        whole = plan.rows_of(tile)
        yield tile, slice(max(rows.start, whole.start), min(rows.stop, whole.stop))


def partial_layers(model: Model, names: Sequence[str]) -> tuple[PartialLayer, ...]:
    """How the layers of a classification are kept on disk until the map is whole."""
    known = {
        "class_id": PartialLayer(name="class_id", dtype=model.card.classes.dtype),
        "confidence": PartialLayer(name="confidence", dtype="float32"),
        "probability": PartialLayer(name="probability", dtype="float32", bands=len(model.card.classes)),
        "distance": PartialLayer(name="distance", dtype="float32"),
    }
    return tuple(known[name] for name in names)
