from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import namedtuple
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from classifications import NAMES, ROTATED, make_grid, make_result
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.errors import OutputError, OutputExistsError, SceneError
from hsigeo.grid import Grid, GroundControlPoint
from hsigeo.io import map_files, map_writer, open_map, write_map
from hsigeo.io.georeference import quiet_about_georeference
from hsigeo.io.strips import StripPlan, compute_strips
from hsigeo.scene import spatial_coords


def test_gdal_reads_back_the_pixels_and_everything_that_makes_them_a_map(tmp_path):
    result = make_result(names=NAMES)

    write_map(result, tmp_path / "map.tif")

    with rasterio.open(tmp_path / "map.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), result["class_id"].values)
        assert dataset.dtypes == ("uint8",)
        assert dataset.nodata == 0
        assert dataset.crs == CRS.from_epsg(32633)
        assert dataset.transform == ROTATED
        assert dataset.colorinterp == (ColorInterp.palette,)
        assert dataset.descriptions == ("class",)
        assert dataset.block_shapes == [(512, 512)]
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        for entry in ClassTable.from_names(NAMES):
            assert dataset.colormap(1)[entry.id][:3] == entry.color


def test_the_map_itself_says_its_classes_and_its_origin(tmp_path):
    metadata = {"scene": "scene.hdr", "model_sha256": "ab" * 32, "repairs": ["süß"], "validation": {"oa": 0.5}}
    write_map(make_result(metadata=metadata), tmp_path / "map.tif")
    (tmp_path / "map.tif.aux.xml").unlink()

    opened = open_map(tmp_path / "map.tif")

    assert opened.classes == ClassTable.from_names(NAMES)
    assert opened.metadata == metadata
    assert opened.grid == make_grid(90, 70)


def test_confidence_and_probabilities_are_written_beside_the_map(tmp_path):
    result = make_result()

    write_map(result, tmp_path / "map.tif", confidence=tmp_path / "sure.tif", probabilities=tmp_path / "all.tif")

    with rasterio.open(tmp_path / "sure.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), result["confidence"].values)
        assert np.isnan(dataset.nodata)
        assert dataset.transform == ROTATED
    with rasterio.open(tmp_path / "all.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(), result["probability"].values)
        assert dataset.descriptions == NAMES
        assert dataset.interleaving.value == "BAND"
        assert dataset.dtypes == ("float32",) * 5
        assert dataset.crs == CRS.from_epsg(32633)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (255, 3), (256, 256), (257, 40), (513, 2)])
@pytest.mark.parametrize("chunks", [None, (7, -1), (100, 31)])
def test_chunking_and_size_never_change_the_map(tmp_path, shape, chunks):
    if chunks is not None:
        chunks = (min(chunks[0], shape[0]), chunks[1] if chunks[1] == -1 else min(chunks[1], shape[1]))
    result = make_result(*shape, chunks=chunks)

    write_map(result, tmp_path / "map.tif", probabilities=tmp_path / "all.tif")

    with rasterio.open(tmp_path / "map.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), result["class_id"].values)
    with rasterio.open(tmp_path / "all.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(), result["probability"].values)


def test_threads_that_compress_change_no_byte(tmp_path, monkeypatch):
    made = []
    for threads in ("1", "4"):
        monkeypatch.setenv("GDAL_NUM_THREADS", threads)
        folder = tmp_path / threads
        folder.mkdir()
        write_map(
            make_result(900, 700), folder / "map.tif", confidence=folder / "sure.tif", probabilities=folder / "p.tif"
        )
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]


def test_a_small_map_that_is_compressed_once_has_the_same_bytes(tmp_path, monkeypatch):
    write_map(make_result(lines=700, samples=300), tmp_path / "once.tif", confidence=tmp_path / "sure_once.tif")
    monkeypatch.setattr(map_writer, "_PLAIN_BYTES", 0)
    write_map(make_result(lines=700, samples=300), tmp_path / "twice.tif", confidence=tmp_path / "sure_twice.tif")
    assert (tmp_path / "once.tif").read_bytes() == (tmp_path / "twice.tif").read_bytes()
    assert (tmp_path / "sure_once.tif").read_bytes() == (tmp_path / "sure_twice.tif").read_bytes()


def test_ids_above_255_make_a_uint16_map_with_all_its_colours(tmp_path):
    classes = ClassTable(
        (ClassEntry(id=1, name="low", color=(1, 2, 3)), ClassEntry(id=300, name="high", color=(4, 5, 6)))
    )
    ids = np.array([[0, 1], [300, 300]], dtype="uint16")
    result = xr.Dataset(
        {"class_id": (("y", "x"), ids, {"classes": classes.to_json(), "metadata": {}})},
        coords=spatial_coords(make_grid(2, 2)),
    )

    write_map(result, tmp_path / "map.tif")

    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.dtypes == ("uint16",)
        assert dataset.colormap(1)[300][:3] == (4, 5, 6)
        np.testing.assert_array_equal(dataset.read(1), ids)
    assert open_map(tmp_path / "map.tif").classes == classes


@pytest.mark.parametrize(
    "grid",
    [
        make_grid(40, 30, transform=Affine(30, 0, 4e5, 0, -30, 5e6)),
        make_grid(40, 30, transform=Affine(30, 0, 4e5, 0, 30, 5e6)),
        make_grid(40, 30, transform=ROTATED @ Affine.shear(3, 0)),
        make_grid(40, 30, crs=CRS.from_proj4("+proj=aea +lat_1=29.5 +lat_2=45.5 +lon_0=-96 +datum=NAD83").to_wkt()),
        make_grid(40, 30, crs=None),
        make_grid(40, 30, crs='LOCAL_CS["Arbitrary",UNIT["metre",1]]'),
        make_grid(40, 30, crs=None, transform=Affine.identity()),
    ],
    ids=["north up", "south up", "sheared", "no EPSG code", "no CRS", "arbitrary", "nothing"],
)
def test_every_georeference_is_kept(tmp_path, grid):
    write_map(make_result(40, 30, grid=grid), tmp_path / "map.tif", confidence=tmp_path / "sure.tif")

    for name in ("map.tif", "sure.tif"):
        with quiet_about_georeference(), rasterio.open(tmp_path / name) as dataset:
            np.testing.assert_allclose(tuple(dataset.transform), tuple(grid.transform), rtol=1e-14)
            assert dataset.crs == (None if grid.crs is None else CRS.from_wkt(grid.crs))


def test_ground_control_points_are_kept(tmp_path):
    points = tuple(
        GroundControlPoint(row=row, col=col, x=13 + col / 100, y=52 - row / 100)
        for row, col in ((0, 0), (0, 30), (40, 0), (40, 30))
    )
    grid = Grid(lines=40, samples=30, crs=CRS.from_epsg(4326).to_wkt(), ground_control_points=points)

    write_map(make_result(40, 30, grid=grid), tmp_path / "map.tif")

    assert open_map(tmp_path / "map.tif").grid == grid


def test_overviews_hold_no_class_that_is_not_below_them(tmp_path):
    ids = np.zeros((1200, 1100), dtype="uint8")
    ids[:, ::2] = 1
    ids[:, 1::2] = 5
    classes = ClassTable.from_names(NAMES)
    result = xr.Dataset(
        {"class_id": (("y", "x"), ids, {"classes": classes.to_json(), "metadata": {}})},
        coords=spatial_coords(make_grid(*ids.shape)),
    )

    write_map(result, tmp_path / "map.tif")

    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.overviews(1) == [2, 4]
    for level in (0, 1):
        with rasterio.open(tmp_path / "map.tif", overview_level=level) as dataset:
            assert set(np.unique(dataset.read(1))) <= {1, 5}


def test_every_chunk_is_computed_once_whatever_is_asked_for(tmp_path):
    calls = []
    lock = threading.Lock()

    def probabilities(block_info=None):
        location = tuple(block_info[None]["chunk-location"])
        with lock:
            calls.append(location)
        return np.full(block_info[None]["chunk-shape"], 0.2, dtype=np.float32)

    base = da.map_blocks(
        probabilities, chunks=((5,), (300, 300, 100), (40, 30)), dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)
    )
    classes = ClassTable.from_names(NAMES)
    result = xr.Dataset(
        {
            "class_id": (("y", "x"), (base.argmax(axis=0) + 1).astype("uint8"), {"classes": classes.to_json()}),
            "confidence": (("y", "x"), base.max(axis=0)),
            "probability": (("class", "y", "x"), base),
        },
        coords={"class_name": ("class", list(NAMES)), **spatial_coords(make_grid(700, 70))},
    )

    write_map(result, tmp_path / "map.tif", confidence=tmp_path / "c.tif", probabilities=tmp_path / "p.tif")

    assert sorted(calls) == [(0, row, col) for row in range(3) for col in range(2)]


def test_only_what_is_asked_for_is_computed(tmp_path):
    result = make_result()
    result["probability"] = (
        ("class", "y", "x"),
        da.map_blocks(_fail, chunks=((5,), (25, 65), (70,)), dtype=np.float32),
    )

    write_map(result, tmp_path / "map.tif")

    assert (tmp_path / "map.tif").exists()


def _fail(block_info=None):
    raise AssertionError("not to be computed")


def test_progress_counts_pixels_up_to_all_of_them(tmp_path):
    seen = []

    write_map(make_result(600, 20), tmp_path / "map.tif", progress=lambda done, total: seen.append((done, total)))

    assert seen == sorted(seen)
    assert seen[-1] == (12_000, 12_000)


def test_memory_is_bounded_and_smaller_than_the_map(tmp_path):
    base = da.ones((12_000, 4000), chunks=(64, -1), dtype="uint8")
    result = xr.Dataset(
        {"class_id": (("y", "x"), base, {"classes": ClassTable.from_names(NAMES).to_json()})},
        coords=spatial_coords(make_grid(12_000, 4000)),
    )

    write_map(make_result(), tmp_path / "first.tif")  # what is imported at first use is no part of a map
    tracemalloc.start()
    with dask.config.set(scheduler="synchronous"):
        write_map(result, tmp_path / "map.tif")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 28 << 20  # three strips of 8 MiB and a row of tiles; the map has 46 MiB


@given(
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=60),
    in_memory=st.booleans(),
    bytes_per_line=st.integers(1, 1 << 26),
    seconds=st.lists(st.floats(0, 5), min_size=60, max_size=60),
)
def test_strips_cover_every_row_once_and_cut_no_chunk(sizes, in_memory, bytes_per_line, seconds):
    lines = sum(sizes)
    plan = StripPlan(lines, None if in_memory else sizes, bytes_per_line)

    strips = []
    pace = itertools.cycle(seconds)
    while (strip := plan.take()) is not None:
        strips.append(strip)
        plan.learn(next(pace))

    assert [row for start, stop in strips for row in range(start, stop)] == list(range(lines))
    if not in_memory:
        assert {stop for _, stop in strips} <= set(np.cumsum(sizes).tolist())


def test_strips_grow_while_they_are_quick_and_shrink_when_they_are_slow():
    plan = StripPlan(1000, (10,) * 100, 1)

    heights = []
    for seconds in (0.01, 0.01, 0.5, 9.0, 9.0, 9.0):
        start, stop = plan.take()
        heights.append(stop - start)
        plan.learn(seconds)

    assert heights == [10, 20, 40, 40, 20, 10]


def test_no_more_than_two_strips_are_in_flight():
    started = []
    go = threading.Semaphore(0)

    def compute(block_info=None):
        started.append(block_info[None]["chunk-location"][0])
        go.acquire()
        return np.zeros(block_info[None]["chunk-shape"])

    array = da.map_blocks(compute, chunks=((300,) * 6, (2,)), dtype=float, meta=np.empty((0, 0)))
    with contextlib.closing(compute_strips([array], StripPlan(1800, (300,) * 6, 1 << 20))) as strips:
        go.release(2)
        next(strips)
        time.sleep(0.1)  # time enough to start more than allowed
        seen = len(started)
        go.release(20)

    assert seen <= 2


def test_an_existing_map_is_refused_before_any_work_and_stays_as_it_is(tmp_path):
    path = tmp_path / "map.tif"
    path.write_bytes(b"precious")
    result = make_result()
    result["class_id"].data = da.map_blocks(_fail, chunks=((25, 65), (70,)), dtype=np.uint8)

    with pytest.raises(OutputExistsError, match=r"map\.tif exists; choose another name or allow overwriting"):
        write_map(result, path)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["map.tif.aux.xml", "map.qml", "sure.tif", "sure.qml", "all.tif", "all.qml"])
def test_everything_that_would_be_replaced_is_protected(tmp_path, name):
    (tmp_path / name).write_bytes(b"precious")

    with pytest.raises(OutputExistsError, match=name):
        write_map(
            make_result(), tmp_path / "map.tif", confidence=tmp_path / "sure.tif", probabilities=tmp_path / "all.tif"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_overwriting_replaces_the_map_and_what_described_the_old_one(tmp_path):
    write_map(make_result(), tmp_path / "map.tif", confidence=tmp_path / "sure.tif")
    for name in ("map.tif.ovr", "map.tif.msk", "sure.tif.aux.xml", "sure.tif.ovr"):
        (tmp_path / name).write_bytes(b"stale")

    write_map(
        make_result(50, 40, names=("a", "b")), tmp_path / "map.tif", confidence=tmp_path / "sure.tif", overwrite=True
    )

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "map.qml",
        "map.tif",
        "map.tif.aux.xml",
        "sure.qml",
        "sure.tif",
    ]
    assert open_map(tmp_path / "map.tif").classes.names == ("a", "b")
    assert "Oak" not in (tmp_path / "map.tif.aux.xml").read_text()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confidence": "map.tif"}, r"map\.tif is also the output"),
        ({"confidence": "same.tif", "probabilities": "same.tif"}, r"same\.tif is also the output"),
        ({"confidence": "sure.png"}, r"sure\.png: maps are written as GeoTIFF"),
        ({"confidence": "nowhere/sure.tif"}, "the folder .* does not exist"),
    ],
)
def test_names_that_cannot_be_are_refused_before_any_work(tmp_path, monkeypatch, change, reason):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OutputError, match=reason):
        write_map(make_result(), "map.tif", **change)
    assert not any(tmp_path.iterdir())


def test_a_folder_that_is_not_writable_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    result = make_result()
    result["class_id"].data = da.map_blocks(_fail, chunks=((25, 65), (70,)), dtype=np.uint8)

    with pytest.raises(OutputError, match=r"map\.tif cannot be written: the folder .* is not writable"):
        write_map(result, tmp_path / "map.tif")


def test_the_scene_is_never_overwritten(tmp_path):
    scene = tmp_path / "scene.tif"
    scene.write_bytes(b"precious")

    with pytest.raises(OutputError, match=r"scene\.tif is also a file of the scene"):
        write_map(make_result(metadata={"scene": str(scene)}), scene, overwrite=True)
    assert scene.read_bytes() == b"precious"


def make_tiff() -> bytes:
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=2, height=2, count=3, dtype="uint8", transform=ROTATED) as dataset:
            dataset.write(np.ones((3, 2, 2), dtype="uint8"))
        return bytes(memory.read())


def test_a_tiff_that_an_envi_header_describes_is_never_overwritten_but_an_older_map_is(tmp_path):
    result = make_result(metadata={"scene": str(tmp_path / "scene.hdr")})
    write_map(result, tmp_path / "scene.tif")
    write_map(result, tmp_path / "scene.tif", overwrite=True)

    (tmp_path / "scene.tif").write_bytes(make_tiff())
    with pytest.raises(OutputError, match="is also a file of the scene"):
        write_map(result, tmp_path / "scene.tif", overwrite=True)


def test_what_is_no_classification_is_refused(tmp_path):
    with pytest.raises(OutputError, match="not a classification: it has no variable class_id"):
        write_map(xr.Dataset(), tmp_path / "map.tif")
    with pytest.raises(OutputError, match="not a class table"):
        write_map(make_result().assign(class_id=(("y", "x"), np.ones((90, 70), "uint8"))), tmp_path / "map.tif")
    with pytest.raises(OutputError, match="no variable confidence"):
        write_map(make_result().drop_vars("confidence"), tmp_path / "map.tif", confidence=tmp_path / "c.tif")
    with pytest.raises(OutputError, match="cannot be written as JSON"):
        write_map(make_result(metadata={"oa": float("nan")}), tmp_path / "map.tif")
    assert not any(tmp_path.iterdir())


def test_a_class_id_without_a_class_is_refused_and_leaves_nothing(tmp_path):
    result = make_result(names=("a", "b"))
    result["class_id"][10, 10] = 7

    with pytest.raises(OutputError, match="class_id holds 7, which its class table does not"):
        write_map(result, tmp_path / "map.tif")
    assert not any(tmp_path.iterdir())


def failing_result(error: BaseException) -> xr.Dataset:
    """Fails in its second half."""

    def block(block_info=None):
        if block_info[None]["chunk-location"][0] > 2:
            raise error
        return np.ones(block_info[None]["chunk-shape"], dtype="uint8")

    result = make_result(1500, 20)
    result["class_id"].data = da.map_blocks(
        block, chunks=((300,) * 5, (20,)), dtype="uint8", meta=np.empty((0, 0), "uint8")
    )
    return result


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (SceneError("scene.img ends early"), SceneError, "scene.img ends early"),
        (OSError(5, "Input/output error"), SceneError, "the scene could not be read to its end: .*Input/output error"),
        (rasterio.errors.RasterioIOError("Read failed"), SceneError, "could not be read to its end: Read failed"),
        (RuntimeError("a bug"), RuntimeError, "a bug"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
    ids=["scene", "disk", "gdal", "bug", "ctrl-c"],
)
def test_whatever_ends_the_work_early_leaves_nothing_behind(tmp_path, error, raised, message):
    with pytest.raises(raised, match=message):
        write_map(failing_result(error), tmp_path / "map.tif", confidence=tmp_path / "sure.tif")
    assert not any(tmp_path.iterdir())


def test_ctrl_c_while_writing_leaves_the_old_map(tmp_path):
    write_map(make_result(), tmp_path / "map.tif")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def interrupt(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_map(make_result(1500, 20), tmp_path / "map.tif", overwrite=True, progress=interrupt)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_gives_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(map_files.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))

    with pytest.raises(OutputError, match=r"map\.tif cannot be written: no space is left on the disk of ") as caught:
        write_map(make_result(), tmp_path / "map.tif")
    assert "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())


LIMITED = """
import resource, signal, sys
sys.path.insert(0, {tests!r})
from classifications import make_result
from hsigeo.errors import OutputError
from hsigeo.io import write_map

result = make_result(800, 800)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    write_map(result, "map.tif", **{options!r})
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("options", [{}, {"probabilities": "all.tif"}])
def test_a_file_that_cannot_grow_gives_one_line_and_leaves_nothing(tmp_path, options):
    code = LIMITED.format(tests=str(Path(__file__).parents[1]), options=options)

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )

    assert "tif cannot be written: " in done.stdout
    assert done.stdout.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_a_map_that_reads_back_otherwise_is_not_kept(tmp_path, monkeypatch):
    def corrupt(stage, final, layer):
        genuine(stage, final, layer)
        with rasterio.open(final, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
            dataset.write(np.zeros((1, 5, 5), dtype="uint8"), window=rasterio.windows.Window(10, 10, 5, 5))

    genuine = map_writer.optimize
    monkeypatch.setattr(map_writer, "optimize", corrupt)

    with pytest.raises(OutputError, match="does not read back as written"):
        write_map(make_result(), tmp_path / "map.tif")
    assert not any(tmp_path.iterdir())


def test_the_tag_holds_json_that_others_can_read(tmp_path):
    write_map(make_result(), tmp_path / "map.tif", probabilities=tmp_path / "all.tif")

    for name in ("map.tif", "all.tif"):
        with rasterio.open(tmp_path / name) as dataset:
            document = json.loads(dataset.tags()["HSIGEO"])
        assert [entry["name"] for entry in document["classes"]] == list(NAMES)
