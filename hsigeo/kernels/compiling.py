"""Machine code for loops written in Python, made by numba once a machine and kept in the user's cache folder.

Only modules that a kernel's choice has asked for import this one: numba takes a third of a second to import. Signatures
are given, so that all compiling, or reading what was compiled before, happens where the decorator stands.

numba keeps compiled code beside the source or in a folder of its own, and goes by the source file alone: a helper
changed in another file would go unnoticed. Here the folder carries a digest of all kernels. Where it cannot be written
(a container that may write nowhere, a full disk) or read, code is compiled at each start and everything still works.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
import numba.extending

__all__ = ["FAST_MATH", "FUSED", "cache_folder", "compiled", "inlined", "intrinsic", "is_compiled", "part"]

FUSED = {"contract"}
"""Products and sums may be taken in one step, and nothing else: what a lane computes then does not depend on how many
lanes there are."""

FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}
"""What the compiler may assume: that sums may be taken in any order, products and sums in one step, quotients by
reciprocals, and that the sign of zero does not count. Not that there are no NaN and no infinities: they must come out
as NaN, and comparisons with them must be what they are."""

SHIPPED = ("share", "hsigeo")
"""Where, in the environment that hsigeo is installed into, compiled code may be shipped with it."""

UNUSED_DAYS = 90
"""A folder of another version that nobody used for so long is cleared away."""

_FOLDER = "NUMBA_CACHE_DIR"
_NAME = re.compile(r"kernels-[0-9a-f]{16}")


def compiled(*signatures: Any, assume: set[str] = FAST_MATH) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for these signatures, for this processor's own vectors, without the interpreter's lock.

    Parameters
    ----------
    signatures
        As numba has them: ``void(float32[:, ::1], int64)``, or as numba's types.
    assume
        What the compiler may assume of arithmetic.
    """

    def compile_(function: Callable[..., Any]) -> Callable[..., Any]:
        options: dict[str, Any] = {"nogil": True, "fastmath": assume, "error_model": "numpy"}
        folder = cache_folder()
        if folder is not None:
            settings: Any = numba.config
            before = settings.CACHE_DIR
            # Where a function is kept is settled when it is decorated; afterwards the user's own setting holds again.
            settings.CACHE_DIR = str(folder)
            try:
                made: Callable[..., Any] = numba.njit(list(signatures), cache=True, **options)(function)
                return made
            except (OSError, EOFError, pickle.UnpicklingError, RuntimeError):
                pass  # the disk is full, or a file there is damaged: compile once more, and keep it in memory only
            finally:
                settings.CACHE_DIR = before
        plain: Callable[..., Any] = numba.njit(list(signatures), **options)(function)
        return plain

    return compile_


def is_compiled() -> bool:
    """Whether compiled code is there. If not, the first use takes as long as compiling does: some 20 seconds."""
    folder = cache_folder()
    return folder is not None and any(folder.rglob("*.nbc"))


def part(assume: set[str] = FAST_MATH) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that `compiled` ones call: made with them, and kept in them.

    Where they are read from the cache it is neither made nor read: a third of a second less for two dozen of them.
    """

    def compile_(function: Callable[..., Any]) -> Callable[..., Any]:
        made: Callable[..., Any] = numba.njit(nogil=True, fastmath=assume, error_model="numpy")(function)
        return made

    return compile_


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `part`, and always put into the code of its caller."""
    made: Callable[..., Any] = numba.njit(forceinline=True, nogil=True, fastmath=FAST_MATH, error_model="numpy")(
        function
    )
    return made


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """`numba.extending.intrinsic`, typed."""
    made: Callable[..., Any] = numba.extending.intrinsic(function)
    return made


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """Where compiled code is kept: in ``$NUMBA_CACHE_DIR``, else the user's cache; `None` if it cannot be used."""
    named = os.environ.get(_FOLDER)
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = (Path(named) if named else home / "hsigeo") / f"kernels-{_digest()}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            _take_shipped(folder)
            folder.mkdir(exist_ok=True)
            _remove_unused(folder)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)  # it is in use: `_remove_unused` of another version goes by this time
        return folder if _is_ours(folder) else None
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return None


def _is_ours(folder: Path) -> bool:
    """Whether nobody else put there what would be run here."""
    found = folder.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWOTH


def _take_shipped(folder: Path) -> None:
    """Begin with the code that was compiled when hsigeo was installed, as in a container, whose own cache is empty.

    numba goes by the processor, too: what was compiled for another one is there, and not used.
    """
    shipped = Path(sys.prefix, *SHIPPED, folder.name)
    if not shipped.is_dir():
        return
    # Renamed when complete, for several processes may begin at once; a folder that has files is not replaced.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".shipped-") as staging, contextlib.suppress(OSError):
        Path(shutil.copytree(shipped, Path(staging, folder.name))).rename(folder)


def _remove_unused(new: Path) -> None:
    """Clear away what other versions compiled and nobody has used for long, when a folder is made beside it.

    Each version of the kernels leaves some MB that nothing would read again. Only folders of exactly such a name count
    that are the user's own; links are not followed.
    """
    with contextlib.suppress(OSError):  # the folder around them may be written but not listed
        for folder in [path for path in new.parent.iterdir() if path != new and _NAME.fullmatch(path.name)]:
            with contextlib.suppress(OSError):  # another process clears up too
                found = folder.lstat()
                unused = time.time() - found.st_mtime > UNUSED_DAYS * 86_400
                if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and unused:
                    shutil.rmtree(folder)


def _digest() -> str:
    """Of the source of all kernels."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
