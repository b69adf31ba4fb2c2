"""Which form of the fast loops runs: ``plain`` torch, ``cpu`` (numba) or ``cuda`` (Triton).

By default the fastest that works on the device: on a CPU numba if it can be imported, on a GPU Triton if it can compile
there, else plain torch, which works everywhere; and plain torch where there is too little to do for the others to pay.
``HSIGEO_KERNEL`` in the environment decides otherwise; what it asks for is done or refused, never replaced. The name
goes into the identity of unfinished maps, so that no map is made half with one and half with another.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Literal, get_args

from hsigeo.errors import KernelError

__all__ = ["KERNELS", "VARIABLE", "Kernel", "choose_kernel", "describe_kernel", "must_compile"]

Kernel = Literal["plain", "cpu", "cuda"]

KERNELS: tuple[Kernel, ...] = get_args(Kernel)

VARIABLE = "HSIGEO_KERNEL"

_COMPILERS: dict[Kernel, str] = {"cpu": "numba", "cuda": "triton"}


def choose_kernel(device: str, *, large: bool = True) -> Kernel:
    """The form to use for tensors on a device.

    Parameters
    ----------
    device
        Its kind, ``tensor.device.type``.
    large
        Whether there is so much to do that compiled loops pay: they take seconds to compile, once, and then half a
        second to load. Otherwise it is plain torch, unless the environment says what it is to be.

    Raises
    ------
    KernelError
        ``HSIGEO_KERNEL`` names no kernel, or one that cannot run there.
    """
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return _fastest(device) if large else "plain"
    if wanted not in KERNELS:
        raise KernelError(f"{VARIABLE} is {wanted!r}, which is not a kernel; use one of {', '.join(KERNELS)} or unset")
    kernel = wanted
    if kernel != "plain" and kernel != device:
        raise KernelError(
            f"{VARIABLE}={kernel} works on the device {kernel}, and this runs on {device}; {_way_out(device)}"
        )
    if kernel != "plain" and not _works(kernel):
        needed = f"{_COMPILERS[kernel]}, which does not work here"
        raise KernelError(f"{VARIABLE}={kernel} needs {needed}; install it, or {_way_out(device)}")
    return kernel


def describe_kernel(device: str, *, large: bool = True) -> str:
    """The form to use on a device with what compiles it, such as ``cpu (numba 0.68.1)``: what the last bits depend on.

    Parameters
    ----------
    device, large
        As `choose_kernel` has them.

    Raises
    ------
    KernelError
        As `choose_kernel`.
    """
    kernel = choose_kernel(device, large=large)
    if kernel == "plain":
        return kernel
    compiler = _COMPILERS[kernel]
    return f"{kernel} ({compiler} {importlib.import_module(compiler).__version__})"


def must_compile(device: str, *, large: bool = True) -> bool:
    """Whether the form to use has yet to be compiled on this machine, which takes some twenty seconds."""
    if choose_kernel(device, large=large) != "cpu":
        return False
    from hsigeo.kernels.compiling import is_compiled

    return not is_compiled()


def _fastest(device: str) -> Kernel:
    for kernel in KERNELS:
        if kernel == device and _works(kernel):
            return kernel
    return "plain"


def _way_out(device: str) -> str:
    return f"set it to plain, or unset it for the fastest that works on {device}"


@cache
def _works(kernel: Kernel) -> bool:
    """Whether what compiles a kernel is here and works; asked once a process, as that takes a third of a second."""
    try:
        importlib.import_module(_COMPILERS[kernel])
        if kernel == "cuda":
            # Triton may be there and of no use: for want of a C compiler, or on an old device.
            return bool(importlib.import_module("hsigeo.kernels.attention.cuda").works())
    except ImportError:
        return False
    return True
