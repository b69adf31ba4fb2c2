"""One process at a time: locks that the kernel drops with the process, so that none is ever stale."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hsigeo.atomic import disk_failure
from hsigeo.errors import LockedError, OutputError

__all__ = ["locked"]

_POLL_SECONDS = 0.5


@contextlib.contextmanager
def locked(path: Path, *, keep_waiting: Callable[[], bool] | None = None) -> Iterator[None]:
    """Hold the lock of a file, which is made for the purpose and removed afterwards.

    `flock` works across the machines of an NFS (since Linux 2.6.12) and of Lustre mounted with ``-o flock``.

    Parameters
    ----------
    path
        Its folder is made where it is missing, but not the one above.
    keep_waiting
        Asked twice a second, while another process holds the lock, whether to keep waiting. By default there is no
        waiting.

    Raises
    ------
    LockedError
        Another process holds the lock, and it was not waited for; it is named.
    OutputError
        The folder cannot be made or written, its disk is full, or its file system knows no locks.
    """
    while (descriptor := _acquire(path)) is None:
        if keep_waiting is None or not keep_waiting():
            raise LockedError(f"{path.parent} is in use by {_holder(path)}")
        time.sleep(_POLL_SECONDS)
    try:
        with disk_failure(path.parent):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        # Removed while it is held: whoever waits for this file finds that it is not the one of that name any more.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path) -> int | None:
    """An open and locked file; `None` while another process holds it, or removes it between two of our steps."""
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except FileNotFoundError as error:
        if path.parent.parent.is_dir():
            return None
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_still(path, descriptor):
            return descriptor
    except BlockingIOError:
        pass
    except OSError as error:
        os.close(descriptor)
        raise OutputError(f"{path.parent}: the file system does not support locks (flock): {error.strerror}") from error
    os.close(descriptor)
    return None


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:200].strip() or "another process"
    except OSError:
        return "another process"


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one of that name: its last holder may have removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
