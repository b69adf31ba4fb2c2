"""Ctrl-C, wherever it comes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from hsigeo.cli.interrupts import check_interrupted, heed_signals
from hsigeo.cli.options import progress_bar


@pytest.fixture(autouse=True)
def _signals_as_they_were():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    heed_signals()  # forgets what was asked
    for number, handler in before.items():
        signal.signal(number, handler)


class _LosesExceptions:
    """Python only prints what is raised in a destructor; what C code calls back is treated alike."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_python_lost_ends_the_work_at_its_next_step(number):
    heed_signals()
    steps = []
    with pytest.raises(KeyboardInterrupt), progress_bar("work", "px") as show:
        for step in range(3):
            show(step, 3)
            steps.append(step)
            _LosesExceptions(number)
    assert steps == [0]


def test_one_command_does_not_end_by_the_interrupt_of_another():
    heed_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    heed_signals()
    check_interrupted()


def test_a_process_that_ignores_interrupts_goes_on_ignoring_them():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heed_signals()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


START = """
import signal, sys
class InterruptedImport:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, InterruptedImport())
signal.signal(signal.SIGINT, {handler})
from hsigeo.__main__ import main
sys.argv = ["hsigeo", "--version"]
main()
"""


def _start(name, handler="signal.default_int_handler"):
    code = START.format(name=name, handler=handler)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["hsigeo.cli", "click", "hsigeo.limits"])
def test_an_interrupt_while_the_command_line_loads_ends_it_in_one_line(name):
    ended = _start(name)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "hsigeo: interrupted; no partial output was left\n"


def test_a_command_that_ignores_interrupts_ignores_them_from_the_first_moment():
    ended = _start("click", "signal.SIG_IGN")
    assert ended.returncode == 0
    assert ended.stdout.startswith("hsigeo ")
