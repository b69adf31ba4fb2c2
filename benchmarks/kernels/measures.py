"""What is timed: embedding, training steps, the bare weights beside a C loop, and the layers after attention."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.kernels.c_loop import compile_loop
from benchmarks.kernels.rivals import MULTI_HEAD, OWN, Problem, Way, draw_logits, kernel_of
from benchmarks.rounds import Cost, Stopwatch, run_rounds
from hsigeo.kernels.attention import BandLogits, attention_weights
from hsigeo.model.plain import PlainNetwork

__all__ = ["Costs", "time_after_attention", "time_batches", "time_embedding", "time_loop", "time_training"]

Costs = dict[str, list[float]]
"""Seconds per pixel of each round, by name."""

BATCHES = (8, 16, 32, 64, 128, 256, 512)


def _rounds(works: Mapping[str, tuple[Callable[[], object], int]], repeats: int, what: str) -> Costs:
    """Seconds per pixel of (something to do, how many pixels that is), in turn, after one go unmeasured."""

    def measure(name: str) -> Cost:
        watch = Stopwatch()
        with kernel_of(name), watch.running():
            works[name][0]()
        return watch.cost

    for name in works:
        measure(name)
    with tqdm(total=repeats * len(works), desc=what, unit="measure", leave=False, disable=None) as bar:
        found = run_rounds({name: partial(measure, name) for name in works}, repeats, done=bar.update)
    return {name: [cost.wall / works[name][1] for cost in costs] for name, costs in found.items()}


def _values(pixels: int, bands: int) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(pixels, bands)


def time_embedding(problem: Problem, *, pixels: int, repeats: int) -> tuple[Costs, dict[str, int]]:
    """Embedding of pixels that nobody trains on, and the batches that were best.

    Every way is timed with torch's threads inside its operations and with a batch a core, as hsigeo works (without
    hsigeo's own in the former, which is not how it is used). The slow ones get fewer pixels.
    """
    works: dict[str, tuple[Callable[[], object], int]] = {}
    batches = {}
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for way_name, way in problem.ways().items():
            for arrangement, threads in {"a batch a core": pool, "torch's threads": None}.items():
                if way_name == OWN and threads is None:
                    continue
                name = f"{way_name}, {arrangement}"
                with kernel_of(name):
                    batch = _best_batch(way, problem, pixels, threads)
                count = pixels if way_name == OWN else pixels // 8
                parts = torch.split(_values(max(2 * batch, count // batch * batch), len(problem.places)), batch)
                works[name] = partial(_embed, way, parts, threads), batch * len(parts)
                batches[name] = batch
        return _rounds(works, repeats, "embedding"), batches


def time_batches(problem: Problem, batches: Mapping[str, int], *, repeats: int) -> Costs:
    """Embedding of one batch by one thread, for some of the ways."""
    most, ways = torch.get_num_threads(), problem.ways()
    works: dict[str, tuple[Callable[[], object], int]] = {
        name: (partial(_embed, ways[name], [_values(batch, len(problem.places))], None), batch)
        for name, batch in batches.items()
    }
    torch.set_num_threads(1)
    try:
        return _rounds(works, repeats, "batches")
    finally:
        torch.set_num_threads(most)


def _best_batch(way: Way, problem: Problem, pixels: int, pool: Executor | None) -> int:
    """The batch at which a way is fastest, the better of two tries each."""
    rates: dict[int, float] = {}
    for batch in [size for size in BATCHES if size <= pixels]:
        parts = torch.split(_values(max(2 * batch, min(128, pixels)), len(problem.places)), batch)
        for _ in range(3):
            began = time.perf_counter()
            _embed(way, parts, pool)
            rate = batch * len(parts) / (time.perf_counter() - began)
            rates[batch] = max(rate, rates.get(batch, 0.0))
    return max(rates, key=rates.__getitem__)


def _embed(way: Way, parts: Sequence[Tensor], pool: Executor | None) -> None:
    def one(part: Tensor) -> None:
        with torch.inference_mode():
            way(part)

    def alone(part: Tensor) -> None:
        torch.set_num_threads(1)  # of this thread
        one(part)

    for _ in map(one, parts) if pool is None else pool.map(alone, parts):
        pass


def time_training(problem: Problem, *, batch: int, threads: int, repeats: int) -> Costs:
    """Forward and backward, with a gradient for everything that training changes."""
    values, ways, most = _values(batch, len(problem.places)), problem.ways(), torch.get_num_threads()
    # torch's layer has weights of its own, and does not take its fast path in training.
    del ways[MULTI_HEAD]

    def step(way: Way) -> None:
        torch.autograd.grad(way(values).square().sum(), problem.weights)

    torch.set_num_threads(threads)
    try:
        return _rounds({name: (partial(step, way), batch) for name, way in ways.items()}, repeats, "training")
    finally:
        torch.set_num_threads(most)


def time_loop(*, bands: int, heads: int, pixels: int, repeats: int) -> Costs:
    """The bare weights, compiled by numba and by a C compiler.

    Raises
    ------
    NoCompilerError
        There is no C compiler.
    """
    values, logits = _values(pixels, bands), draw_logits(bands=bands, heads=heads)
    with TemporaryDirectory() as folder:
        loop = compile_loop(Path(folder))
        torch.testing.assert_close(loop(values[:8], logits), attention_weights(values[:8], logits), rtol=1e-4, atol=0)
        ways = {"hsigeo's kernel": attention_weights, "C loop, unprotected": loop}
        parts = torch.split(values, min(512, -(-pixels // torch.get_num_threads())))
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            works: dict[str, tuple[Callable[[], object], int]] = {
                name: (partial(_embed, partial(_weigh, way, logits), parts, pool), pixels) for name, way in ways.items()
            }
            return _rounds(works, repeats, "C loop")


def _weigh(way: Callable[[Tensor, BandLogits], Tensor], logits: BandLogits, values: Tensor) -> Tensor:
    return way(values, logits)


def time_after_attention(*, bands: int, heads: int, width: int, pixels: int, repeats: int) -> Costs:
    """The whole plain network, and its attention weights alone."""
    torch.manual_seed(0)
    network = PlainNetwork(bands=bands, classes=16, width=width, heads=heads, prototypes=160).eval()
    values, logits = _values(pixels, bands), draw_logits(bands=bands, heads=heads)
    most = torch.get_num_threads()

    def whole() -> None:
        with torch.inference_mode():
            network(values)

    def attention() -> None:
        with torch.inference_mode():
            attention_weights(values, logits)

    torch.set_num_threads(1)  # as hsigeo works: a batch a core
    try:
        return _rounds({"network": (whole, pixels), "attention": (attention, pixels)}, repeats, "layers")
    finally:
        torch.set_num_threads(most)
