"""Runs `hsigeo` in children of one warm process: processes of their own, without importing everything each time.

Reads a JSON list of arguments from each line of stdin; answers with a JSON line, the exit code and what was printed.
torch must not have used threads before a fork, so here everything runs on one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile

import torch

from hsigeo.cli import main

# What a run would import and compile, so that the forks find it there.
for name in ("campaign.line", "campaign.local", "campaign.run", "cli.classify", "kernels.consensus"):
    importlib.import_module(f"hsigeo.{name}")
torch.set_num_threads(1)


def run(arguments: list[str]) -> tuple[int, str]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        child = os.fork()
        if child == 0:
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            sys.argv = ["hsigeo", *arguments]
            code = 1
            try:
                main()
            except SystemExit as stopped:
                code = int(stopped.code or 0)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
