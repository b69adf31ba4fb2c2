"""The hand-written C loop, compiled when it is needed, for the machine it runs on."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from hsigeo.kernels.attention import BandLogits

__all__ = ["NoCompilerError", "compile_loop"]

_SOURCE = Path(__file__).with_name("loop.c")
_FLAGS = ["-O3", "-march=native", "-ffast-math", "-fPIC"]
_WIDEST = "-mprefer-vector-width=512"
"""gcc holds back from the widest vectors of its own accord, and was a fifth slower for it; elsewhere it is unknown."""

_LANES, _NOTHING, _LOG2_E = 16, -100.0, 1.4426950408889634


class NoCompilerError(Exception):
    """The C loop cannot be compiled here; the text says why."""


def compile_loop(folder: Path) -> Callable[[Tensor, BandLogits], Tensor]:
    """A function like `attention_weights`, in the caller's thread.

    Raises
    ------
    NoCompilerError
        There is no C compiler, or it failed.
    """
    compiler = next(filter(None, map(shutil.which, ("gcc", "clang", "cc"))), None)
    if compiler is None:
        raise NoCompilerError("there is no C compiler here")
    library, loop = folder / "loop.so", folder / "loop.o"
    # Linked without -ffast-math: gcc would add code that has the whole process take tiny numbers for zero.
    link = [compiler, "-shared", str(loop), "-o", str(library), "-lm"]
    for flags in ([*_FLAGS, _WIDEST], _FLAGS):
        for command in ([compiler, *flags, "-c", str(_SOURCE), "-o", str(loop)], link):
            # A compiler, and a file of our own.
            made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if made.returncode:
                break
        else:
            return _wrap(ctypes.CDLL(str(library)))
    raise NoCompilerError(f"{compiler} failed: {made.stderr.strip().splitlines()[-1:]}")


def _wrap(library: ctypes.CDLL) -> Callable[[Tensor, BandLogits], Tensor]:
    library.attend.argtypes = [ctypes.c_void_p] * 6 + [ctypes.c_int64] * 4
    library.attend.restype = None

    def attend(values: Tensor, logits: BandLogits) -> Tensor:
        heads, bands = logits.keys.shape
        width = -(-bands // _LANES) * _LANES
        places = torch.full((heads, bands, width), _NOTHING)
        places[:, :, :bands] = _LOG2_E * logits.places
        parts = [(_LOG2_E * part).contiguous() for part in logits[:3]]
        weights = torch.empty(len(values), heads, bands)

        inputs = [tensor.data_ptr() for tensor in (values, *parts, places, weights)]
        library.attend(*inputs, len(values), heads, bands, width)  # lets go of the interpreter
        return weights

    return attend
