"""What the default network is timed on, whole and stage by stage."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.cubes import NOISE, make_library
from benchmarks.rounds import Cost, Stopwatch
from hsigeo.kernels import consensus as compiled
from hsigeo.kernels.choice import VARIABLE, Kernel
from hsigeo.kernels.lanes import LANES
from hsigeo.kernels.screening import screen
from hsigeo.kernels.tokens import gather, make_tokens
from hsigeo.model import Model, answer
from hsigeo.model.compiled import constants_of
from hsigeo.model.consensus import BandConsensus, ConsensusNetwork
from hsigeo.training.learning import train_on_spectra

__all__ = ["Subject", "make_subject", "stage_times"]

BATCH = 512
"""As `hsigeo.model` runs plain torch on a CPU."""


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
            parts = torch.split(torch.from_numpy(self.spectra).double(), BATCH)
            logits = torch.cat([network(part) for part in parts])
            exact = torch.softmax(logits / self.model.card.temperature, dim=1)
        return float(np.abs(self.ask(kernel).T - exact.numpy()).max())

    @property
    def odd_share(self) -> float:
        """Share of the pixels in which a token is contradicted."""
        network, odd = self.model.network, 0
        assert isinstance(network, ConsensusNetwork)
        with torch.inference_mode():
            for part in torch.split(torch.from_numpy(self.spectra), BATCH):
                tokens = network.tokens(part)
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
    return {
        name: (_microseconds(compiled_stages[name], LANES, repeats), _microseconds(plain_stages[name], BATCH, repeats))
        for name in compiled_stages
    }


def _compiled_stages(subject: Subject) -> dict[str, Callable[[], object]]:
    constants, spectra = constants_of(subject.model), subject.spectra
    tile, pixels = compiled._make_tile(constants), np.arange(LANES) % len(spectra)
    no_bands = np.empty((spectra.shape[1], 0), dtype=np.float32)

    def channels() -> None:
        gather(spectra, no_bands, pixels, tile.reflectance)
        make_tokens(constants, tile.reflectance, tile.logs, tile.tokens)

    channels()
    return {
        "channels and tokens": channels,
        "consensus, contradiction": lambda: screen(constants, tile, tile.spare),
        "embedding, memory, linear evidence, probabilities": lambda: compiled._vote(constants, tile),
        "distance": lambda: compiled._measure(constants, tile),
    }


def _plain_stages(subject: Subject) -> dict[str, Callable[[], object]]:
    network, novelty = subject.model.network, subject.model.novelty
    assert isinstance(network, ConsensusNetwork)
    assert novelty is not None
    pixels = torch.from_numpy(subject.spectra[np.arange(BATCH) % len(subject.spectra)])
    tokens = network.tokens(pixels)
    query = network.consensus.embed(tokens)
    return {
        "channels and tokens": lambda: network.tokens(pixels),
        "consensus, contradiction": lambda: contradicted(network.consensus, tokens).any(),
        "embedding, memory, linear evidence, probabilities": lambda: torch.softmax(
            network.decide(tokens, network.consensus.embed(tokens)), dim=1
        ),
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
