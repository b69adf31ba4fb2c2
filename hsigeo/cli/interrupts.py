"""Ctrl-C and SIGTERM end a command, even where Python swallows the first interrupt."""

from __future__ import annotations

import signal
import threading

__all__ = ["check_interrupted", "heed_signals"]

_interrupted = threading.Event()


def heed_signals() -> None:
    """From now on Ctrl-C ends the command, and so does SIGTERM, a scheduler's stop.

    Neither leaves anything half-written. A process that was started with Ctrl-C ignored, in a shell's background, goes
    on ignoring it.
    """
    _interrupted.clear()
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def check_interrupted() -> None:
    """Raise again if an interrupt was lost: Python drops what is raised while C code calls back, or in a destructor.

    Raises
    ------
    KeyboardInterrupt
        A signal has asked the command to end, and it is still at work.
    """
    if _interrupted.is_set() and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


def _interrupt(_signum: int, _frame: object) -> None:
    _interrupted.set()
    raise KeyboardInterrupt
