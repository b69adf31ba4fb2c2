"""Pixels of the training scenes that nobody labelled, or whose labels are not asked for: a bounded sample.

The strategy here: labelled pixels are read chunk by chunk anyway, so the sample comes out of the same chunks, at no
more reading, and out of a few more, evenly spread, where labels lie close together. How many there are is bounded for
all scenes together, so time and memory are, whatever the size of the scenes and of the file's own blocks. The price: a
scene opened in other chunks gives other pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHUNKS", "MOST_PIXELS", "Place", "UnlabelledSpectra", "choose_places", "gather", "wanted"]

MOST_PIXELS = 4000
"""Of all scenes together; half as many do nearly as well (docs/model.md)."""

DRAWN = 2
"""So many are drawn for each that is wanted: some hold no data."""

CHUNKS = 8
"""Chunks read for them, of all scenes together but at least one of each; those with labels are read anyway."""

APART = 2
"""Pixels this close to one that is tested tell of its ground: a sensor's point spread reaches about that far."""

ROOM = 4
"""Where chunks are small, so many are read that they hold this many times what is drawn."""

SEED = 0
"""The same scene always gives the same pixels, whatever other scenes there are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Pixels of one scene.

    Parameters
    ----------
    row, col
        (pixel,) int64.
    """

    row: NDArray[np.int64]
    col: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, kw_only=True, eq=False)
class UnlabelledSpectra:
    """Spectra without classes, on the bands of the labelled ones that they go with.

    Parameters
    ----------
    spectra
        (pixel, band) float32, reflectance 0-1, finite.
    scene
        (pixel,) int32, which scene, from 0.
    row, col
        (pixel,) int64, position in that scene.
    """

    spectra: NDArray[np.float32]
    scene: NDArray[np.int32]
    row: NDArray[np.int64]
    col: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.spectra)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> UnlabelledSpectra:
        """The pixels at these positions, or where a mask is true."""
        return UnlabelledSpectra(
            spectra=self.spectra[index], scene=self.scene[index], row=self.row[index], col=self.col[index]
        )

    def apart_from(self, scene: NDArray[np.int32], tested: Place) -> UnlabelledSpectra:
        """Those that lie neither on tested pixels, given with their scenes (pixel,), nor beside them."""
        if not len(self) or not len(tested):
            return self
        width = int(max(self.col.max(), tested.col.max())) + 2 * APART + 1
        height = int(max(self.row.max(), tested.row.max())) + 2 * APART + 1
        own = (self.scene.astype(np.int64) * height + self.row) * width + self.col
        theirs = np.unique((scene.astype(np.int64) * height + tested.row) * width + tested.col)
        near = np.zeros(len(self), dtype=bool)
        for down in range(-APART, APART + 1):
            for right in range(-APART, APART + 1):
                near |= np.isin(own, theirs + down * width + right)
        return self.take(~near)


def choose_places(
    chunks: tuple[Sequence[int], Sequence[int]], labelled: Place, *, scenes: int = 1, most: int = MOST_PIXELS
) -> Place:
    """Pixels to read of one scene, in an order that is random: the first of them that hold data are the sample.

    Parameters
    ----------
    chunks
        Rows and columns of the scene's chunks.
    labelled
        Pixels that are read anyway.
    scenes
        How many scenes share `most`.
    most
        Pixels wanted of all scenes.
    """
    tops, lefts = (np.concatenate([[0], np.cumsum(sizes)]) for sizes in chunks)
    across = len(lefts) - 1
    needed = (np.searchsorted(tops, labelled.row, side="right") - 1) * across
    needed = np.unique(needed + np.searchsorted(lefts, labelled.col, side="right") - 1)
    drawn, count = DRAWN * wanted(most, scenes), (len(tops) - 1) * across
    room = -(-ROOM * drawn * count // max(1, tops[-1] * lefts[-1]))
    more = int(max(1, CHUNKS // scenes, room)) - len(needed)
    if more > 0 and drawn:
        needed = np.union1d(needed, _spread(np.setdiff1d(np.arange(count), needed), more))
    down, right = np.divmod(needed, across)
    heights, widths = np.diff(tops)[down], np.diff(lefts)[right]
    ends = np.cumsum(heights * widths)  # of each chunk, counting the pixels of all
    total = int(ends[-1]) if len(ends) else 0
    number = np.random.default_rng(SEED).choice(total, min(total, drawn), replace=False)
    chunk = np.searchsorted(ends, number, side="right")
    row, col = np.divmod(number - (ends - heights * widths)[chunk], widths[chunk])
    return Place(row=row + tops[down][chunk], col=col + lefts[right][chunk])


def wanted(most: int, scenes: int) -> int:
    """Pixels wanted of each of some scenes."""
    return -(-most // scenes)


def gather(parts: Sequence[tuple[NDArray[np.float32], Place]], most: int) -> UnlabelledSpectra | None:
    """Of each scene's spectra (pixel, band) and places the first `most` that hold data; `None` where none does."""
    found = []
    for number, (spectra, place) in enumerate(parts):
        chosen = np.flatnonzero(np.isfinite(spectra).all(axis=1))[:most]
        scene = np.full(len(chosen), number, dtype=np.int32)
        found.append((spectra[chosen], scene, place.row[chosen], place.col[chosen]))
    spectra, scene, row, col = (np.concatenate(values) for values in zip(*found, strict=True))
    if not len(spectra):
        return None
    return UnlabelledSpectra(spectra=np.ascontiguousarray(spectra), scene=scene, row=row, col=col)


def _spread(numbers: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """So many of some numbers, or all, evenly spread."""
    if count >= len(numbers):
        return numbers
    return numbers[((np.arange(count) + 0.5) * len(numbers) / count).astype(np.intp)]
