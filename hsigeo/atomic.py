"""Outputs that never half-exist: written beside their final place under a temporary name, synced, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hsigeo.errors import DiskFullError, HsigeoError, OutputError, OutputExistsError

__all__ = [
    "check_not_an_input",
    "check_output",
    "disk_failure",
    "filled_on_success",
    "is_disk_full",
    "made_folder",
    "replaced_on_success",
    "replaced_together",
    "sync_descriptors",
]

LONGEST_NAME = 240
"""Bytes. File systems take 255; ``.NAME.partial`` and ``NAME.aux.xml`` need some of them."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SYNCED_AT_ONCE = 8


def check_output(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Refuse early what `replaced_on_success` would refuse: call it before hours of work.

    Returns
    -------
    pathlib.Path
        Where the output will lie, symbolic links followed.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written: no such folder, one that may not be written into, a folder of that name, a device.
    """
    if not os.fspath(path):
        raise OutputError("the output has an empty name; is a shell variable unset?")
    final = Path(os.path.realpath(path))
    if len(os.fsencode(final.name)) > LONGEST_NAME:
        raise OutputError(
            f"{final.name[:40]}… is a name of {len(os.fsencode(final.name))} bytes; give one of at most "
            f"{LONGEST_NAME}, as files beside it begin with it"
        )
    if final.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file to write")
    if not final.parent.is_dir():
        raise OutputError(f"{path} cannot be written: the folder {final.parent} does not exist; make it first")
    if not os.access(final.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written: the folder {final.parent} is not writable")
    if final.exists():
        if not final.is_file():
            raise OutputError(f"{path} is not a regular file; give the name of a file to write")
        if not overwrite:
            raise OutputExistsError(f"{path} exists; choose another name or allow overwriting (--overwrite)")
    return final


def check_not_an_input(path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse an output that is one of the files it is made from: overwriting is for last week's results.

    Raises
    ------
    OutputError
        `path` is one of `inputs`, links followed.
    """
    final = os.path.realpath(path)
    for source in inputs:
        if os.path.realpath(source) == final:
            raise OutputError(f"{path} is an input of this command and is not replaced; choose another name")


@contextlib.contextmanager
def replaced_on_success(
    path: str | os.PathLike[str], *, overwrite: bool = False, scratch: Path | None = None
) -> Iterator[Path]:
    """Give a temporary path in the same folder, and move it to `path` if the block succeeds.

    The temporary file is there (empty) when the block starts, so an unwritable folder fails at once; its name
    keeps the suffix of `path`, which is how GDAL and others choose a format. Whatever ends the block early,
    Ctrl-C included, leaves neither the output nor the temporary file, nor side files that a library wrote
    beside the temporary one (``….aux.xml``).

    Parameters
    ----------
    path
        Where the output shall lie.
    overwrite
        Replace a file that is there; it stays whole until the new one is.
    scratch
        Another folder for the temporary file, on the same disk: what a killed process leaves there is easily cleared.

    Yields
    ------
    pathlib.Path
        What the block must write (and close).

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written: no such folder, no permission, disk full. An `OSError` of the block becomes one
        unless it names another file.
    """
    with replaced_together([path], overwrite=overwrite, scratch=scratch) as (temporary,):
        yield temporary


@contextlib.contextmanager
def replaced_together(
    paths: Sequence[str | os.PathLike[str]], *, overwrite: bool = False, scratch: Path | None = None
) -> Iterator[tuple[Path, ...]]:
    """As `replaced_on_success`, for files that belong together: none is in place before all are on the disk.

    They are renamed in the order given. To sync them side by side takes hardly longer than to sync one.

    Yields
    ------
    tuple of pathlib.Path
        What the block must write, in the order of `paths`.

    Raises
    ------
    OutputExistsError, OutputError
        As `replaced_on_success`; the message names one of the files.
    """
    targets = [_Target.of(path, overwrite=overwrite, scratch=scratch) for path in paths]
    try:
        for target in targets:
            _remove_abandoned(target)
            with _blamed_on(target):
                _reserve(target.temporary)
        with _blamed_on(*targets):
            yield tuple(target.temporary for target in targets)
        for target in targets:
            if not overwrite and target.final.exists():
                raise OutputExistsError(f"{target.path} appeared while it was being written; nothing was replaced")
        with _blamed_on(*targets):
            _sync_files([target.temporary for target in targets])
            for target in targets:
                target.temporary.replace(target.final)
            for folder in {target.final.parent for target in targets}:
                _sync_folder(folder)
    finally:
        for target in targets:
            _remove_leftovers(target.temporary)


@contextlib.contextmanager
def made_folder(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make a folder for outputs, and those above it; in the end, remove of those it made what nothing was written to.

    Raises
    ------
    OutputError
        It cannot be made; then none of them is.
    """
    final, made = Path(path), []
    try:
        try:
            for folder in [*reversed(final.parents), final]:
                if not folder.is_dir():
                    folder.mkdir(exist_ok=True)
                    made.append(folder)
        except OSError as error:
            raise OutputError(f"the folder {path} cannot be made: {error.filename}: {error.strerror}") from error
        yield
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # something is in it, or somebody else has removed it
                folder.rmdir()


@contextlib.contextmanager
def filled_on_success(folder: Path) -> Iterator[Path]:
    """Give an empty folder, and move what it holds into `folder` if the block succeeds; else nothing of it is left.

    For outputs of several steps, which are of no use without each other. Files that are there are replaced: look
    first, with `check_output`.

    Parameters
    ----------
    folder
        Is there. The other one is made in it, hidden.

    Yields
    ------
    pathlib.Path
        Where the block must write. Errors that name it are raised as if they named `folder`.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    begins = f".partial-{_host()}-"
    for left in _files_named(folder, begins):
        pid = left.name.removeprefix(begins).partition("-")[0]
        if pid.isdecimal() and not _is_running(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    stage = folder / f"{begins}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        with disk_failure(folder):
            stage.mkdir()
        try:
            yield stage
        except OutputError as error:
            raise type(error)(str(error).replace(f"/{stage.name}", "")) from error
        with disk_failure(folder):
            for file in sorted(stage.iterdir()):
                file.replace(folder / file.name)
            _sync_folder(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def sync_descriptors(descriptors: Sequence[int]) -> None:
    """Have the disk hold what was written to open files; all are waited for at once.

    Raises
    ------
    OSError
        One of them could not be written.
    """
    if len(descriptors) == 1:
        os.fsync(descriptors[0])
        return
    with ThreadPoolExecutor(min(len(descriptors), _SYNCED_AT_ONCE), "hsigeo-sync") as pool:
        for done in [pool.submit(os.fsync, descriptor) for descriptor in descriptors]:
            done.result()


@contextlib.contextmanager
def disk_failure(folder: Path) -> Iterator[None]:
    """Turn what the system reports while files of a folder are read and written into one error that names it.

    Raises
    ------
    DiskFullError
        No space is left.
    OutputError
        Anything else.
    """
    try:
        yield
    except HsigeoError:
        raise
    except OSError as error:
        raise _failure(f"{error.filename or folder} cannot be written", error, folder) from error


def is_disk_full(error: OSError, folder: Path) -> bool:
    """Whether an error is for want of space. GDAL reports a full disk as some failed write, without a number."""
    return error.errno in _FULL or (error.errno is None and _free_bytes(folder) < 1 << 20)


@dataclass(frozen=True)
class _Target:
    """An output, and where it lies until it is whole."""

    path: str | os.PathLike[str]
    final: Path
    temporary: Path
    begins: str

    @classmethod
    def of(cls, path: str | os.PathLike[str], *, overwrite: bool, scratch: Path | None) -> _Target:
        final = check_output(path, overwrite=overwrite)
        # Hidden, so that nobody globs a half-written map; unique, so that two runs never share one.
        begins = f".{_beginning(final.stem)}.partial-{_host()}-"
        name = f"{begins}{os.getpid()}-{secrets.token_hex(4)}{final.suffix}"
        return cls(path, final, (scratch or final.parent) / name, begins)

    def owns(self, filename: object) -> bool:
        """Whether a file is the temporary one, or a side file of it."""
        return isinstance(filename, str | os.PathLike) and Path(filename).name.startswith(self.temporary.name)


@contextlib.contextmanager
def _blamed_on(*targets: _Target) -> Iterator[None]:
    """Name an output in what the system reports: the one whose file it is, or the first."""
    try:
        yield
    except HsigeoError:
        raise
    except OSError as error:
        known = targets if error.filename is None else [each for each in targets if each.owns(error.filename)]
        if not known:
            raise
        raise _failure(f"{known[0].path} cannot be written", error, known[0].final.parent) from error


def _failure(what: str, error: OSError, folder: Path) -> OutputError:
    if is_disk_full(error, folder):
        return DiskFullError(f"{what}: no space is left on the disk of {folder}")
    return OutputError(f"{what}: {error.strerror or str(error).splitlines()[0]}")


def _reserve(temporary: Path) -> None:
    # Not tempfile.mkstemp: that makes a file only its owner can read, whatever the umask says.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


def _sync_files(paths: Sequence[Path]) -> None:
    """Have the disk hold what was written: a rename may otherwise survive a power cut that the data did not."""
    with contextlib.ExitStack() as stack:
        descriptors = []
        for path in paths:
            descriptors.append(os.open(path, os.O_RDONLY))
            stack.callback(os.close, descriptors[-1])
        sync_descriptors(descriptors)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder; the rename itself still is atomic.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _beginning(stem: str) -> str:
    """As much of a name as leaves room for what is put behind it, in bytes."""
    return os.fsdecode(os.fsencode(stem)[:100].decode(errors="ignore").encode())


def _host() -> str:
    """The machine's name, as far as it can stand in a file's."""
    return "".join(c for c in os.uname().nodename[:40] if c.isalnum()) or "host"


def _remove_abandoned(target: _Target) -> None:
    """Clear away what processes of this machine that were killed have left of the same output."""
    with contextlib.suppress(OSError):  # it is in nobody's way
        for left in _files_named(target.temporary.parent, target.begins):
            pid = left.name.removeprefix(target.begins).partition("-")[0]
            if target.final.suffix in left.name and pid.isdecimal() and not _is_running(int(pid)):
                left.unlink()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's, or none of a kind this system has
    return True


def _free_bytes(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _remove_leftovers(temporary: Path) -> None:
    with contextlib.suppress(OSError):  # the folder itself may be gone or unreadable; the first error counts
        for left in _files_named(temporary.parent, temporary.name):
            left.unlink()


def _files_named(folder: Path, begins: str) -> list[Path]:
    # By names: this is asked twice for every output, and beside it may lie the thousands of a campaign.
    return [folder / name for name in os.listdir(folder) if name.startswith(begins)]  # noqa: PTH208
