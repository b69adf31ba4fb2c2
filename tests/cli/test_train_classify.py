"""`hsigeo train` and `hsigeo classify`, from files to files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
from envi_files import write_envi
from rasterio.warp import transform as warp_points

from hsigeo.model import load_model

BANDS, LINES, SAMPLES = 16, 40, 30
NODATA = -9999
WAVELENGTH = [f"{nm:.1f}" for nm in np.linspace(450, 2350, BANDS)]


TRAIN = ("train", "line.hdr", "--labels", "labels.geojson", "--field", "class")


def make_cube(*, seed=0):
    """Three stripes of rows with spectra of their own, and a margin of nodata on the left."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, BANDS)
    shapes = [0.1 + 0.3 * ramp, 0.4 - 0.2 * ramp, 0.2 + 0.2 * np.sin(6 * ramp)]
    stripe = np.arange(LINES) * 3 // LINES
    reflectance = np.stack([shapes[k] for k in stripe], axis=1)[:, :, None] * rng.uniform(0.8, 1.2, (1, LINES, SAMPLES))
    cube = np.round(10_000 * (reflectance + 0.005 * rng.normal(size=(BANDS, LINES, SAMPLES)))).astype(np.int16)
    cube[:, :, :3] = NODATA
    return cube


def write_scene(folder: Path, name: str, **header) -> Path:
    fields = {
        "map info": "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters, rotation=30}",
        "wavelength": WAVELENGTH,
        "wavelength units": "Nanometers",
        "data ignore value": NODATA,
        "reflectance scale factor": 10000,
    }
    return write_envi(folder, name, make_cube(), dtype="int16", header_extra={**fields, **header})


def write_polygons(folder: Path, scene: Path, *, names=("Wald (Laubbäume)", "水", "bare & dry")) -> Path:
    """Four boxes in each stripe, as GeoJSON in longitude and latitude."""
    with rasterio.open(scene.with_suffix(".img")) as dataset:
        transform, crs = dataset.transform, dataset.crs
    features = []
    for stripe, name in enumerate(names):
        for number in range(4):
            top, left = stripe * 13.4 + 2, 4 + 6.5 * number
            corners = [(left, top), (left + 4, top), (left + 4, top + 8), (left, top + 8), (left, top)]
            x, y = zip(*(transform @ corner for corner in corners), strict=True)
            ring = list(zip(*warp_points(crs, "EPSG:4326", x, y), strict=True))
            geometry = {"type": "Polygon", "coordinates": [ring]}
            features.append({"type": "Feature", "properties": {"class": name, "nr": number}, "geometry": geometry})
    path = folder / "labels.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a scene, its labels and a model trained on them, made once."""
    folder = tmp_path_factory.mktemp("trained")
    scene = write_scene(folder, "line")
    labels = write_polygons(folder, scene)
    from hsigeo.io import open_labels, open_scene
    from hsigeo.model import write_model
    from hsigeo.training import train

    write_model(train(open_scene(scene), open_labels(labels, field="class"), check=False), folder / "line.safetensors")
    return folder


@pytest.fixture
def here(trained, tmp_path) -> Path:
    """A copy of the trained folder, which is also where commands run."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_from_scene_and_polygons_to_a_georeferenced_map(hsigeo, tmp_path):
    scene = write_scene(tmp_path, "line")
    labels = write_polygons(tmp_path, scene)
    done = hsigeo("train", "line.hdr", "--labels", labels.name, "--field", "class", "-o", "line.safetensors")
    assert done.returncode == 0, done.stderr
    assert "each part held out once (5 folds, disjoint by polygons)" in done.stderr
    assert "expected on unseen ground like that of the labels: overall accuracy" in done.stderr
    assert "a random split gives" in done.stderr
    done = hsigeo("classify", "line.hdr", "-o", "map.tif", "--probabilities", "p.tif", "--confidence", "c.tif")
    assert done.returncode == 0, done.stderr
    with rasterio.open(scene.with_suffix(".img")) as source, rasterio.open(tmp_path / "map.tif") as made:
        assert made.crs == source.crs
        assert made.transform.almost_equals(source.transform)
        ids = made.read(1)
    assert (ids[:, :3] == 0).all()
    names = load_model(tmp_path / "line.safetensors").card.classes.names
    mapped = np.array(["", *names])[ids[:, 3:]]
    truth = np.array(["Wald (Laubbäume)", "水", "bare & dry"])[np.arange(LINES) * 3 // LINES][:, None]
    assert (mapped == truth).mean() > 0.97
    with rasterio.open(tmp_path / "p.tif") as probabilities:
        assert probabilities.descriptions == names
        np.testing.assert_allclose(probabilities.read().sum(axis=0)[:, 3:], 1, atol=1e-5)


def test_one_of_several_layers_is_named(hsigeo, here):
    meta, _, wkb, columns = pyogrio.raw.read(here / "labels.geojson", columns=["class"])
    for layer, order in (("fields", 1), ("visits", -1)):
        values = [columns[0][::order]]  # the other layer names the classes the other way round
        options = {"geometry_type": meta["geometry_type"], "crs": meta["crs"], "layer": layer}
        pyogrio.raw.write(here / "both.gpkg", wkb, values, ["class"], append=order < 0, **options)

    unnamed = hsigeo("train", "line.hdr", "--labels", "both.gpkg", "-o", "a.safetensors", "--no-validation")
    named = hsigeo(
        "train", "line.hdr", "--labels", "both.gpkg", "--layer", "fields", "-o", "a.safetensors", "--no-validation"
    )
    assert hsigeo("classify", "line.hdr", "--model", "a.safetensors", "-o", "map.tif").returncode == 0
    right = hsigeo("evaluate", "map.tif", "--labels", "both.gpkg", "--layer", "fields", "--json", "r.json")
    wrong = hsigeo("evaluate", "map.tif", "--labels", "both.gpkg", "--layer", "visits", "--json", "w.json")

    assert unnamed.returncode == 1
    assert "--layer; layers: fields, visits" in unnamed.stderr
    assert named.returncode == 0, named.stderr
    assert right.returncode == wrong.returncode == 0, wrong.stderr
    accuracies = [json.loads((here / f"{name}.json").read_text())["overall_accuracy"] for name in "rw"]
    assert accuracies[0] > 0.9 > accuracies[1]


def test_the_same_seed_gives_the_same_file_and_another_seed_another(hsigeo, here):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        done = hsigeo(
            *("train", "line.hdr", "--labels", "labels.geojson", "--field", "class", "--no-validation"),
            *("-o", f"{name}.safetensors", "--seed", seed),
        )
        assert done.returncode == 0, done.stderr
    first, same, other = ((here / f"{name}.safetensors").read_bytes() for name in "abc")
    assert first == same
    assert first != other


def test_an_existing_map_is_kept_unless_overwriting_is_asked_for(hsigeo, here):
    assert hsigeo("classify", "line.hdr", "-o", "map.tif").returncode == 0
    before = (here / "map.tif").read_bytes()
    done = hsigeo("classify", "line.hdr", "-o", "map.tif")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("hsigeo: map.tif exists")
    assert (here / "map.tif").read_bytes() == before
    assert hsigeo("classify", "line.hdr", "-o", "map.tif", "--overwrite").returncode == 0


def test_several_scenes_go_to_a_folder_and_a_broken_one_does_not_stop_the_others(hsigeo, here):
    write_scene(here, "other")
    (here / "broken.hdr").write_text("ENVI\nsamples = 3\n")
    done = hsigeo(
        "classify", "line.hdr", "broken.hdr", "other.hdr", "--output-dir", "maps", "--model", "line.safetensors"
    )
    assert done.returncode == 1
    assert {"line_map.tif", "other_map.tif"} <= files(here / "maps")
    assert "1 of 3 scenes failed: broken.hdr" in done.stderr


def test_the_model_comes_from_the_environment_where_none_lies_beside_the_scene(hsigeo, here):
    write_scene(here, "other")
    done = hsigeo("classify", "other.hdr", "-o", "map.tif")
    assert done.returncode == 1
    assert "no model for other.hdr" in done.stderr
    assert "hsigeo train other.hdr --labels" in done.stderr
    done = hsigeo("classify", "other.hdr", "-o", "map.tif", env={"HSIGEO_MODEL": str(here / "line.safetensors")})
    assert done.returncode == 0, done.stderr


def test_the_least_memory_that_a_refusal_names_does_and_gives_the_same_map(hsigeo, here):
    assert hsigeo("classify", "line.hdr", "-o", "whole.tif").returncode == 0
    refused = hsigeo("classify", "line.hdr", "-o", "tiled.tif", "--max-memory", "20K")
    assert refused.returncode == 2
    least = re.search(r"the smallest limit that works is --max-memory (\d+)M", refused.stderr)
    assert least is not None, refused.stderr
    # What the process takes before it begins varies by a few MB from run to run.
    done = hsigeo("classify", "line.hdr", "-o", "tiled.tif", "--max-memory", f"{int(least[1]) + 20}M", "--threads", "1")
    assert done.returncode == 0, done.stderr
    with rasterio.open(here / "whole.tif") as whole, rasterio.open(here / "tiled.tif") as tiled:
        np.testing.assert_array_equal(whole.read(), tiled.read())


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(hsigeo, here):
    before = sorted(here.iterdir())
    done = hsigeo("classify", "line.hdr", "-o", "planned.tif", "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    assert list(lines) == ["scene", "model", "tiles", "read", "write", "memory", "compute", "time"]
    assert "planned.tif" in lines["write"]
    assert lines["memory"].endswith("allowed")
    assert sorted(here.iterdir()) == before


def test_a_dry_run_refuses_what_the_run_would_refuse(hsigeo, here):
    (here / "there.tif").write_bytes(b"something")
    done = hsigeo("classify", "line.hdr", "-o", "there.tif", "--dry-run")
    assert done.returncode == 1
    assert "there.tif exists" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["classify", "none.hdr", "-o", "m.tif", "--model", "line.safetensors"], 1, "none.hdr"),
        (["classify", "line.hdr", "-o", "m.tif", "--model", "none.safetensors"], 1, "there is no such model file"),
        (["classify", "line.hdr", "-o", "m.tif", "--model", "line.img"], 1, "not a complete hsigeo model file"),
        (["classify", "line.hdr", "-o", "no/such/m.tif"], 1, "does not exist; make it first"),
        (["classify", "line.hdr", "-o", "m.tif", "--max-memory", "10"], 2, "--max-memory is too small"),
        (["classify", "line.hdr", "-o", "m.tif", "--max-memory", "lots"], 2, "is not a size"),
        (["classify", "line.hdr"], 2, "give either -o"),
        (["classify", "line.hdr", "line.hdr", "-o", "m.tif"], 2, "-o takes one scene, 2 were given"),
        (["classify", "line.hdr", "line.hdr", "--output-dir", "maps"], 2, "would both become"),
        (["classify", "line.hdr", "--output-dir", "maps", "--confidence", "c.tif"], 2, "name a single file"),
        (["train", "line.hdr", "--labels", "none.gpkg", "-o", "m.safetensors"], 1, "none.gpkg does not exist"),
        (["train", "line.hdr", "--labels", "labels.geojson", "--field", "typ", "-o", "m.safetensors"], 1, "class"),
        (["train", "--labels", "labels.geojson", "-o", "m.safetensors"], 2, "give the scenes"),
        (["train", "line.hdr", "--labels", "a", "--labels", "b", "-o", "m.safetensors"], 2, "1 scenes and 2 label"),
        (["train", "line.hdr", "--labels", "labels.geojson", "-o", "line.safetensors"], 1, "exists"),
        (
            [*TRAIN, "-o", "m.safetensors", "--variant", "x"],
            1,
            "no variant 'x'",
        ),
        ([*TRAIN, "-o", "m.safetensors", "--seed", str(1 << 64)], 1, "is not between 0 and"),
        ([*TRAIN, "-o", "labels.geojson", "--overwrite"], 1, "labels.geojson: models are safetensors files"),
        ([*TRAIN, "-o", "line.hdr", "--overwrite"], 1, "line.hdr: models are safetensors files"),
        ([*TRAIN, "-o", "m.safetensors", "--labels-crs", "EPSG:999999"], 1, "is not a CRS"),
        (["train", "line.hdr", "--labels", ".", "-o", "m.safetensors"], 1, ". is a folder; give a vector file"),
        (["classify", "line.hdr", "-o", "line.safetensors", "--overwrite"], 1, "is an input of this command"),
        (["classify", "line.hdr", "--output-dir", "line.hdr/maps"], 1, "cannot be made: line.hdr: File exists"),
        (["classify", "none.hdr", "--output-dir", "new/maps", "--model", "line.safetensors"], 1, "none.hdr"),
        (["classify", "two\nlines.hdr", "-o", "m.tif", "--model", "line.safetensors"], 1, "two lines.hdr"),
    ],
)
def test_bad_input_gives_one_clear_line_and_leaves_nothing_behind(hsigeo, here, arguments, code, message):
    before = files(here)
    done = hsigeo(*arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr.strip().splitlines()[-1]
    complaints = [line for line in done.stderr.splitlines() if line.startswith(("hsigeo: ", "ERROR"))]
    assert code == 2 or len(complaints) == 1
    assert "Traceback" not in done.stderr
    assert files(here) == before


def test_bands_that_do_not_match_the_model_are_named(hsigeo, here):
    write_scene(here, "visible", wavelength=[f"{nm:.1f}" for nm in np.linspace(400, 900, BANDS)])
    done = hsigeo("classify", "visible.hdr", "-o", "map.tif", "--model", "line.safetensors")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "of the 16 wavelengths" in last
    assert "good bands cover 400-900 nm" in last
    assert "map.tif" not in files(here)


def test_a_scene_that_says_too_little_is_classified_if_that_is_accepted(hsigeo, here):
    write_scene(here, "visible", wavelength=[f"{nm:.1f}" for nm in np.linspace(400, 900, BANDS)])
    done = hsigeo("classify", "visible.hdr", "-o", "map.tif", "--model", "line.safetensors", "--fill-missing")
    assert done.returncode == 0, done.stderr
    assert "of 16 bands were resampled" in done.stderr
    with rasterio.open(here / "map.tif") as dataset:
        assert any("resampled" in note for note in json.loads(dataset.tags()["HSIGEO"])["metadata"]["repairs"])


def test_a_dead_band_that_nobody_marked_is_bridged(hsigeo, here):
    assert hsigeo("classify", "line.hdr", "-o", "whole.tif").returncode == 0
    cube = make_cube()
    cube[7, :, 3:] = 0
    raw = np.ascontiguousarray(cube.transpose(1, 0, 2))  # bil, as `write_scene` writes
    (here / "line.img").write_bytes(raw.tobytes())
    done = hsigeo("classify", "line.hdr", "-o", "dead.tif")
    assert done.returncode == 0, done.stderr
    assert "band 8" in done.stderr
    with rasterio.open(here / "whole.tif") as whole, rasterio.open(here / "dead.tif") as dead:
        expected, found = whole.read(1), dead.read(1)
    np.testing.assert_array_equal(found == 0, expected == 0)
    assert (found == expected).mean() > 0.97


def test_a_model_is_trained_for_the_bands_of_another_sensor(hsigeo, here):
    write_scene(here, "other", wavelength=[f"{float(nm) + 4:.1f}" for nm in WAVELENGTH])
    done = hsigeo(*TRAIN, "--bands-of", "other.hdr", "-o", "other.safetensors", "--no-validation")
    assert done.returncode == 0, done.stderr
    assert "trained for other bands" in done.stderr
    done = hsigeo("classify", "other.hdr", "-o", "map.tif")
    assert done.returncode == 0, done.stderr
    assert "resampled" not in done.stderr


def test_labels_elsewhere_are_refused(hsigeo, here):
    text = (here / "labels.geojson").read_text(encoding="utf-8")
    document = json.loads(text)
    for feature in document["features"]:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"][0] = [[x + 1, y] for x, y in ring]
    (here / "elsewhere.geojson").write_text(json.dumps(document), encoding="utf-8")
    done = hsigeo("train", "line.hdr", "--labels", "elsewhere.geojson", "--field", "class", "-o", "m.safetensors")
    assert done.returncode == 1
    assert "no label falls on" in done.stderr.strip().splitlines()[-1]


def test_a_single_class_is_refused(hsigeo, here):
    write_polygons(here, here / "line.hdr", names=("水",))
    done = hsigeo("train", "line.hdr", "--labels", "labels.geojson", "--field", "class", "-o", "m.safetensors")
    assert done.returncode == 1
    assert "only one class ('水')" in done.stderr.strip().splitlines()[-1]


def test_the_installed_command_runs(here):
    command = [Path(sysconfig.get_path("scripts")) / "hsigeo", "classify", "line.hdr", "-o", "map.tif"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "map.tif" in files(here)


def test_a_scene_that_is_not_there_is_said_before_its_model_is_missed(hsigeo):
    done = hsigeo("classify", "nothing.hdr", "-o", "map.tif")
    assert (done.returncode, done.stderr) == (1, "hsigeo: nothing.hdr: there is no such file\n")


def test_a_map_without_any_class_comes_with_a_caution(hsigeo, here):
    write_envi(
        here,
        "empty",
        np.full((BANDS, 5, 4), NODATA, np.int16),
        dtype="int16",
        header_extra={"wavelength": WAVELENGTH, "wavelength units": "Nanometers", "data ignore value": NODATA},
    )
    done = hsigeo("classify", "empty.hdr", "--model", "line.safetensors", "-o", "empty.tif")
    assert done.returncode == 0
    assert "caution: no pixel of empty.tif has a class; `hsigeo info empty.hdr` says what" in done.stderr


def test_the_first_run_on_a_computer_says_what_it_waits_for(hsigeo, here, monkeypatch):
    compiling = pytest.importorskip("hsigeo.kernels.compiling")
    monkeypatch.setattr(compiling, "is_compiled", lambda: False)
    compiled = {"HSIGEO_KERNEL": "cpu"}
    assert "inner loops are compiled" in hsigeo("classify", "line.hdr", "-o", "a.tif", env=compiled).stderr
    # A scene so small is not worth it.
    assert "inner loops are compiled" not in hsigeo("classify", "line.hdr", "-o", "b.tif").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("classify", "line.hdr", "-o", ""), "the output has an empty name"),
        (("classify", "", "-o", "x.tif"), "a scene has an empty name"),
        (("classify", "line.hdr", "-o", "folder"), "folder is a folder; give the name of a file"),
        (("classify", "folder", "--output-dir", "maps"), "the folder folder holds no scene"),
        (("classify", "line.hdr", "-o", "x.tif", "--unknown", "nan"), "nan is not a finite number"),
        (("classify", "line.hdr", "-o", "x.tif", "--max-distance", "inf"), "inf is not a finite number"),
        (("classify", "line.hdr", "-o", "x.tif", "--scheduler-file", "none"), "none does not exist; `dask scheduler"),
        (("mosaic", "line.tif", "-o", "x.tif", "--resolution", "nan"), "nan is not a finite number"),
        (("refine", "line.tif", "-o", "x.tif", "--smooth", "nan"), "nan is not a finite number"),
        (
            ("train", "line.hdr", "--labels", "points.csv", "-o", "x.safetensors"),
            "points.csv: the file states no CRS",
        ),
        (("evaluate", "line.hdr", "--labels", "./line.hdr"), "is the map itself"),
        (("evaluate", "line.hdr", "--labels", "labels.geojson"), "has 16 bands; a class map has one"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line_that_says_why(hsigeo, here, arguments, said):
    (here / "folder").mkdir()
    (here / "points.csv").write_text("x,y,class\n1,2,a\n")
    before = files(here)
    done = hsigeo(*arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr.splitlines()[-1]
    assert files(here) == before


def test_an_output_that_exists_is_refused_before_torch_is_loaded(here):
    (here / "map.tif").touch()
    refused = (
        "import sys; from hsigeo.cli import main; sys.argv = ['hsigeo', 'classify', 'line.hdr', '-o', 'map.tif']\n"
        "try:\n    main()\nfinally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", refused], cwd=here, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "False\n")
    assert "map.tif exists" in done.stderr


def test_a_name_that_runs_on_for_lines_is_cut_in_tables(hsigeo, tmp_path):
    scene = write_scene(tmp_path, "line")
    write_polygons(tmp_path, scene, names=("a" * 300, "b\nc", "d"))
    done = hsigeo(*TRAIN, "-o", "m.safetensors", "--no-validation")
    assert done.returncode == 0, done.stderr
    assert "  b c " in done.stderr
    assert max(map(len, done.stderr.splitlines())) < 120


def test_pixels_without_labels_are_used_unless_told_otherwise(hsigeo, tmp_path, sample_scenes):
    given = (sample_scenes / "line_1.hdr", "--labels", sample_scenes / "training.gpkg", "--field", "class")
    for name, options in (("with", ()), ("without", ("--no-unlabelled",))):
        done = hsigeo("train", *given, "--no-validation", *options, "-o", f"{name}.safetensors")
        assert done.returncode == 0, done.stderr
        assert ("pixels of the scenes, labelled or not, show how spectra vary" in done.stderr) == (name == "with")
    asked, unasked = (load_model(tmp_path / f"{name}.safetensors").card for name in ("with", "without"))
    assert asked.provenance["unlabelled_pixels_per_scene"] == [4000]
    assert asked.format_version == 3
    assert "unlabelled_pixels_per_scene" not in unasked.provenance
    assert unasked.format_version == 2
