"""Locks exclude, name their holder, and die with it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading

import pytest

from hsigeo.errors import DiskFullError, LockedError, OutputError
from hsigeo.locking import locked

HOLD = """
import sys, time
from pathlib import Path
from hsigeo.locking import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path):
    refused = pytest.raises(LockedError, match=r"is in use by process \d+ on ")
    with locked(tmp_path / "lock"), refused, locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_dies_with_its_process(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"process {holder.pid} on"), locked(tmp_path / "lock"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with locked(tmp_path / "lock"):
        pass


def test_many_that_wait_hold_it_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr("hsigeo.locking._POLL_SECONDS", 0.001)
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(5):
            with locked(tmp_path / "a" / "lock", keep_waiting=lambda: True):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_folder_that_cannot_be_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"), locked(tmp_path / "file" / "lock"):
        pass
    with pytest.raises(OutputError, match="cannot be written"), locked(tmp_path / "no" / "such" / "lock"):
        pass


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFullError, match=f"no space is left on the disk of {tmp_path}"), locked(tmp_path / "lock"):
        pytest.fail("the block must not run")
    assert not any(tmp_path.iterdir())
