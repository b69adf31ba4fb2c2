"""QGIS profiles of the user, and putting the plugin into one.

A profile is a folder of QGIS's; plugins lie in its ``python/plugins``, each in a folder of its own.
"""

from __future__ import annotations

import configparser
import json
import os
import secrets
import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hsigeo.atomic import made_folder, replaced_on_success
from hsigeo.errors import OutputError, OutputExistsError

__all__ = ["PLUGIN", "find_profile", "find_profiles_dir", "install_plugin", "plugin_files", "zip_plugin"]

PLUGIN = "hsigeo_qgis"
"""Name of the plugin's folder. Not ``hsigeo``, which would hide the package from a QGIS that has both."""

SOURCE = Path(__file__).with_name("qgis_plugin")
_COMMAND_FILE = "command.json"
_NAME_LINE = "name=hsigeo"


def find_profiles_dir(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where QGIS keeps its profiles: as told by ``QGIS_CUSTOM_CONFIG_PATH``, else the place of the system."""
    if custom := environment.get("QGIS_CUSTOM_CONFIG_PATH"):
        return Path(custom) / "profiles"
    home = Path(environment.get("HOME") or Path.home())
    if platform == "darwin":
        data = home / "Library" / "Application Support"
    elif platform == "win32":
        data = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    else:
        data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "QGIS" / "QGIS3" / "profiles"


def find_profile(folder: Path, name: str | None) -> Path:
    """The folder of a profile.

    Parameters
    ----------
    folder
        That of all profiles.
    name
        Default: the profile that QGIS starts with. It need not be there yet: QGIS fills it when it first starts.

    Raises
    ------
    OutputError
        There is no profile of that name.
    """
    chosen = name or _default_profile(folder)
    if chosen != Path(chosen).name or chosen in ("", ".", ".."):
        raise OutputError(f"{chosen!r} is not the name of a profile; it is a path")
    there = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if name is not None and name not in there:
        raise OutputError(f"no QGIS profile {name!r} in {folder}; there: {', '.join(there) or 'none'}")
    return folder / chosen


def _default_profile(folder: Path) -> str:
    """What ``profiles.ini`` names, else ``default``, as QGIS itself chooses."""
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read(folder / "profiles.ini", encoding="utf-8")
        return settings.get("core", "defaultProfile", fallback="default").strip('"') or "default"
    except (configparser.Error, UnicodeDecodeError):
        return "default"


def plugin_files() -> list[Path]:
    """The plugin's files, relative to its folder; nothing that running it may have left there."""
    kept = (".py", ".txt", ".png")
    return sorted(
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*")
        if path.suffix in kept and path.is_file() and "__pycache__" not in path.parts
    )


def install_plugin(profile: Path, command: Sequence[str], *, overwrite: bool = False) -> Path:
    """Copy the plugin into a profile and tell it how to start hsigeo. An older version of it is replaced.

    Returns
    -------
    pathlib.Path
        The plugin's folder.

    Raises
    ------
    OutputExistsError
        Something that is not this plugin has its name, and `overwrite` is false. It is left as it is.
    OutputError
        The profile cannot be written.
    """
    plugins = profile / "python" / "plugins"
    final = plugins / PLUGIN
    if final.is_symlink():
        raise OutputError(f"{final} is a link to {final.resolve()}; remove the link, or work there")
    if final.exists() and not (overwrite or _is_ours(final)):
        raise OutputExistsError(f"{final} exists and is not hsigeo's plugin; move it away, or replace it (--overwrite)")
    with made_folder(plugins):
        _replace_plugin(final, profile, command)
    return final


def _replace_plugin(final: Path, profile: Path, command: Sequence[str]) -> None:
    hidden = final.with_name(f".{PLUGIN}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _copy_plugin(hidden / "new", command)
        # A folder cannot be replaced in one step; the old one comes back if the second step fails.
        if final.exists():
            final.rename(hidden / "old")
        try:
            (hidden / "new").rename(final)
        except OSError:
            if (hidden / "old").exists():
                (hidden / "old").rename(final)
            raise
    except OSError as error:
        where = error.filename2 or error.filename or final.parent
        raise OutputError(f"the plugin cannot be put into {profile}: {where}: {error.strerror}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    metadata = folder / "metadata.txt"
    try:
        return _NAME_LINE in metadata.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False


def _copy_plugin(folder: Path, command: Sequence[str]) -> None:
    for file in plugin_files():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / file, target)
    document = json.dumps({"command": list(command)}, ensure_ascii=False) + "\n"
    (folder / _COMMAND_FILE).write_text(document, encoding="utf-8")


def zip_plugin(path: Path, license_file: Path, *, overwrite: bool = False) -> Path:
    """Pack the plugin as QGIS's plugin repository and its *Install from ZIP* take it. The same files, the same bytes.

    Raises
    ------
    OutputExistsError, OutputError
        The file exists and `overwrite` is false, or cannot be written.
    """
    contents = {file.as_posix(): SOURCE / file for file in plugin_files()} | {"LICENSE": license_file}
    with replaced_on_success(path, overwrite=overwrite) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(f"{PLUGIN}/{name}")  # the date of every entry is 1980, whenever it is packed
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents[name].read_bytes())
    return path
