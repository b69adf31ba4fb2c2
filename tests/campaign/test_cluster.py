"""A real scheduler and real workers on this machine: they make what one process makes, to the byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from distributed import Client
from flight_lines import BANDS, write_line
from labelled_spectra import make_model

from hsigeo.campaign import cluster
from hsigeo.campaign.cluster import LineSource, TileOrder, compute_order
from hsigeo.campaign.job import describe_header
from hsigeo.cli.main import cli
from hsigeo.errors import ClusterError
from hsigeo.io import open_cube
from hsigeo.kernels.choice import describe_kernel
from hsigeo.model import write_model
from hsigeo.tiling import WindowPlan, plan_strips

LINES, SAMPLES = 900, 400
RUN = "from hsigeo.cli import main; main()"


STARTING_SECONDS = 240
"""How long a scheduler and workers may take to start, on a machine that is busy with other things."""


def start(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": f"{STARTING_SECONDS}s"},
    )


def wait_for(happened: Callable[[], object], process: subprocess.Popen[Any]) -> None:
    """Until something has happened, or the process that it is expected of has ended, which the test then finds."""
    deadline = time.monotonic() + STARTING_SECONDS
    while not happened() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def scheduler_file(tmp_path_factory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    process = start("scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", file)
    wait_for(file.exists, process)  # or the client would find that there is none
    yield file
    end(process)


@pytest.fixture
def workers(scheduler_file) -> Iterator[list[subprocess.Popen[bytes]]]:
    options = (
        "--nthreads",
        1,
        "--no-nanny",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
        "--scheduler-file",
        scheduler_file,
    )
    processes = [start("worker", *options) for _ in range(2)]
    with Client(scheduler_file=str(scheduler_file), set_as_default=False, timeout=STARTING_SECONDS) as client:
        client.wait_for_workers(2, timeout=STARTING_SECONDS)
    yield processes
    for process in processes:
        end(process)


@pytest.fixture
def campaign(tmp_path) -> Path:
    write_model(make_model(), tmp_path / "model.safetensors")
    (tmp_path / "lines").mkdir()
    for number in range(2):
        write_line(tmp_path / "lines", f"line_{number}", seed=number, lines=LINES, samples=SAMPLES)
    return tmp_path


def maps(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tif"))}


def command(out: str) -> list[str]:
    return ["classify", "lines", "--model", "model.safetensors", "--output-dir", out, "--layer", "confidence"]


@pytest.mark.timeout(4 * STARTING_SECONDS)
def test_a_worker_killed_in_mid_run_changes_nothing(campaign, scheduler_file, workers, monkeypatch):
    arguments = [*command("maps"), "--scheduler-file", str(scheduler_file)]
    process = subprocess.Popen([sys.executable, "-c", RUN, *arguments], cwd=campaign, stderr=subprocess.PIPE, text=True)
    journal = campaign / "maps" / ".line_0_map.tif.partial" / "tiles.log"
    wait_for(lambda: journal.exists() and journal.stat().st_size, process)
    workers[0].send_signal(signal.SIGKILL)
    _, error = process.communicate(timeout=STARTING_SECONDS)
    assert process.returncode == 0, error
    assert "Traceback" not in error
    monkeypatch.chdir(campaign)
    cli.main(command("local"), standalone_mode=False)
    assert maps(campaign / "maps") == maps(campaign / "local")
    entries = json.loads((campaign / "maps" / "manifest.json").read_text(encoding="utf-8"))["lines"]
    assert {entry["status"] for entry in entries.values()} == {"done"}


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE_SECONDS", 1)
    nowhere = cluster.cluster_engine("tcp://127.0.0.1:9", scheduler_file=None, device="auto")
    with pytest.raises(ClusterError, match="no dask scheduler answers at"), nowhere:
        pass


@pytest.fixture
def source(tmp_path) -> LineSource:
    """As a client on this machine would describe it."""
    path = write_line(tmp_path, "line")
    write_model(make_model(), tmp_path / "line.safetensors")
    header = open_cube(path).header
    return LineSource(
        scene=str(path),
        model=str(tmp_path / "line.safetensors"),
        reader=None,
        fill_missing=False,
        stamp=header.stamp,
        header=describe_header(header),
        digest=make_model().digest,
        software=cluster._software(),
        device="cpu",
        kernel=describe_kernel("cpu"),
        layers=("class_id",),
        plan=plan_strips(lines=header.grid.lines, samples=header.grid.samples),
        window=WindowPlan(rows=header.grid.lines, columns=header.grid.samples),
        cache=None,
        limit=None,
    )


def test_a_worker_answers_with_tiles_and_keeps_scene_and_model_open(source, monkeypatch):
    loads = []
    monkeypatch.setattr(cluster, "cached_model", lambda path: loads.append(path) or make_model())
    for _ in range(3):
        ((tile, made),) = compute_order(TileOrder(source=source, tiles=(0,)))
        assert tile == 0
        assert made["class_id"].shape == (source.plan.lines, source.plan.samples)
    assert len(loads) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"software": "hsigeo 9, torch 9"}, "this worker has hsigeo .*, the client hsigeo 9"),
        ({"kernel": "cpu (numba 9)"}, "this worker has the kernel .*, others cpu .numba 9."),
        ({"digest": "0" * 64}, "sees another model"),
        ({"header": "0" * 64}, "sees another file"),
    ],
)
def test_a_worker_that_would_make_another_map_refuses(source, changes, message):
    with pytest.raises(ClusterError, match=message):
        compute_order(TileOrder(source=replace(source, **changes), tiles=(0,)))


def test_what_travels_is_small(source):
    import pickle

    order = TileOrder(source=source, tiles=tuple(range(8)))
    assert len(pickle.dumps(order)) < 2000
    made = compute_order(TileOrder(source=source, tiles=(0,)))
    pixels = source.plan.lines * source.plan.samples
    assert len(pickle.dumps(made)) < pixels + 2000
    assert pixels * BANDS * 2 > 10 * len(pickle.dumps(made))


def test_torch_threads_of_a_worker_do_not_show(source):
    before = torch.get_num_threads()
    try:
        made = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            made.append(
                compute_order(TileOrder(source=replace(source, layers=("class_id", "probability")), tiles=(0,)))
            )
    finally:
        torch.set_num_threads(before)
    assert made[0][0][1]["probability"].tobytes() == made[1][0][1]["probability"].tobytes()
