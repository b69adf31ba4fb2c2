"""``hsigeo qgis install``, as a user types it."""

from __future__ import annotations

import json
import sys


def test_installing_puts_the_plugin_into_the_profile_and_says_what_is_next(hsigeo, tmp_path):
    done = hsigeo("qgis", "install", env={"QGIS_CUSTOM_CONFIG_PATH": str(tmp_path)})

    plugin = tmp_path / "profiles" / "default" / "python" / "plugins" / "hsigeo_qgis"
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"{plugin}: installed\n")
    assert "Manage and Install Plugins" in done.stderr
    command = json.loads((plugin / "command.json").read_text(encoding="utf-8"))["command"]
    assert command == [sys.executable, "-m", "hsigeo"]


def test_a_profile_of_ones_own_in_a_folder_of_ones_own(hsigeo, tmp_path):
    (tmp_path / "mine" / "field").mkdir(parents=True)

    done = hsigeo("qgis", "install", "--profiles-dir", "mine", "--profile", "field")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "field" / "python" / "plugins" / "hsigeo_qgis" / "metadata.txt").is_file()


def test_a_profile_that_is_not_there_is_one_line(hsigeo, tmp_path):
    done = hsigeo("qgis", "install", "--profiles-dir", str(tmp_path), "--profile", "field")

    assert done.returncode == 1
    assert done.stderr == f"hsigeo: no QGIS profile 'field' in {tmp_path}; there: none\n"
