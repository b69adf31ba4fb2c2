"""Measuring one method on one split, and remembering it."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import functools
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.accuracy.methods import Method
from benchmarks.accuracy.splits import Split
from hsigeo.atomic import replaced_on_success
from hsigeo.metrics import Accuracy, confusion_matrix

__all__ = ["Cache", "CacheError", "Result", "measure", "one_thread"]

FORMAT = 1


class CacheError(ValueError):
    """The file of remembered results is not one."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one method did on one split.

    Parameters
    ----------
    overall, average
        Overall and average accuracy, percent.
    train_seconds
        CPU seconds of training on one thread, search for settings included: what else the machine does hardly shows.
    wall_seconds
        The same by the clock on the wall.
    date
        ISO 8601, UTC.
    machine
        What it ran on.
    """

    overall: float
    average: float
    train_seconds: float
    wall_seconds: float
    date: str
    machine: str


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let neither torch nor BLAS nor OpenMP use more than one thread, so that times compare."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def measure(method: Method, split: Split) -> Result:
    """Train, predict, compare."""
    with one_thread():
        wall, cpu = time.perf_counter(), time.process_time()
        predict = method.fit(split)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        guess = predict(split.test_spectra)
    classes = int(split.train_labels.max()) + 1
    confusion = confusion_matrix(split.test_labels + 1, np.asarray(guess, dtype=np.int64) + 1, classes)
    accuracy = Accuracy(names=tuple(map(str, range(classes))), confusion=confusion)
    return Result(
        overall=100 * accuracy.overall,
        average=100 * accuracy.average,
        train_seconds=cpu,
        wall_seconds=wall,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=describe_machine(),
    )


@functools.cache
def describe_machine() -> str:
    """Processor, number of cores, and Python's version."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


class Cache:
    """Results in a JSON file that is whole at any time; several runs may share it.

    Parameters
    ----------
    path
        `None` remembers for the life of the object only.

    Raises
    ------
    CacheError
        The file is there and holds something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._results = {} if path is None else _read(path)

    def get(self, name: str, method: Method, split: Split) -> Result | None:
        """What was measured with this code on these data, if it was."""
        return self._results.get(_key(name, method, split))

    def put(self, name: str, method: Method, split: Split, result: Result) -> None:
        """Remember, and keep what other runs have added to the file meanwhile."""
        self._results[_key(name, method, split)] = result
        if self._path is None:
            return
        with _locked(self._path):
            self._results = _read(self._path) | self._results
            document = {"format": FORMAT, "results": {key: asdict(value) for key, value in self._results.items()}}
            with replaced_on_success(self._path, overwrite=True) as temporary:
                temporary.write_text(json.dumps(document, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def _key(name: str, method: Method, split: Split) -> str:
    digest = split.digest_with_scene if method.reads_scene else split.digest
    return f"{name} {method.digest} | {split.task} {digest} | {split.seed}"


def _read(path: Path) -> dict[str, Result]:
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise CacheError(
                f"{path} has format {document['format']!r}; this version reads {FORMAT}; name another file"
            )
        return {str(key): _parse_result(value) for key, value in document["results"].items()}
    except CacheError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CacheError(f"{path} does not hold results of this benchmark ({error}); name another file") from error


def _parse_result(value: dict[str, Any]) -> Result:
    return Result(
        overall=float(value["overall"]),
        average=float(value["average"]),
        train_seconds=float(value["train_seconds"]),
        wall_seconds=float(value["wall_seconds"]),
        date=str(value["date"]),
        machine=str(value["machine"]),
    )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    # A file of its own: the results file is replaced, and a lock on the old one would guard nothing.
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
