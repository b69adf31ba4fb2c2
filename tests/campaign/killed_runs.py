"""Runs `hsigeo classify` again and again in children of one warm process, and kills them at chosen steps.

``python killed_runs.py FOLDER steps|moments COUNT`` classifies the scene in FOLDER into new folders. Prints one JSON
line for each experiment: at which step the first run was killed, how many tiles its journal held, how many the second
run made, and whether the second run's outputs equal those of a run that was not disturbed.

torch must not have used threads before a fork, so here everything runs on one.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import dask
import torch
from tqdm import tqdm

from hsigeo import tiling
from hsigeo.campaign import work
from hsigeo.cli import main

torch.set_num_threads(1)
tqdm.set_lock(
    threading.RLock()
)  # its own is one semaphore for all forks: a fork killed while holding it stops the next
dask.config.set(scheduler="synchronous")  # the threads of dask's own pool would be missing after a fork
tiling.STRIP_PIXELS = 256

COMPUTE = work.LineWork.compute
STEPS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir")
COMPARED = ("*_map.tif", "*.aux.xml", "*.qml", "*_confidence.tif", "*_probabilities.tif", "*_quicklook.png")


def in_child(folder: Path, out: Path, kill_at: int | None = None, kill_after: float | None = None) -> tuple[int, int]:
    """Run in a forked child; its wait status, and how many steps (if not killed) and tiles it made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        counts = {"steps": 0, "tiles": 0}
        watch(out, counts, kill_at)
        if kill_after is not None:
            threading.Thread(target=kill_later, args=(kill_after,), daemon=True).start()
        code = 1
        try:
            code = classify_line(folder, out)
        finally:
            counts["watching"] = False
            os.write(writing, json.dumps([counts["steps"], counts["tiles"]]).encode())
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    status = os.waitpid(child, 0)[1]
    steps, tiles = json.loads(said or b"[0, 0]")
    in_child.steps = steps
    return status, tiles


def classify_line(folder: Path, out: Path) -> int:
    """As a user would; the exit status."""
    os.chdir(folder)
    sys.argv = ["hsigeo", "classify", "line.hdr", "--output-dir", str(out)]
    sys.argv += ["--layer", "confidence", "--layer", "probabilities"]
    try:
        main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def watch(out: Path, counts: dict, kill_at: int | None) -> None:
    """Count the steps that change something in the output folder, and kill this process at one of them."""

    def step() -> bool:
        if not counts.get("watching", True):
            return False
        counts["steps"] += 1
        return counts["steps"] == kill_at

    def audit(event: str, arguments: tuple) -> None:
        if event not in STEPS or not str(arguments[0]).startswith(str(out)):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if step():
            os.kill(os.getpid(), signal.SIGKILL)

    def torn(write):
        def written(descriptor, content, *position):
            if step():
                write(descriptor, content[: len(content) // 2], *position)
                os.kill(os.getpid(), signal.SIGKILL)
            return write(descriptor, content, *position)

        return written

    def synced(descriptor, sync=os.fsync):
        if step():
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)

    def computed(self, *arguments):
        counts["tiles"] += 1
        return COMPUTE(self, *arguments)

    sys.addaudithook(audit)
    os.write, os.pwrite, os.fsync = torn(os.write), torn(os.pwrite), synced
    work.LineWork.compute = computed


def kill_later(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def digest(out: Path) -> str:
    found = sorted(path for pattern in COMPARED for path in out.glob(pattern))
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in found)).hexdigest()


def journalled(out: Path) -> int:
    journal = out / ".line_map.tif.partial" / "tiles.log"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def experiment(folder: Path, wanted: str, **kill) -> bool:
    """Kill a run, run again, report; whether the first run was killed at all."""
    out = folder / "killed"
    shutil.rmtree(out, ignore_errors=True)
    status, _ = in_child(folder, out, **kill)
    was_killed = os.WIFSIGNALED(status)
    held = journalled(out)
    finished = (out / "line_map.qml").exists() and not held
    code, made = in_child(folder, out)
    left = sorted(path.name for path in out.iterdir() if path.name.startswith("."))
    report = {"kill": kill, "killed": was_killed, "held": held, "finished": finished, "made": made, "left": left}
    print(json.dumps(report | {"code": os.waitstatus_to_exitcode(code), "same": digest(out) == wanted}), flush=True)
    return was_killed


def main_of_experiments(folder: Path, kind: str, count: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    # The run that is not disturbed; it also loads whatever is loaded late, so that the forks need not.
    classify_line(folder, folder / "whole")
    wanted = digest(folder / "whole")
    began = time.monotonic()
    in_child(folder, folder / "again")
    seconds, steps = time.monotonic() - began, in_child.steps
    chance = random.Random(0)
    for number in range(count):
        if kind == "steps":
            # One step of each of `count` equal parts of the run.
            experiment(folder, wanted, kill_at=1 + (number * steps + chance.randrange(steps)) // count)
        else:
            experiment(folder, wanted, kill_after=chance.uniform(0, seconds))


if __name__ == "__main__":
    main_of_experiments(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
