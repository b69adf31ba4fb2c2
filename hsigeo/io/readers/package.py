"""Products of several files: in a folder, a ZIP or a TAR, and read without unpacking.

Names in archives are never turned into paths: the text of a member is read through Python's own modules, with a limit,
and its pixels through GDAL's ``/vsizip/`` or, in a TAR, as a part of the file: names there may be of a kind that
``/vsitar/`` does not know. Nothing is written. Members whose names point upwards are not listed at all.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree as ET

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.cube import FileStamp, open_failure

__all__ = ["Package", "is_package", "open_package", "parse_xml"]

_MAX_MEMBERS = 50_000
_MAX_TEXT_BYTES = 64 << 20
# NotImplementedError is an unknown compression, RuntimeError an encrypted member.
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, kw_only=True)
class Package:
    """The files of a product.

    Parameters
    ----------
    path
        The folder or archive.
    kind
        ``folder``, ``zip`` or ``tar``.
    members
        Names within it, with ``/`` between folders.
    """

    path: Path
    kind: str
    members: tuple[str, ...]

    def find(self, pattern: str) -> list[str]:
        """Members whose last part matches a pattern from beginning to end, in any case, sorted."""
        compiled = re.compile(pattern, re.IGNORECASE)
        return sorted(name for name in self.members if compiled.fullmatch(name.rsplit("/", 1)[-1]))

    def read(self, member: str) -> bytes:
        """A small member, whole.

        Raises
        ------
        SceneError
            It is too large for what it should be, or the archive is damaged.
        """
        try:
            content = self._read(member, _MAX_TEXT_BYTES + 1)
        except _ARCHIVE_ERRORS as error:
            raise SceneError(f"{self.where(member)} cannot be read; it may be damaged: {error}") from error
        if len(content) > _MAX_TEXT_BYTES:
            raise SceneError(f"{self.where(member)} is larger than {_MAX_TEXT_BYTES >> 20} MB, which no metadata is")
        return content

    def _read(self, member: str, most: int) -> bytes:
        if self.kind == "zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
                return file.read(most)
        if self.kind == "tar":
            with tarfile.open(self.path, "r:*") as tar:
                stream = tar.extractfile(member)  # in memory; follows links within the archive only
                return b"" if stream is None else stream.read(most)
        with (self.path / member).open("rb") as file:
            return file.read(most)

    def gdal_name(self, member: str) -> str:
        """How GDAL opens a member."""
        if self.kind == "folder":
            return str((self.path / member).absolute())
        if self.kind == "zip":
            return f"/vsizip/{{{self.path.absolute()}}}/{member}"
        offset, size, compressed = self._place_in_tar(member)
        return f"/vsisubfile/{offset}_{size},{'/vsigzip/' if compressed else ''}{self.path.absolute()}"

    def _place_in_tar(self, member: str) -> tuple[int, int, bool]:
        """Where the bytes of a member lie in the decompressed TAR, how many they are, and whether it is compressed."""
        try:
            with self.path.open("rb") as file:
                start = file.read(2)
            with tarfile.open(self.path, "r:*") as tar:
                entry = tar.getmember(member)
        except (*_ARCHIVE_ERRORS, KeyError) as error:
            raise SceneError(f"{self.where(member)} cannot be read; it may be damaged: {error}") from error
        if not entry.isreg() or entry.issparse():
            raise SceneError(f"{self.where(member)} is not a plain file in its archive; unpack it first")
        return entry.offset_data, entry.size, start == b"\x1f\x8b"

    def where(self, member: str) -> str:
        """A member, for messages."""
        return str(self.path / member)


def is_package(path: Path, start: bytes) -> bool:
    """Whether a path is a folder or begins as a ZIP, TAR, or compressed TAR does."""
    return path.is_dir() or _archive_kind(start) is not None


def open_package(path: Path, *, start: bytes | None = None, among: Sequence[str] = ()) -> Package:
    """List a folder (and the folders in it) or an archive.

    Parameters
    ----------
    start
        The first bytes of an archive; read where they are not given.
    among
        Names to take instead of listing a folder.

    Raises
    ------
    SceneError
        It is no archive, is damaged, or has more members than a product has.
    """
    if among:
        return Package(path=path, kind="folder", members=tuple(among))
    if path.is_dir():
        return Package(path=path, kind="folder", members=tuple(_list_folder(path)))
    try:
        if start is None:
            with path.open("rb") as file:
                start = file.read(512)
        kind = _archive_kind(start)
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                members = [entry.filename for entry in archive.infolist()[: _MAX_MEMBERS + 1] if not entry.is_dir()]
        elif kind == "tar":
            members = list(_list_tar(path, FileStamp.of(path)))
        else:
            raise SceneError(f"{path} is neither a folder nor a ZIP or TAR")
    except FileNotFoundError as error:
        raise SceneNotFoundError(f"{path}: there is no such file") from error
    except _ARCHIVE_ERRORS as error:
        raise SceneError(f"{path} is a damaged archive, download it again: {error}") from error
    if len(members) > _MAX_MEMBERS:
        raise SceneError(f"{path} has more than {_MAX_MEMBERS} members; no product has")
    if "{" in str(path) or "}" in str(path):
        raise SceneError(f"{path}: GDAL cannot open an archive whose path contains braces; rename it")
    return Package(path=path, kind=kind, members=tuple(name for name in members if _is_inside(name)))


def _is_inside(name: str) -> bool:
    return not name.startswith(("/", "\\")) and ".." not in re.split(r"[/\\]", name)


def parse_xml(content: bytes, where: str) -> ET.Element:
    """The root of an XML document from a stranger.

    Raises
    ------
    SceneError
        It is no XML, or defines entities, which can grow without bound.
    """
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise SceneError(f"{where} defines entities, which metadata does not need; it is refused")
    try:
        return ET.fromstring(content)  # noqa: S314 - entities were refused above
    except ET.ParseError as error:
        raise SceneError(f"{where} is not XML; it may be truncated: {error}") from error


def _archive_kind(start: bytes) -> str | None:
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    # A gzip file is taken for a compressed TAR: nothing else that is compressed so holds a product.
    if start[257:262] == b"ustar" or start[:2] == b"\x1f\x8b":
        return "tar"
    return None


@lru_cache(maxsize=8)
def _list_tar(path: Path, _stamp: FileStamp) -> tuple[str, ...]:
    """Remembered, because the list of a compressed TAR takes decompressing all of it."""
    members = []
    with tarfile.open(path, "r:*") as archive:
        for entry in archive:
            if entry.isfile():
                members.append(entry.name)
            if len(members) > _MAX_MEMBERS:
                break
    return tuple(members)


def _list_folder(path: Path) -> list[str]:
    """Files in a folder and in its folders: products are delivered in one of their own."""
    names: list[str] = []
    try:
        for entry in sorted(path.iterdir()):
            if entry.is_file():
                names.append(entry.name)
            elif entry.is_dir():
                names.extend(f"{entry.name}/{inner.name}" for inner in sorted(entry.iterdir()) if inner.is_file())
            if len(names) > _MAX_MEMBERS:
                break
    except OSError as error:
        raise SceneError(open_failure(path, error)) from error
    return names
