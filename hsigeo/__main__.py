"""What ``hsigeo`` and ``python -m hsigeo`` start: Ctrl-C is heard before the command line is even loaded."""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["main"]

INTERRUPTED = 130
"""Exit status of a command stopped by Ctrl-C, as shells count it."""


def main() -> None:
    """Load the command line and run it."""
    _open_streams()
    # `hsigeo.cli.interrupts` takes over as soon as it is there. What a shell started in the background, with Ctrl-C
    # ignored, goes on ignoring it.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    from hsigeo.cli import main as run

    run()


def _open_streams() -> None:
    """Where a caller has closed standard streams (`2>&-`, some daemons), nothing is read and words go nowhere.

    Left closed, the next file that is opened, a map perhaps, would be stream 2, and take in what C libraries print.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest free number is given, which is the stream's own.
            descriptor = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _leave(_signum: int, _frame: object) -> None:
    # At once: nothing is open yet, and what is raised within an import may come out as another error.
    os.write(2, b"hsigeo: interrupted; no partial output was left\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
