"""What the commands share: where their words go, and what happens when they cannot go there."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest
from envi_files import make_encoded_cube, write_envi

from hsigeo.cli.main import _one_line, _pass_over_logs

HSIGEO = Path(sysconfig.get_path("scripts")) / "hsigeo"


@pytest.fixture
def named_scene(tmp_path: Path) -> Path:
    return write_envi(tmp_path, "水", make_encoded_cube(2, 3, 4))


def test_a_terminal_that_lacks_letters_shows_code_points(named_scene, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = subprocess.run([HSIGEO, "info", named_scene], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert rb"\u6c34.hdr" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_results_that_cannot_be_printed_are_one_line(named_scene):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([HSIGEO, "info", named_scene], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"hsigeo: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_no_work_and_take_nothing_into_the_outputs(named_scene, closed):
    command = f'"{HSIGEO}" quicklook "{named_scene}" -o look.png {closed}'
    done = subprocess.run(["/bin/sh", "-c", command], cwd=named_scene.parent, check=False)

    assert done.returncode == 0
    assert (named_scene.parent / "look.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_whose_name_is_no_text_is_refused_in_one_line(hsigeo, tmp_path):
    write_envi(tmp_path, "d\udcfcne", make_encoded_cube(2, 3, 4))
    for arguments in (("classify", "d\udcfcne.hdr", "-o", "map.tif"), ("info", "."), ("classify", ".", "-o", "m.tif")):
        done = hsigeo(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("hsigeo: ")
        assert done.stderr.endswith(
            "d\\udcfcne.hdr: the file's name is no text in UTF-8; rename it, or run with LC_ALL=C.UTF-8 if it is one\n"
        )


def test_a_reader_that_stops_reading_is_no_error_worth_words(named_scene):
    process = subprocess.Popen([HSIGEO, "info", named_scene], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=60) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_gdal_messages_that_are_no_text_print_nothing(capsys):
    """As rasterio raises them, where nobody can catch them, about a TIFF with damaged tags."""
    unread = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    about = {"exc_type": UnicodeDecodeError, "exc_value": unread, "exc_traceback": None, "err_msg": None}

    _pass_over_logs(SimpleNamespace(**about, object="rasterio._env.log_error"))
    assert capsys.readouterr().err == ""


def test_a_message_that_quotes_a_long_text_is_one_line_of_bearable_length():
    text = "model.safetensors: " + "x\n" * 100_000 + "train it again"

    line = _one_line(text)

    assert len(line) < 2010
    assert "\n" not in line
    assert line.startswith("model.safetensors: x")
    assert line.endswith("train it again")
