"""What the default network is timed on, whole and stage by stage."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.cubes import NOISE, make_library
from benchmarks.rounds import Cost, Stopwatch
from hsigeo.kernels import consensus as compiled
from hsigeo.kernels.choice import VARIABLE, Kernel
from hsigeo.kernels.compiling import part
from hsigeo.kernels.lanes import LANES
from hsigeo.kernels.screening import count_votes, screen
from hsigeo.model import Model, answer
from hsigeo.model.compiled import constants_of
from hsigeo.model.consensus import BandConsensus, ConsensusNetwork
from hsigeo.training.learning import train_on_spectra

__all__ = ["Subject", "make_subject", "stage_times"]

BATCH = 512
"""As `hsigeo.model` runs plain torch on a CPU."""

TURNS = 20
"""How often a stage is gone through in one call."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A model, and pixels to ask it about.

    Parameters
    ----------
    spectra
        (pixel, band) float32.
    """

    model: Model
    spectra: NDArray[np.float32]

    def ask(self, kernel: Kernel, *, measured: bool = False) -> NDArray[np.float32]:
        """Answers from a form of the network, in this thread."""
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = kernel
        try:
            return answer(self.model, self.spectra, measured=measured)
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before

    def time(self, kernel: Kernel, *, measured: bool = False) -> Cost:
        """What asking takes."""
        watch = Stopwatch()
        with watch.running():
            self.ask(kernel, measured=measured)
        return watch.cost

    def error_of(self, kernel: Kernel) -> float:
        """How far probabilities are off those of plain torch in double precision, at most."""
        network = copy.deepcopy(self.model.network).double()
        with torch.inference_mode():
            batches = torch.split(torch.from_numpy(self.spectra).double(), BATCH)
            logits = torch.cat([network(batch) for batch in batches])
            exact = torch.softmax(logits / self.model.card.temperature, dim=1)
        return float(np.abs(self.ask(kernel).T - exact.numpy()).max())

    @property
    def odd_share(self) -> float:
        """Share of the pixels in which a token is contradicted."""
        network, odd = self.model.network, 0
        assert isinstance(network, ConsensusNetwork)
        with torch.inference_mode():
            for batch in torch.split(torch.from_numpy(self.spectra), BATCH):
                tokens = network.tokens(batch)
                odd += int(contradicted(network.consensus, tokens).sum())
        return odd / len(self.spectra)


def contradicted(consensus: BandConsensus, tokens: torch.Tensor) -> torch.Tensor:
    """(pixel,) whether a token (pixel, token, number) is contradicted, by plain torch."""
    return (consensus.contradiction(tokens, consensus.agree(tokens)) > 1).any(dim=1)


def make_subject(bands: int, *, classes: int, pixels: int, odd: float, seed: int = 0) -> Subject:
    """A model trained on invented materials, and mixtures of them, of which a share has a stretch of dead bands."""
    library = make_library(bands, classes=classes)
    random = np.random.default_rng(seed)
    share = random.random((pixels, 1))
    first, second = random.integers(len(library.spectra), size=(2, pixels))
    mixed = share * library.spectra[first] + (1 - share) * library.spectra[second]
    mixed += NOISE * random.normal(size=mixed.shape)
    mixed[random.random(pixels) < odd, bands // 3 : bands // 2] = 0.0
    model = train_on_spectra(library.as_labelled_spectra(), check=False)
    return Subject(model=model, spectra=mixed.astype(np.float32))


def stage_times(subject: Subject, repeats: int) -> dict[str, tuple[float, float]]:
    """Microseconds a pixel of each stage, compiled and plain; none of the pixels is settled."""
    compiled_stages, plain_stages = _compiled_stages(subject), _plain_stages(subject)
    pixels = LANES * TURNS
    return {
        name: (_microseconds(compiled_stages[name], pixels, repeats), _microseconds(plain_stages[name], BATCH, repeats))
        for name in compiled_stages
    }


def _compiled_stages(subject: Subject) -> dict[str, Callable[[], object]]:
    constants, spectra = constants_of(subject.model), subject.spectra
    tile, pixels = compiled._make_tile(constants), np.arange(LANES) % len(spectra)
    by_band = np.empty((spectra.shape[1], 0), dtype=np.float32)
    looking, clearing, remembering, measuring = (_repeat(stage) for stage in (_look, _clear, _remember, _measure))

    def run(stage: Callable[..., object]) -> Callable[[], object]:
        return lambda: stage(constants, spectra, by_band, pixels, tile)

    stages = {
        "channels, tokens, coordinates, linear evidence": run(looking),
        "contradiction": run(clearing),
        "memory, probabilities": run(remembering),
        "distance": run(measuring),
    }
    for stage in stages.values():  # each works on what those before it left in the tile
        stage()
    return stages


def _repeat(stage: Callable[..., None]) -> Callable[..., object]:
    """A stage several times in one call: handing over the constants takes as long as a tile does."""

    @part()
    def run(constants: Any, spectra: Any, by_band: Any, pixels: Any, tile: Any) -> None:
        for _ in range(TURNS):
            stage(constants, spectra, by_band, pixels, tile)

    return run


@part()
def _look(constants: Any, spectra: Any, by_band: Any, pixels: Any, tile: Any) -> None:
    compiled._look(constants, spectra, by_band, pixels, tile)
    compiled._listen(constants, tile, False)


@part()
def _clear(constants: Any, _spectra: Any, _by_band: Any, _pixels: Any, tile: Any) -> None:
    for stretch in range(len(constants.allowed)):
        length = constants.stretches[stretch + 1] - constants.stretches[stretch]
        count_votes(constants, tile, stretch, 3 * constants.sizes[1] * length)
    screen(constants, tile, tile.spare)


@part()
def _remember(constants: Any, _spectra: Any, _by_band: Any, _pixels: Any, tile: Any) -> None:
    compiled._remember(constants, tile)


@part()
def _measure(constants: Any, _spectra: Any, _by_band: Any, _pixels: Any, tile: Any) -> None:
    compiled._measure(constants, tile)


def _plain_stages(subject: Subject) -> dict[str, Callable[[], object]]:
    network, novelty = subject.model.network, subject.model.novelty
    assert isinstance(network, ConsensusNetwork)
    assert novelty is not None
    pixels = torch.from_numpy(subject.spectra[np.arange(BATCH) % len(subject.spectra)])
    share = network.linear_share

    def look() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        tokens = network.tokens(pixels)
        query = network.consensus.embed(tokens)
        return tokens, query, network.linear(network.reflectance(tokens), query)

    def remember() -> torch.Tensor:
        found = (1 - share) * network.memory(query).evidence.log_softmax(dim=-1) + share * linear.log_softmax(dim=-1)
        return torch.softmax(found, dim=1)

    tokens, query, linear = look()
    return {
        "channels, tokens, coordinates, linear evidence": look,
        "contradiction": lambda: contradicted(network.consensus, tokens).any(),
        "memory, probabilities": remember,
        "distance": lambda: novelty.distance(query),
    }


def _microseconds(stage: Callable[[], object], pixels: int, repeats: int) -> float:
    times = []
    with torch.inference_mode():
        stage()  # compiled, and in the cache
        for _ in range(repeats):
            start = time.perf_counter()
            stage()
            times.append(time.perf_counter() - start)
    return 1e6 * median(times) / pixels
