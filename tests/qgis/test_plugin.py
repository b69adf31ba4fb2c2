"""The plugin in real QGIS: through ``qgis_process``, and as a user's session."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from campaigns import CLASSES, make_ids, make_line_grid, make_probabilities_of, write_line
from qgis_program import find_qgis_process, find_qgis_python, qgis_environment

from hsigeo.classification import classify
from hsigeo.io import open_map, open_scene
from hsigeo.model import load_model
from hsigeo.qgis_profiles import PLUGIN, find_profile, install_plugin

COMMAND = [sys.executable, "-m", "hsigeo"]
THREE = ["Kaolin quarry", "Wald (Laubbäume)", "Water"]
ENDLESS = """#!/bin/sh
trap 'rm "{half}"; exit 130' TERM
touch "{half}"
echo ready >&2
while :; do sleep 0.1; done
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A user's folder with the plugin installed in a fresh profile."""
    find_qgis_python()
    folder = tmp_path_factory.mktemp("home")
    install_plugin(find_profile(folder / "settings" / "profiles", None), COMMAND)
    return folder


@pytest.fixture(scope="module")
def work(tmp_path_factory, sample_scenes) -> Path:
    folder = tmp_path_factory.mktemp("work")
    for name in ("line_1.hdr", "line_1.img", "line_2.hdr", "line_2.img", "training.gpkg", "validation.gpkg"):
        shutil.copy(sample_scenes / name, folder)
    return folder


@pytest.fixture(scope="module")
def run(home, work):
    """Run ``qgis_process`` with these arguments in the working folder."""
    program = find_qgis_process()

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=work,
            env=qgis_environment(home),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    enabled = call("plugins", "enable", PLUGIN)
    assert enabled.returncode == 0, enabled.stderr
    return call


@pytest.fixture(scope="module")
def by_process(run, work) -> dict[str, subprocess.CompletedProcess[str]]:
    """Train, then classify, as a script would."""
    trained = run(
        "run", "hsigeo:train", "--", f"SCENES={work / 'line_1.img'}", f"SCENES={work / 'line_2.hdr'}",
        f"LABELS={work / 'training.gpkg'}", "FIELD=class", "VALIDATION=false", f"MODEL={work / 'all.safetensors'}",
    )  # fmt: skip
    classified = run(
        "run", "hsigeo:classify", "--", f"SCENE={work / 'line_1.hdr'}", f"MODEL={work / 'all.safetensors'}",
        f"MAP={work / 'all.tif'}", f"CONFIDENCE={work / 'sure.tif'}",
    )  # fmt: skip
    return {"train": trained, "classify": classified}


def test_training_runs_in_qgis_process(by_process, work):
    done = by_process["train"]

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"MODEL:\t{work / 'all.safetensors'}" in done.stdout
    assert len(load_model(work / "all.safetensors").card.classes) == 8
    assert "hsigeo train " in done.stdout


def test_classifying_runs_in_qgis_process_and_tells_its_progress(by_process, work):
    done = by_process["classify"]

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"MAP:\t{work / 'all.tif'}" in done.stdout
    assert "100 - done" in done.stdout
    assert (work / "all.qml").is_file()
    assert (work / "sure.qml").is_file()


def test_the_map_is_the_one_that_hsigeo_makes_without_qgis(by_process, work):
    assert by_process["classify"].returncode == 0

    plain = classify(open_scene(work / "line_1.hdr"), load_model(work / "all.safetensors"))["class_id"].values

    with rasterio.open(work / "all.tif") as by_qgis:
        np.testing.assert_array_equal(by_qgis.read(1), plain)


@pytest.fixture(scope="module")
def session(home, work, warm_commands) -> dict:
    """All algorithms in one session of QGIS; see session.py. How the plugin finds hsigeo, `by_process` shows."""
    grids = (make_line_grid(80, 40), make_line_grid(80, 40, turn=20, east=380_090))
    all_ids = [make_ids(grid, number) for number, grid in enumerate(grids)]
    maps = [
        write_line(work / f"flight_{number}_map.tif", grid, ids, probabilities=make_probabilities_of(ids, number))
        for number, (grid, ids) in enumerate(zip(grids, all_ids, strict=True))
    ]
    merging = {"MAP": maps[0], "PROBABILITIES": work / "flight_0_probabilities.tif", "CLASSES": work / "groups.csv"}
    merging["CLASSES"].write_text("class,name\nsoil,Oak & elm\n", encoding="utf-8")
    endless = work / "endless"
    endless.write_text(ENDLESS.format(half=work / "half-written"))
    endless.chmod(0o755)
    with rasterio.open(work / "line_1.img") as scene:
        east, north = scene.transform @ (50.5, 90.5)
        crs = scene.crs
    (x,), (y,) = rasterio.warp.transform(crs, "EPSG:4326", [east], [north])
    request = {
        "plugins": str(home / "settings" / "profiles" / "default" / "python" / "plugins"),
        "folder": str(work),
        "scene": str(work / "line_1.img"),
        "other": str(work / "line_2.hdr"),
        "labels": str(work / "training.gpkg"),
        "reference": str(work / "validation.gpkg"),
        "point": f"{x!r},{y!r} [EPSG:4326]",
        "maps": [str(path) for path in maps],
        "merging": {name: str(path) for name, path in merging.items()},
        "program": str(warm_commands / "hsigeo"),
        "endless": str(endless),
    }
    (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
    done = subprocess.run(
        [find_qgis_python(), str(Path(__file__).with_name("session.py")), "request.json", "answer.json"],
        cwd=work,
        env=qgis_environment(home),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((work / "answer.json").read_text(encoding="utf-8"))


def test_there_is_an_algorithm_for_each_command_with_help_and_icon(session):
    assert session["algorithms"] == {
        "hsigeo:classify": ["Classify scene", True, True],
        "hsigeo:evaluate": ["Evaluate map", True, True],
        "hsigeo:explain": ["Explain map or model", True, True],
        "hsigeo:mosaic": ["Mosaic of class maps", True, True],
        "hsigeo:refine": ["Refine map", True, True],
        "hsigeo:train": ["Train model", True, True],
    }
    assert session["after unloading"]


@pytest.mark.parametrize("step", ["train", "classify", "evaluate", "explain", "mosaic", "refine"])
def test_every_algorithm_ends_without_an_error(session, step):
    assert session[step]["error"] == ""
    assert session[step]["commands"][0].startswith(f"hsigeo {step} ")


def test_a_filter_on_the_label_layer_counts(session, work):
    assert session["train"]["error"] == ""
    assert list(load_model(work / "three.safetensors").card.classes.names) == THREE


def test_results_are_added_to_the_project_styled(session):
    assert session["project"]["Class map"] == {"renderer": "paletted", "legend": THREE}
    assert session["project"]["Confidence"]["renderer"] == "singlebandpseudocolor"
    assert session["project"]["Mosaic"] == {"renderer": "paletted", "legend": list(CLASSES.names)}
    assert session["project"]["Flight lines"] == {"renderer": "paletted", "legend": ["flight_0", "flight_1"]}


def test_progress_only_grows_and_reaches_the_end(session):
    steps = session["classify"]["progress"]

    assert steps == sorted(steps)
    assert steps[-1] == 100


def test_evaluation_gives_numbers_and_a_page(session, work):
    results = session["evaluate"]["results"]

    assert 0 < results["KAPPA"] <= results["OVERALL_ACCURACY"] <= 1
    assert "Wald (Laubbäume)" in (work / "accuracy.html").read_text(encoding="utf-8")


def test_a_point_in_another_coordinate_system_is_explained(session, work):
    page = (work / "why.html").read_text(encoding="utf-8")

    assert "row 90, column 50" in page
    assert "evidence.png" in page
    assert Path(session["explain"]["results"]["PLOT"]).name == "evidence.png"


def test_the_mosaic_and_its_lines_are_there(session, work):
    assert session["mosaic"]["results"]["LINES"] == str(work / "mosaic_lines.tif")
    assert len(open_map(work / "mosaic_lines.tif").classes) == 2


def test_a_refined_map_is_the_one_that_hsigeo_makes_without_qgis(session, work):
    classified = session["classify"]["results"]
    plain = work / "refined_without_qgis.tif"
    command = [*COMMAND, "refine", classified["MAP"], "-o", str(plain), "--confidence", classified["CONFIDENCE"]]
    command += ["--threshold", "0.5", "--threshold", "Wald (Laubbäume)=0.7", "--majority", "3", "--clump", "3"]
    command += ["--clump-class", "Water", "--clump-class", "Kaolin quarry", "--sieve", "10", "--neighbours", "8"]
    subprocess.run(command, check=True, capture_output=True)

    with rasterio.open(session["refine"]["results"]["REFINED"]) as by_qgis, rasterio.open(plain) as without:
        np.testing.assert_array_equal(by_qgis.read(1), without.read(1))
    assert session["project"]["Refined map"] == {"renderer": "paletted", "legend": THREE}


def test_probabilities_are_smoothed_and_classes_merged(session, work):
    assert session["smooth"]["error"] == ""
    refined = open_map(work / "calm.tif")
    assert refined.classes.names == CLASSES.names[:3]
    assert [step["operation"] for step in refined.metadata["refined"][0]["steps"]] == [
        "classes", "smoothing", "probabilities"
    ]  # fmt: skip
    assert (work / "calm_sure.qml").is_file()


def test_a_refinement_without_a_wish_is_an_error(session, work):
    assert session["nothing to refine"]["error"].startswith("Error: nothing to do")
    assert not (work / "none.tif").exists()


def test_errors_are_those_that_hsigeo_prints(session, work):
    assert session["no model"]["error"].startswith(f"hsigeo: no model for {work / 'line_2.hdr'}")
    assert "nowhere.hdr" in session["no scene"]["error"]
    assert not (work / "none.tif").exists()


def test_cancelling_ends_the_program_which_clears_up(session, work):
    assert "ready" in session["cancel"]["said"]
    assert session["cancel"]["results"] == {}
    assert session["cancel"]["error"] == ""
    assert not (work / "half-written").exists()
