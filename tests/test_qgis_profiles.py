"""Putting the plugin into QGIS profiles, and into a ZIP."""

from __future__ import annotations

import configparser
import errno
import json
import zipfile
from pathlib import Path

import pytest

from hsigeo import __version__
from hsigeo.errors import OutputError, OutputExistsError
from hsigeo.qgis_profiles import (
    PLUGIN,
    SOURCE,
    find_profile,
    find_profiles_dir,
    install_plugin,
    plugin_files,
    zip_plugin,
)

COMMAND = ["/env/bin/python", "-m", "hsigeo"]
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("environment", "platform", "folder"),
    [
        ({"HOME": "/h"}, "linux", "/h/.local/share/QGIS/QGIS3/profiles"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d"}, "linux", "/d/QGIS/QGIS3/profiles"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Application Support/QGIS/QGIS3/profiles"),
        ({"HOME": "/h", "APPDATA": "/a"}, "win32", "/a/QGIS/QGIS3/profiles"),
        ({"HOME": "/h", "QGIS_CUSTOM_CONFIG_PATH": "/c"}, "linux", "/c/profiles"),
    ],
)
def test_profiles_are_where_qgis_of_the_system_has_them(environment, platform, folder):
    assert find_profiles_dir(environment, platform) == Path(folder)


def test_the_profile_is_the_one_that_qgis_starts_with(tmp_path):
    assert find_profile(tmp_path, None) == tmp_path / "default"

    (tmp_path / "profiles.ini").write_text("[core]\ndefaultProfile=Gelände\n", encoding="utf-8")

    assert find_profile(tmp_path, None) == tmp_path / "Gelände"


def test_a_profile_that_is_not_there_is_refused_and_those_that_are_are_named(tmp_path):
    (tmp_path / "field").mkdir()

    with pytest.raises(OutputError, match=r"no QGIS profile 'feild' in .*; there: field$"):
        find_profile(tmp_path, "feild")


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "..", "/etc"])
def test_a_profile_is_a_name_and_not_a_path(tmp_path, name):
    with pytest.raises(OutputError, match="is not the name of a profile"):
        find_profile(tmp_path, name)


def test_the_plugin_arrives_whole_and_knows_where_hsigeo_is(tmp_path):
    made = install_plugin(tmp_path, COMMAND)

    assert made == tmp_path / "python" / "plugins" / PLUGIN
    assert json.loads((made / "command.json").read_text(encoding="utf-8")) == {"command": COMMAND}
    assert sorted(path.name for path in made.iterdir()) == sorted(["command.json", *map(str, plugin_files())])
    for file in plugin_files():
        assert (made / file).read_bytes() == (SOURCE / file).read_bytes()
    assert [path.name for path in made.parent.iterdir()] == [PLUGIN]


def test_an_older_version_is_replaced_with_all_that_was_in_it(tmp_path):
    made = install_plugin(tmp_path, ["old"])
    (made / "gone.py").write_text("")

    install_plugin(tmp_path, COMMAND)

    assert not (made / "gone.py").exists()
    assert json.loads((made / "command.json").read_text(encoding="utf-8")) == {"command": COMMAND}


def test_another_plugin_of_the_same_name_stays_unless_overwriting_is_asked_for(tmp_path):
    other = tmp_path / "python" / "plugins" / PLUGIN
    other.mkdir(parents=True)
    (other / "metadata.txt").write_text("[general]\nname=something else\n")

    with pytest.raises(OutputExistsError, match="is not hsigeo's plugin"):
        install_plugin(tmp_path, COMMAND)
    assert [path.name for path in other.iterdir()] == ["metadata.txt"]

    install_plugin(tmp_path, COMMAND, overwrite=True)
    assert (other / "provider.py").is_file()


def test_a_link_is_never_followed(tmp_path):
    elsewhere = tmp_path / "source"
    elsewhere.mkdir()
    plugins = tmp_path / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / PLUGIN).symlink_to(elsewhere)

    with pytest.raises(OutputError, match="is a link to"):
        install_plugin(tmp_path, COMMAND, overwrite=True)
    assert list(elsewhere.iterdir()) == []


def test_a_profile_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "python").write_text("a file")

    with pytest.raises(OutputError, match="python"):
        install_plugin(tmp_path, COMMAND)


def test_a_full_disk_leaves_no_folders_of_a_profile_that_was_not_there(tmp_path, monkeypatch):
    def full(source, target):
        Path(target).touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr("shutil.copyfile", full)

    with pytest.raises(OutputError, match=r"cannot be put into.*No space left"):
        install_plugin(tmp_path / "profiles" / "default", COMMAND)
    assert list(tmp_path.iterdir()) == []


def test_the_zip_holds_one_folder_with_the_plugin_and_its_licence(tmp_path):
    path = zip_plugin(tmp_path / "plugin.zip", REPOSITORY / "LICENSE")
    again = zip_plugin(tmp_path / "again.zip", REPOSITORY / "LICENSE")

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f"{PLUGIN}/{name}" for name in ("LICENSE", *map(str, plugin_files()))}
    assert path.read_bytes() == again.read_bytes()
    assert path.stat().st_size < 100_000


def test_the_metadata_are_what_the_plugin_repository_asks_for():
    parser = configparser.ConfigParser()
    parser.read(SOURCE / "metadata.txt", encoding="utf-8")
    general = parser["general"]

    assert parser.sections() == ["general"]
    for key in ("name", "description", "about", "version", "author", "tags"):
        assert general[key].strip(), key
    assert general["qgisMinimumVersion"] == "3.22"
    assert general["license"] == "Apache-2.0"
    assert general["hasProcessingProvider"] == "yes"
    assert (SOURCE / general["icon"]).read_bytes().startswith(b"\x89PNG")
    assert __version__.startswith(general["version"])
