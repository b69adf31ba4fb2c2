from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.crs import CRS

from hsigeo.errors import LabelError
from hsigeo.grid import Grid
from hsigeo.io.georeference import quiet_about_georeference
from hsigeo.io.labels import open_labels
from hsigeo.io.labels import raster as raster_module
from hsigeo.io.labels.patches import connected_patches

UTM33 = CRS.from_epsg(32633)
ROTATED = Affine.translation(380000, 5820000) @ Affine.rotation(37) @ Affine.scale(30, -12)


def write_raster(path: Path, values: np.ndarray, **profile) -> Path:
    height, width = values.shape[-2:]
    bands = values.reshape(-1, height, width)
    with (
        quiet_about_georeference(),
        rasterio.open(
            path, "w", driver="GTiff", height=height, width=width, count=len(bands), dtype=values.dtype, **profile
        ) as dataset,
    ):
        dataset.write(bands)
    return path


def make_grid(values: np.ndarray, transform: Affine = ROTATED, crs: CRS | None = UTM33) -> Grid:
    return Grid(lines=values.shape[0], samples=values.shape[1], transform=transform, crs=crs and crs.to_wkt())


def make_values(lines: int = 23, samples: int = 31, dtype: str = "uint8") -> np.ndarray:
    random = np.random.default_rng(lines * samples)
    return (random.integers(0, 5, (lines, samples)) * (random.random((lines, samples)) < 0.3)).astype(dtype)


def to_image(labels, shape) -> np.ndarray:
    image = np.zeros(shape, dtype=np.int32)
    image[labels.row, labels.col] = labels.class_id
    return image


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_every_labelled_pixel_of_a_geotiff_is_found_in_row_major_order(tmp_path, dtype):
    values = make_values(dtype=dtype)
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)

    labels = open_labels(path).on(make_grid(values))

    np.testing.assert_array_equal(to_image(labels, values.shape), values)
    assert (np.diff(labels.row * values.shape[1] + labels.col) > 0).all()
    assert labels.classes.names == ("1", "2", "3", "4")


def test_nodata_zero_negative_and_nan_are_no_labels(tmp_path):
    values = np.array([[0, 1, 9, -3], [np.nan, 2, 9, 0]], dtype="float32")
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED, nodata=9)

    labels = open_labels(path).on(make_grid(values))

    np.testing.assert_array_equal(to_image(labels, values.shape), [[0, 1, 0, 0], [0, 2, 0, 0]])
    assert labels.classes.ids == (1, 2)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.array([[1.0, 2.5]], dtype="float32"), "holds the value 2.5; class ids are whole numbers"),
        (np.array([[1, 70_000]], dtype="int32"), "holds the value 70000; class ids go from 1 to 65535"),
        (np.ones((3, 4, 4), dtype="uint8"), "has 3 bands; a label raster has one"),
        (np.ones((4, 4), dtype="complex64"), "holds complex numbers"),
    ],
)
def test_a_raster_that_holds_no_class_ids_is_refused(tmp_path, values, reason):
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)

    with pytest.raises(LabelError, match=reason):
        open_labels(path)


def test_colours_come_from_the_colour_table(tmp_path):
    values = make_values()
    path = tmp_path / "labels.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=23, width=31, count=1, dtype="uint8", crs=UTM33, transform=ROTATED
    ) as dataset:
        dataset.write_colormap(1, {1: (10, 20, 30, 255), 2: (40, 50, 60, 255)})
        dataset.write(values, 1)

    classes = open_labels(path).classes

    assert [entry.color for entry in classes][:2] == [(10, 20, 30), (40, 50, 60)]
    assert all(entry.color != (0, 0, 0) for entry in classes)


def test_pixels_outside_a_mask_are_no_labels(tmp_path):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)
    mask = np.full(values.shape, 255, dtype=np.uint8)
    mask[:9] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    labels = open_labels(path).on(make_grid(values))
    np.testing.assert_array_equal(to_image(labels, values.shape), np.where(mask > 0, values, 0))


def write_envi_classification(folder: Path, values: np.ndarray, *, extra: str = "") -> Path:
    values.astype("uint8").tofile(folder / "truth.img")
    header = folder / "truth.hdr"
    header.write_text(
        f"ENVI\nsamples = {values.shape[1]}\nlines = {values.shape[0]}\nbands = 1\nheader offset = 0\n"
        "file type = ENVI Classification\ndata type = 1\ninterleave = bsq\nbyte order = 0\n"
        "classes = 6\nclass names = {Unclassified, vegetation, built-up,\n soils & manmade, bare soil, water}\n"
        "class lookup = {0,0,0, 0,255,0, 255,0,0, 255,255,0, 0,255,255, 0,0,255}\n"
        f"map info = {{UTM, 1, 1, 390749.25, 5820819.8, 3.5, 3.5, 33, North, WGS-84, units=Meters}}\n{extra}"
    )
    return header


@pytest.mark.parametrize("name", ["truth.hdr", "truth.img"])
def test_an_envi_classification_gives_its_names_and_colours(tmp_path, name):
    values = make_values()
    write_envi_classification(tmp_path, values)
    grid = make_grid(values, Affine(3.5, 0, 390749.25, 0, -3.5, 5820819.8))

    labels = open_labels(tmp_path / name).on(grid)

    assert labels.classes.names == ("vegetation", "built-up", "soils & manmade", "bare soil", "water")
    assert labels.classes.entries[0].color == (0, 255, 0)
    np.testing.assert_array_equal(to_image(labels, values.shape), values)


def test_a_missing_data_file_of_an_envi_label_raster_is_reported(tmp_path):
    header = write_envi_classification(tmp_path, make_values())
    (tmp_path / "truth.img").unlink()

    with pytest.raises(LabelError, match="data file is not there"):
        open_labels(header)


def test_a_raster_of_the_same_size_without_georeference_lies_on_the_scene(tmp_path):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values)

    labels = open_labels(path).on(make_grid(values))

    np.testing.assert_array_equal(to_image(labels, values.shape), values)


def test_a_raster_of_another_size_without_georeference_is_refused_with_both_sizes(tmp_path):
    path = write_raster(tmp_path / "labels.tif", make_values())

    with pytest.raises(LabelError, match="has 23 lines x 31 samples, the scene 5 lines x 5 samples"):
        open_labels(path).on(make_grid(np.zeros((5, 5))))


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 7), (-4, 2), (5, -6), (-2, -3), (40, 0), (0, -50)])
def test_a_raster_at_a_whole_pixel_offset_is_placed_properly(tmp_path, down, right):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)
    scene = Grid(lines=15, samples=20, transform=ROTATED @ Affine.translation(right, down), crs=UTM33.to_wkt())

    labels = open_labels(path).on(scene)

    padded = np.pad(values, 60)
    np.testing.assert_array_equal(to_image(labels, scene.shape), padded[60 + down : 75 + down, 60 + right : 80 + right])


@pytest.mark.parametrize(
    "transform",
    [
        ROTATED @ Affine.translation(0.4, 0),
        ROTATED @ Affine.scale(1.01, 1),
        ROTATED @ Affine.rotation(0.2),
        Affine(30, 0, 0, 0, -30, 0),
    ],
    ids=["shifted by part of a pixel", "scaled", "turned", "elsewhere"],
)
def test_a_raster_on_other_pixels_is_refused_with_both_grids(tmp_path, transform):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)

    with pytest.raises(LabelError, match=r"lies on other pixels than the scene: 23 lines x 31 samples of 30 x 12 from"):
        open_labels(path).on(make_grid(values, transform))


def test_rounding_in_a_header_is_no_other_grid(tmp_path):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)

    labels = open_labels(path).on(make_grid(values, ROTATED @ Affine.translation(0.004, 0.004)))

    np.testing.assert_array_equal(to_image(labels, values.shape), values)


def test_another_spelling_of_the_same_crs_is_no_other_grid(tmp_path):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)
    spelled = CRS.from_proj4("+proj=utm +zone=33 +ellps=WGS84 +towgs84=0,0,0 +units=m")

    labels = open_labels(path).on(make_grid(values, crs=spelled))

    assert len(labels) == np.count_nonzero(values)


def test_another_zone_is_another_grid(tmp_path):
    values = make_values()
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)

    with pytest.raises(LabelError, match=r"lies on other pixels .* in .* zone 33N; .* in .* zone 32N"):
        open_labels(path).on(make_grid(values, crs=CRS.from_epsg(32632)))


def test_groups_are_the_connected_patches_of_one_class(tmp_path):
    values = np.array(
        [
            [1, 0, 2, 2],
            [0, 1, 0, 1],
            [0, 0, 1, 0],
            [3, 0, 0, 3],
        ],
        dtype="uint8",
    )
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)

    labels = open_labels(path).on(make_grid(values))

    assert labels.group.tolist() == [0, 1, 1, 0, 0, 0, 2, 3]


@given(hnp.arrays(np.int32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)))
def test_patches_are_those_of_a_flood_fill(values):
    row, col = np.nonzero(values)

    patches = connected_patches(row, col, values[row, col])

    expected = np.full(values.shape, -1)
    count = 0
    for seed in zip(row, col, strict=True):
        if expected[seed] < 0:
            expected[seed] = count
            waiting = [seed]
            while waiting:
                r, c = waiting.pop()
                for near in np.ndindex(3, 3):
                    at = (r + near[0] - 1, c + near[1] - 1)
                    inside = 0 <= at[0] < values.shape[0] and 0 <= at[1] < values.shape[1]
                    if inside and expected[at] < 0 and values[at] == values[seed]:
                        expected[at] = count
                        waiting.append(at)
            count += 1
    np.testing.assert_array_equal(patches, expected[row, col])


def test_a_spiral_is_one_patch():
    values = np.zeros((41, 41), dtype=np.int32)
    for ring in range(0, 20, 2):
        values[ring, ring : 41 - ring] = values[ring : 41 - ring, 40 - ring] = 1
        values[40 - ring, ring : 41 - ring] = values[ring + 2 : 41 - ring, ring] = 1
        values[ring + 2, ring + 1] = 1
    row, col = np.nonzero(values)

    assert set(connected_patches(row, col, values[row, col])) == {0}


def test_memory_follows_the_labels_and_not_the_raster(tmp_path):
    path = tmp_path / "labels.tif"
    side = 8_000
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=side,
        width=side,
        count=1,
        dtype="uint8",
        tiled=True,
        compress="deflate",
        crs=UTM33,
        transform=ROTATED,
        SPARSE_OK=True,
    ) as dataset:
        dataset.write(np.full((1, 40, 40), 2, dtype="uint8"), window=rasterio.windows.Window(7000, 3000, 40, 40))
    grid = Grid(lines=side, samples=side, transform=ROTATED, crs=UTM33.to_wkt())

    tracemalloc.start()
    labels = open_labels(path).on(grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (len(labels), labels.row.min(), labels.col.max()) == (1600, 3000, 7039)
    assert peak < 50 << 20  # the raster has 64 MB


def test_more_labels_than_memory_should_hold_are_refused(tmp_path, monkeypatch):
    values = np.ones((30, 30), dtype="uint8")
    path = write_raster(tmp_path / "labels.tif", values, crs=UTM33, transform=ROTATED)
    source = open_labels(path)
    monkeypatch.setattr(raster_module, "MAX_LABELLED_PIXELS", 100)

    with pytest.raises(LabelError, match="labels more than 100 pixels"):
        source.on(make_grid(values))


@pytest.mark.parametrize("options", [{"field": "class"}, {"layer": "a"}, {"crs": "EPSG:32633"}])
def test_options_of_vector_files_are_refused_for_a_raster(tmp_path, options):
    path = write_raster(tmp_path / "labels.tif", make_values(), crs=UTM33, transform=ROTATED)

    with pytest.raises(LabelError, match="is a label raster"):
        open_labels(path, **options)


@pytest.mark.parametrize("content", [b"", b"II*\0garbage", b"<VRTDataset></VRTDataset>", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_raster_gives_one_line(tmp_path, content):
    path = tmp_path / "labels.tif"
    path.write_bytes(content)

    with pytest.raises(LabelError, match=r"labels\.tif") as caught:
        open_labels(path)
    assert "\n" not in str(caught.value)


def test_potsdam_label_tiles_lie_on_their_scenes(real_data):
    name = "enmap_potsdam_tile_128_32.tif"
    with (
        rasterio.open(real_data / "enmap_potsdam/images" / name) as scene,
        rasterio.open(real_data / "enmap_potsdam/labels" / name) as truth,
    ):
        grid = Grid(lines=scene.height, samples=scene.width, transform=scene.transform, crs=scene.crs.to_wkt())
        expected = truth.read(1)

    labels = open_labels(real_data / "enmap_potsdam/labels" / name).on(grid)

    np.testing.assert_array_equal(to_image(labels, grid.shape), expected)


def test_indian_pines_label_maps_without_georeference_lie_on_a_scene_of_their_size(real_data):
    source = open_labels(real_data / "indian_pines/IndianTR123_temp123.tif")

    labels = source.on(Grid(lines=145, samples=145))

    assert len(labels) == 695
    assert source.classes.ids == tuple(range(1, 17))


@pytest.mark.parametrize(("scene_at", "labels_at"), [(179.9, -180.1), (-180.1, 179.9), (359.9, -0.1)])
def test_longitudes_that_differ_by_a_whole_turn_are_one_place(tmp_path, scene_at, labels_at):
    values = make_values()
    degrees = CRS.from_epsg(4326)
    path = write_raster(tmp_path / "labels.tif", values, crs=degrees, transform=Affine(0.01, 0, labels_at, 0, -0.01, 5))
    labels = open_labels(path).on(make_grid(values, Affine(0.01, 0, scene_at, 0, -0.01, 5), degrees))
    np.testing.assert_array_equal(to_image(labels, values.shape), values)


def test_the_classes_of_a_very_wide_raster_are_counted_in_pieces_of_its_rows(tmp_path, monkeypatch):
    values = np.zeros((40, 3000), dtype=np.uint8)
    values[3, 2999], values[39, 0], values[20, 1024] = 7, 5, 9
    path = write_raster(tmp_path / "wide.tif", values, tiled=True, blockxsize=512, blockysize=16)
    monkeypatch.setattr("hsigeo.io.class_raster._STRIP_PIXELS", 16)
    monkeypatch.setattr("hsigeo.io.class_raster._PIECE_PIXELS", 16)

    labels = open_labels(path)

    assert labels.classes.ids == (5, 7, 9)
    pieces = list(labels.raster.windows())
    assert max(piece.size for piece in pieces) == 16 * 1024
    assert sum(piece.size for piece in pieces) == values.size
