"""`hsigeo classify` over many lines, as a user runs it in the evening and looks at it in the morning."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from flight_lines import write_line
from labelled_spectra import make_model

from hsigeo import tiling
from hsigeo.model import write_model

CAMPAIGN = ("classify", "lines", "--model", "model.safetensors", "--output-dir", "maps")


@pytest.fixture
def lines(tmp_path, monkeypatch) -> Path:
    """Three lines and a model in the folder where commands run; tiles of eight rows."""
    monkeypatch.setattr(tiling, "STRIP_PIXELS", 256)
    write_model(make_model(), tmp_path / "model.safetensors")
    folder = tmp_path / "lines"
    folder.mkdir()
    for number in range(3):
        write_line(folder, f"line_{number}", seed=number)
    return folder


def manifest(folder: Path) -> dict:
    return json.loads((folder / "maps" / "manifest.json").read_text(encoding="utf-8"))["lines"]


def maps(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "maps").glob("*.tif"))}


def test_each_line_gets_map_log_and_picture_and_the_campaign_a_manifest_and_a_table(hsigeo, lines, tmp_path):
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "3 lines: 3 done"
    for name in ("line_0", "line_1", "line_2"):
        for ending in ("_map.tif", "_map.tif.aux.xml", "_map.qml", "_map.log", "_quicklook.png"):
            assert (tmp_path / "maps" / f"{name}{ending}").is_file()
    entry = manifest(tmp_path)["line_1"]
    assert entry["status"] == "done"
    assert (tmp_path / "maps" / entry["scene"]).samefile(lines / "line_1.hdr")
    assert (tmp_path / "maps" / entry["outputs"]["map"]).is_file()
    assert entry["tiles"] == 5
    assert entry["peak_memory"] > 50 << 20
    with rasterio.open(tmp_path / "maps" / "line_1_map.tif") as dataset:
        ids = dataset.read(1)
    assert entry["pixels"] == ids.size
    counted = {f"class {k}": int((ids == k + 1).sum()) for k in range(3)}
    assert entry["pixels_per_class"] == {"": int((ids == 0).sum()), **counted}
    rows = list(csv.DictReader((tmp_path / "maps" / "summary.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["line"] for row in rows] == ["line_0", "line_1", "line_2"]
    assert rows[1]["classified"] == "0.9000"
    assert sorted(path.name for path in (tmp_path / "maps").iterdir() if path.name.startswith(".")) == []


def test_the_same_command_again_does_nothing(hsigeo, lines, tmp_path, monkeypatch):
    assert hsigeo(*CAMPAIGN).returncode == 0
    before, entry = maps(tmp_path), manifest(tmp_path)["line_0"]
    monkeypatch.setattr("hsigeo.campaign.work.LineWork.compute", None)
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 0, done.stderr
    assert maps(tmp_path) == before
    assert manifest(tmp_path)["line_0"] == entry


def test_the_look_at_lines_that_are_there_and_the_plan_show_how_far_they_are(hsigeo, lines, tmp_path):
    assert hsigeo(*CAMPAIGN).returncode == 0
    (tmp_path / "maps" / "line_1_map.tif").unlink()

    done = hsigeo(*CAMPAIGN, "--dry-run", env={"HSIGEO_PROGRESS": "json"})

    assert done.returncode == 0, done.stderr
    told = [json.loads(line)["progress"] for line in done.stderr.splitlines() if line.startswith("{")]
    assert [(step["done"], step["total"]) for step in told if step["what"] == "survey"][-1] == (3, 3)
    assert [(step["done"], step["total"]) for step in told if step["what"] == "plan"] == [(1, 1)]


def test_a_line_added_later_is_all_that_is_made(hsigeo, lines, tmp_path):
    assert hsigeo(*CAMPAIGN).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "maps").glob("*.tif")}
    write_line(lines, "line_9")
    assert hsigeo(*CAMPAIGN).returncode == 0
    assert len(maps(tmp_path)) == 4
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_broken_lines_are_named_and_the_others_are_made(hsigeo, lines, tmp_path):
    (lines / "broken.hdr").write_text("ENVI\nsamples = 3\n")
    write_line(lines, "cut")
    os.truncate(lines / "cut.img", 5000)
    write_line(lines, "visible", wavelength=[f"{nm:.1f}" for nm in np.linspace(400, 900, 12)])
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "3 of 6 scenes failed: " in last
    assert all(f"lines/{name}.hdr" in last for name in ("broken", "cut", "visible"))
    assert len(maps(tmp_path)) == 3
    entries = manifest(tmp_path)
    assert {name for name, entry in entries.items() if entry["status"] == "failed"} == {"broken", "cut", "visible"}
    assert "lacks" in entries["visible"]["error"]
    assert "failed: " in (tmp_path / "maps" / "visible_map.log").read_text(encoding="utf-8")
    assert "Traceback" not in done.stderr


def test_what_nobody_foresaw_is_named_too(hsigeo, lines, tmp_path, monkeypatch):
    from hsigeo.campaign.work import LineWork

    original = LineWork.read

    def read(self, window, into=None):
        if "line_1" in self.cube.header.path:
            raise KeyError("a bug")
        return original(self, window, into)

    monkeypatch.setattr(LineWork, "read", read)
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 1
    assert "line_1: failed: unexpected KeyError" in done.stderr
    assert "Traceback" in (tmp_path / "maps" / "line_1_map.log").read_text(encoding="utf-8")
    assert sorted(maps(tmp_path)) == ["line_0_map.tif", "line_2_map.tif"]


def test_what_failed_is_tried_again_when_asked_or_when_it_changed(hsigeo, lines, tmp_path, monkeypatch):
    write_line(lines, "cut")
    whole = (lines / "cut.img").read_bytes()
    os.truncate(lines / "cut.img", 5000)
    assert hsigeo(*CAMPAIGN).returncode == 1
    opened = []
    from hsigeo.campaign import run

    original = run.prepare_line
    monkeypatch.setattr(run, "prepare_line", lambda job, *others: opened.append(job.name) or original(job, *others))
    assert hsigeo(*CAMPAIGN).returncode == 1
    (lines / "cut.img").write_bytes(whole)
    opened.clear()
    assert hsigeo(*CAMPAIGN).returncode == 0
    assert opened.count("cut") == 1
    assert manifest(tmp_path)["cut"]["status"] == "done"


def test_finished_maps_are_recognised_without_the_network(hsigeo, lines, monkeypatch):
    assert hsigeo(*CAMPAIGN).returncode == 0
    monkeypatch.setattr(
        "hsigeo.campaign.preparation.warm_up", lambda *_, **__: pytest.fail("there is nothing to compute")
    )
    assert hsigeo(*CAMPAIGN).returncode == 0


def test_a_failure_while_reading_waits_for_retry_failed(hsigeo, lines, tmp_path, monkeypatch):
    from hsigeo.campaign.work import LineWork
    from hsigeo.errors import SceneError

    original = LineWork.read

    def read(self, window, into=None):
        if "line_1" in self.cube.header.path and window[0].start >= 16:
            raise SceneError("the disk does not answer")
        return original(self, window, into)

    with monkeypatch.context() as patch:
        patch.setattr(LineWork, "read", read)
        assert hsigeo(*CAMPAIGN).returncode == 1
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 1
    assert "line_1: failed: the disk does not answer" in done.stderr
    done = hsigeo(*CAMPAIGN, "--retry-failed")
    assert done.returncode == 0, done.stderr
    assert manifest(tmp_path)["line_1"]["resumed"] == 2


@pytest.mark.parametrize("changed", ["model", "pixels", "header"])
def test_maps_of_another_model_or_scene_are_refused_before_any_work(hsigeo, lines, tmp_path, changed):
    assert hsigeo(*CAMPAIGN).returncode == 0
    before = maps(tmp_path)
    if changed == "model":
        write_model(make_model(seed=1), tmp_path / "model.safetensors", overwrite=True)
    elif changed == "pixels":
        write_line(lines, "line_1", seed=9)
    else:
        write_line(lines, "line_1", seed=1, **{"reflectance scale factor": 20000})
    write_line(lines, "line_9")
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 1
    said = {"model": "another model", "pixels": "other pixels", "header": "another header"}[changed]
    assert said in done.stderr.splitlines()[-1]
    assert "--overwrite" in done.stderr.splitlines()[-1]
    assert maps(tmp_path) == before
    assert hsigeo(*CAMPAIGN, "--overwrite").returncode == 0
    assert maps(tmp_path) != before


def test_half_a_map_of_another_model_is_not_used_and_that_is_said(hsigeo, lines, tmp_path, monkeypatch):
    from hsigeo.campaign.work import LineWork
    from hsigeo.errors import SceneError

    def read(self, window, into=None):
        if window[0].start >= 16:
            raise SceneError("no")
        return original(self, window, into)

    original = LineWork.read
    with monkeypatch.context() as patch:
        patch.setattr(LineWork, "read", read)
        hsigeo("classify", "lines/line_0.hdr", "--model", "model.safetensors", "--output-dir", "maps")
    assert (tmp_path / "maps" / ".line_0_map.tif.partial").is_dir()
    write_model(make_model(seed=1), tmp_path / "model.safetensors", overwrite=True)
    done = hsigeo("classify", "lines/line_0.hdr", "--model", "model.safetensors", "--output-dir", "maps")
    assert done.returncode == 0, done.stderr
    assert "the unfinished map there was made with another model; it is not used" in done.stderr
    assert manifest(tmp_path)["line_0"]["resumed"] == 0


def test_a_full_disk_ends_the_run_in_one_line_and_room_lets_it_go_on(hsigeo, lines, tmp_path, monkeypatch):
    pwrite, room = os.pwrite, [7]

    def full(descriptor, content, position):
        if len(content) > 100:  # not the locks
            room[0] -= 1
            if room[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return pwrite(descriptor, content, position)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        done = hsigeo(*CAMPAIGN)
    assert done.returncode == 1
    assert "no space is left on the disk of" in done.stderr.splitlines()[-1]
    assert manifest(tmp_path)["line_1"]["status"] == "stopped"
    assert manifest(tmp_path)["line_2"]["status"] == "waiting"
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 0, done.stderr
    assert manifest(tmp_path)["line_1"]["resumed"] == 2


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root can make a small disk")
def test_a_disk_that_is_really_full(hsigeo, tmp_path):
    write_model(make_model(), tmp_path / "model.safetensors")
    (tmp_path / "lines").mkdir()
    write_line(tmp_path / "lines", "line_0", lines=1200, samples=700)
    (tmp_path / "maps").mkdir()
    if os.system(f"mount -t tmpfs -o size=8m tmpfs {tmp_path}/maps 2>/dev/null"):
        pytest.skip("this system lets nobody mount")
    try:
        (tmp_path / "maps" / "ballast").write_bytes(bytes(15 << 19))
        done = hsigeo(*CAMPAIGN)
        assert done.returncode == 1
        assert "no space is left on the disk of" in done.stderr.splitlines()[-1]
        (tmp_path / "maps" / "ballast").unlink()
        done = hsigeo(*CAMPAIGN)
        assert done.returncode == 0, done.stderr
        assert 0 < manifest(tmp_path)["line_0"]["resumed"] < manifest(tmp_path)["line_0"]["tiles"]
    finally:
        os.system(f"umount {tmp_path}/maps")


def test_two_processes_share_a_folder_and_its_work(start_hsigeo, tmp_path):
    write_model(make_model(), tmp_path / "model.safetensors")
    (tmp_path / "lines").mkdir()
    for number in range(4):
        write_line(tmp_path / "lines", f"line_{number}", seed=number, lines=200, samples=100)
    processes = [start_hsigeo(*CAMPAIGN) for _ in range(2)]
    for process in processes:
        _, error = process.communicate(timeout=200)
        assert process.returncode == 0, error
    assert {entry["status"] for entry in manifest(tmp_path).values()} == {"done"}
    logs = [path.read_text(encoding="utf-8") for path in (tmp_path / "maps").glob("*.log")]
    assert [log.count(" done: ") for log in logs] == [1, 1, 1, 1]  # none was made twice
    assert sorted(path.name for path in (tmp_path / "maps").iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_first_interrupt_finishes_the_tile_in_hand_and_says_how_to_go_on(start_hsigeo, hsigeo, tmp_path, stop):
    write_model(make_model(), tmp_path / "model.safetensors")
    write_line(tmp_path, "line", lines=3000, samples=600)
    command = ("classify", "line.hdr", "--model", "model.safetensors", "-o", "map.tif")
    process = start_hsigeo(*command)
    journal = tmp_path / ".map.tif.partial" / "tiles.log"
    deadline = time.monotonic() + 100
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(stop)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 130, error
    assert "repeat the same command to continue" in error.splitlines()[-1]
    assert not (tmp_path / "map.tif").exists()
    kept = journal.read_bytes().count(b"\n")
    assert f"{kept} of 188 tiles of map.tif are kept" in error.splitlines()[-1]


def test_a_second_interrupt_stops_at_once(start_hsigeo, tmp_path):
    write_model(make_model(), tmp_path / "model.safetensors")
    write_line(tmp_path, "line", lines=3000, samples=600)
    process = start_hsigeo("classify", "line.hdr", "--model", "model.safetensors", "-o", "map.tif")
    journal = tmp_path / ".map.tif.partial" / "tiles.log"
    deadline = time.monotonic() + 100
    while not journal.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 130, error


def test_layers_go_beside_each_map(hsigeo, lines, tmp_path):
    done = hsigeo(*CAMPAIGN, "--layer", "confidence", "--layer", "probabilities")
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "maps" / "line_0_probabilities.tif") as dataset:
        probabilities = dataset.read()
    with rasterio.open(tmp_path / "maps" / "line_0_confidence.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), probabilities.max(axis=0))


def test_a_layer_asked_for_later_is_added_and_the_map_stays_the_same(hsigeo, lines, tmp_path):
    assert hsigeo(*CAMPAIGN).returncode == 0
    before = maps(tmp_path)
    assert hsigeo(*CAMPAIGN, "--layer", "confidence").returncode == 0
    after = maps(tmp_path)
    assert len(after) == 6
    assert {name: after[name] for name in before} == before


def test_names_follow_the_lines_id_and_two_of_one_name_are_refused(hsigeo, lines, tmp_path):
    write_line(lines, "ang20150422t163638_rfl_v1_img")
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 0, done.stderr
    assert "ang20150422t163638_map.tif" in maps(tmp_path)
    write_line(lines, "ang20150422t163638_corr_v2_img")
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 2
    assert "would both become maps/ang20150422t163638_map.tif" in done.stderr


def test_lists_patterns_and_files_may_be_mixed(hsigeo, lines, tmp_path):
    (tmp_path / "list.txt").write_text("lines/line_0.hdr\n", encoding="utf-8")
    arguments = ("--list", "list.txt", "lines/*_1.hdr", "lines/line_2.hdr")
    done = hsigeo("classify", *arguments, "--model", "model.safetensors", "--output-dir", "maps")
    assert done.returncode == 0, done.stderr
    assert len(maps(tmp_path)) == 3


def test_a_manifest_that_is_none_is_not_replaced(hsigeo, lines, tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "manifest.json").write_text('{"name": "my web app"}')
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 1
    assert "manifest.json is not a manifest of hsigeo" in done.stderr.splitlines()[-1]
    assert maps(tmp_path) == {}
