"""`hsigeo` in processes of its own that need not import everything first: children of one process that already has.

``python warm_hsigeo.py SOCKET`` serves until its stdin ends. The commands of `write_commands`, put first on the path,
ask it for a child with their own arguments, folder, environment and standard streams, hand on SIGINT and SIGTERM, and
end as the child ends. What starting costs a user is for other tests to see.
"""

from __future__ import annotations

import array
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

__all__ = ["write_commands"]

# What commands import late. Nothing is computed before a fork: threads of torch and dask would not be in a child.
PRELOADED = (
    "accessor",
    "agreement.report",
    "campaign.run",
    "catalogue.folder",
    "cli.classify",
    "evaluation",
    "explanation.pixels",
    "io.labels.vector",
    "kernels.consensus",
    "mosaic.assembly",
    "refinement.polygons",
    "report.index.making",
    "training.learning",
)

# It starts in no time: a Python without site-packages.
CLIENT = """\
#!{python} -IS
import array, json, os, signal, socket, sys

request = {{"program": {program!r}, "words": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    line = json.dumps(request).encode() + b"\\n"
    server.sendall(line[server.sendmsg([line], streams):])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    code = int(server.makefile().readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def write_commands(folder: Path, address: Path) -> None:
    """Write ``hsigeo``, and a ``python`` that knows ``-c CODE`` alone, under which warnings are errors."""
    for program in ("hsigeo", "python"):
        command = folder / program
        client = CLIENT.format(python=sys.executable, program=program, address=str(address))
        command.write_text(client, encoding="utf-8")
        command.chmod(0o755)


def serve(address: str) -> None:
    for name in PRELOADED:
        importlib.import_module(f"hsigeo.{name}")
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())  # its own is one semaphore for all children: one killed with it stops the others
    with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as waiting:
        door.bind(address)
        door.listen(64)
        waiting.register(door, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is door:
                    begin(door.accept()[0], waiting)
                else:
                    key.data(key.fileobj)


def begin(client: socket.socket, waiting: selectors.BaseSelector) -> None:
    """Start a child, and wait for signals to hand on and for its end."""
    streams = array.array("i")
    line, messages, _, _ = client.recvmsg(1 << 16, socket.CMSG_SPACE(3 * streams.itemsize))
    for _, _, passed in messages:
        streams.frombytes(passed)
    while not line.endswith(b"\n"):
        line += client.recv(1 << 16)
    child = os.fork()
    if child == 0:
        become(json.loads(line), streams)
    for stream in streams:
        os.close(stream)
    pidfd = os.pidfd_open(child)

    def hand_on(_: Any) -> None:
        numbers = client.recv(16)
        for number in numbers or [signal.SIGKILL]:
            signal.pidfd_send_signal(pidfd, number)
        if not numbers:  # the client was killed
            waiting.unregister(client)

    def end(_: Any) -> None:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        waiting.unregister(pidfd)
        os.close(pidfd)
        if client in waiting.get_map():
            waiting.unregister(client)
            client.sendall(f"{status}\n".encode())
        client.close()

    waiting.register(client, selectors.EVENT_READ, hand_on)
    waiting.register(pidfd, selectors.EVENT_READ, end)


def become(request: dict[str, Any], streams: array.array[int]) -> NoReturn:
    """In the child: run what was asked for."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)
    # Anew, because the server's may be of another kind, with buffers of another kind.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    code = 1
    try:
        os.chdir(request["folder"])
        code = run(request["program"], request["words"])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(program: str, words: list[str]) -> int:
    sys.argv = [program, *words]
    if program == "hsigeo":
        from hsigeo.__main__ import main

        main()
    else:
        _, code = words
        warnings.simplefilter("error")
        sys.modules["__main__"] = module = ModuleType("__main__")
        exec(compile(code, "<string>", "exec"), vars(module))
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
    os._exit(0)  # to clear away all that was loaded takes seconds
