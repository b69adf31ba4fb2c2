from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.features import rasterize
from rasterio.warp import transform as project
from vector_files import write_vectors

from hsigeo.errors import LabelError
from hsigeo.grid import Grid, GroundControlPoint
from hsigeo.io.labels import open_labels, rasterise
from hsigeo.io.labels.columns import natural_order
from hsigeo.io.labels.rasterise import Claims, burn, explode, resolve_claims
from hsigeo.io.labels.vector import open_outlines

WGS84 = CRS.from_epsg(4326)
UTM33 = CRS.from_epsg(32633).to_wkt()
NORTH_UP = Affine(30.0, 0.0, 380000.0, 0.0, -30.0, 5820000.0)
TRANSFORMS = {
    "north up": NORTH_UP,
    "south up": Affine(30.0, 0.0, 380000.0, 0.0, 30.0, 5820000.0),
    "rotated": Affine.translation(380000, 5820000) @ Affine.rotation(37) @ Affine.scale(30, -12),
}


def make_grid(transform: Affine = NORTH_UP, lines: int = 40, samples: int = 60, crs: str | None = UTM33) -> Grid:
    return Grid(lines=lines, samples=samples, transform=transform, crs=crs)


def on_map(geometry: shapely.Geometry, transform: Affine = NORTH_UP) -> shapely.Geometry:
    """A geometry drawn in (column, row), placed on the map."""
    return shapely.transform(geometry, lambda xy: np.array([transform @ tuple(point) for point in xy]))


def pixel(col: int, row: int) -> shapely.Polygon:
    """A square that holds the centre of this pixel only."""
    return shapely.box(col + 0.2, row + 0.2, col + 0.8, row + 0.8)


def random_polygons(seed: int, count: int = 12) -> list[shapely.Geometry]:
    random = np.random.default_rng(seed)
    polygons = []
    for _ in range(count):
        centre = random.uniform((-5, -5), (65, 45))
        angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 12)))
        radii = random.uniform(0.3, 15, len(angles))
        polygons.append(shapely.Polygon(centre + np.column_stack((radii * np.cos(angles), radii * np.sin(angles)))))
    return [polygon for polygon in polygons if polygon.is_valid]


def to_image(labels, grid: Grid) -> np.ndarray:
    image = np.zeros(grid.shape, dtype=np.int32)
    image[labels.row, labels.col] = labels.class_id
    return image


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("seed", range(4))
def test_polygons_label_the_pixels_that_gdal_burns_on_the_whole_grid(tmp_path, transform, seed):
    grid = make_grid(transform)
    shapes = [on_map(polygon, transform) for polygon in random_polygons(seed)]
    path = write_vectors(tmp_path / "labels.gpkg", shapes, {"class": ["a"] * len(shapes)})

    labels = open_labels(path).on(grid)

    expected = rasterize(shapes, out_shape=grid.shape, transform=transform, dtype="uint8")
    np.testing.assert_array_equal(to_image(labels, grid), expected)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_polygons_label_the_pixels_whose_centre_they_contain(tmp_path, transform):
    grid = make_grid(transform)
    polygons = random_polygons(seed=7)
    path = write_vectors(
        tmp_path / "labels.gpkg", [on_map(p, transform) for p in polygons], {"class": ["a"] * len(polygons)}
    )

    labels = open_labels(path).on(grid)

    col, row = np.meshgrid(np.arange(grid.samples) + 0.5, np.arange(grid.lines) + 0.5)
    expected = shapely.contains_xy(shapely.union_all(polygons), col, row)
    np.testing.assert_array_equal(to_image(labels, grid) > 0, expected)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_lines_label_the_pixels_that_gdal_draws_on_the_whole_grid(tmp_path, transform):
    grid = make_grid(transform)
    random = np.random.default_rng(3)
    lines = [on_map(shapely.LineString(random.uniform((-9, -9), (69, 49), (4, 2))), transform) for _ in range(5)]
    path = write_vectors(tmp_path / "labels.gpkg", lines, {"class": ["road"] * 5})

    labels = open_labels(path).on(grid)

    expected = rasterize(lines, out_shape=grid.shape, transform=transform, dtype="uint8")
    np.testing.assert_array_equal(to_image(labels, grid), expected)


def test_points_label_the_pixel_that_contains_them_and_no_other(tmp_path):
    points = [shapely.Point(0.01, 0.01), shapely.Point(59.99, 39.99), shapely.Point(60.01, 5), shapely.Point(5, -0.01)]
    path = write_vectors(tmp_path / "points.gpkg", [on_map(p) for p in points], {"class": ["a", "b", "a", "a"]})

    labels = open_labels(path).on(make_grid())

    assert list(zip(labels.row, labels.col, labels.class_id, strict=True)) == [(0, 0, 1), (39, 59, 2)]
    assert labels.report.features_outside == 2


def test_pixel_centres_on_the_border_of_two_polygons_go_to_one_of_them(tmp_path):
    corners = [(x, y) for x in range(1, 20, 3) for y in range(1, 20, 3)]
    squares = [shapely.box(x + 0.5, y + 0.5, x + 3.5, y + 3.5) for x, y in corners]
    path = write_vectors(tmp_path / "labels.gpkg", [on_map(square) for square in squares], {"class": ["a"] * 49})

    labels = open_labels(path).on(make_grid())

    assert len(labels) == 21 * 21
    assert labels.report.pixels_repeated == 0


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(-4, 30), st.integers(-4, 24)), min_size=3, max_size=7), min_size=1, max_size=4
    )
)
def test_polygons_with_corners_on_pixel_centres_give_what_gdal_burns(rings):
    polygons = [shapely.Polygon([(x / 2, y / 2) for x, y in ring]) for ring in rings]

    claims = burn(np.array(polygons, dtype=object), (10, 12))

    for number, polygon in enumerate(polygons):
        mine = np.zeros(120, dtype=np.uint8)
        mine[claims.pixel[claims.part == number]] = 1
        expected = rasterize([polygon], out_shape=(10, 12), transform=Affine.translation(0, 0), dtype="uint8")
        np.testing.assert_array_equal(mine.reshape(10, 12), expected)


def test_a_polygon_larger_than_one_window_is_burnt_as_if_in_one(tmp_path, monkeypatch):
    grid = make_grid()
    shapes = [on_map(shape) for shape in (*random_polygons(seed=5), shapely.LineString([(-3, 2), (63, 37)]))]
    path = write_vectors(tmp_path / "labels.gpkg", shapes, {"class": ["a"] * len(shapes)})
    whole = open_labels(path).on(grid)

    monkeypatch.setattr(rasterise, "_WINDOW_PIXELS", 37)
    monkeypatch.setattr(rasterise, "_SMALL_PIXELS", 0)
    pieces = open_labels(path).on(grid)

    np.testing.assert_array_equal(to_image(pieces, grid), to_image(whole, grid))


def test_memory_follows_the_labels_and_not_the_scene(tmp_path):
    grid = make_grid(lines=100_000, samples=20_000)
    shapes = [on_map(shapely.box(x, y, x + 30, y + 30)) for x, y in [(5, 5), (19_000, 50_000), (40, 99_960)]]
    path = write_vectors(tmp_path / "labels.gpkg", shapes, {"class": ["a", "b", "c"]})
    source = open_labels(path)

    tracemalloc.start()
    labels = source.on(grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(labels) == 3 * 900
    assert peak < 4 << 20


def test_labels_that_would_fill_memory_are_refused(monkeypatch):
    monkeypatch.setattr(rasterise, "MAX_LABELLED_PIXELS", 100)

    with pytest.raises(LabelError, match="more than 100 pixels"):
        burn(np.array([shapely.box(0, 0, 20, 20)]), (50, 50))


def test_a_pixel_in_two_classes_is_dropped_and_one_claimed_twice_by_the_same_class_is_used_once(tmp_path):
    shapes = [pixel(1, 1), pixel(1, 1), pixel(2, 2), pixel(2, 2), pixel(3, 3), pixel(4, 4), pixel(4, 4), pixel(4, 4)]
    names = ["a", "b", "a", "a", "b", "a", "a", "b"]
    path = write_vectors(tmp_path / "labels.gpkg", [on_map(s) for s in shapes], {"class": names})

    labels = open_labels(path).on(make_grid())

    assert list(zip(labels.row, labels.col, labels.class_id, strict=True)) == [(2, 2, 1), (3, 3, 2)]
    assert (labels.report.pixels_contradicting, labels.report.pixels_repeated) == (2, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=60))
def test_every_claimed_pixel_is_used_once_or_counted_as_contradicting(claims):
    class_of_part = np.array([1, 1, 2, 2, 3, 3], dtype=np.int32)
    pixel = np.array([p for p, _ in claims], dtype=np.int64)
    part = np.array([p for _, p in claims], dtype=np.int64)

    resolved = resolve_claims(Claims(pixel=pixel, part=part), class_of_part)

    classes = {p: {int(class_of_part[q]) for r, q in claims if r == p} for p, _ in claims}
    agreed = {p: found.pop() for p, found in classes.items() if len(found) == 1}
    assert dict(zip(resolved.pixel.tolist(), resolved.class_id.tolist(), strict=True)) == agreed
    assert resolved.contradicting == len(classes) - len(agreed)
    assert resolved.repeated == sum(int((pixel == p).sum() > 1) for p in agreed)
    assert (np.diff(resolved.pixel) > 0).all()


def test_features_that_give_no_pixel_are_counted_by_the_reason(tmp_path):
    tiny = shapely.box(5.1, 5.1, 5.3, 5.3)
    shapes = [
        on_map(pixel(1, 1)),
        on_map(tiny),
        on_map(pixel(300, 1)),
        None,
        shapely.Polygon(),
        on_map(pixel(2, 2)),
        on_map(pixel(3, 3)),
    ]
    names = ["a", "a", "a", "a", "a", None, "  "]
    path = write_vectors(tmp_path / "labels.gpkg", shapes, {"class": names})

    report = open_labels(path).on(make_grid()).report

    assert report.features == 7
    assert report.features_without_pixel == 1
    assert report.features_outside == 1
    assert report.features_without_geometry == 2
    assert report.features_without_class == 2


def test_the_parts_of_a_multipolygon_are_groups_of_their_own(tmp_path):
    several = shapely.MultiPolygon([pixel(1, 1), pixel(5, 5)])
    path = write_vectors(
        tmp_path / "labels.gpkg", [on_map(several), on_map(shapely.MultiPolygon([pixel(9, 9)]))], {"class": ["a", "a"]}
    )

    labels = open_labels(path).on(make_grid())

    assert labels.group.tolist() == [0, 1, 2]


def test_a_polygon_has_the_same_group_on_every_scene_it_falls_on(tmp_path):
    shapes = [on_map(pixel(x, 3)) for x in range(8)]
    path = write_vectors(tmp_path / "labels.gpkg", shapes, {"class": ["a", None, "b", "a", "b", "a", "b", "a"]})
    source = open_labels(path)

    whole = source.on(make_grid())
    shifted = source.on(make_grid(NORTH_UP @ Affine.translation(4, 0)))

    np.testing.assert_array_equal(shifted.col + 4, whole.col[whole.col >= 4])
    np.testing.assert_array_equal(shifted.group, whole.group[whole.col >= 4])


def test_collections_nested_ones_too_come_apart_into_points_lines_and_polygons():
    nested = shapely.GeometryCollection(
        [shapely.MultiPoint([(0, 0), (1, 1)]), shapely.GeometryCollection([shapely.Point(2, 2), shapely.Polygon()])]
    )

    parts, owner = explode(np.array([shapely.Point(9, 9), nested, None], dtype=object))

    assert [part.geom_type for part in parts] == ["Point"] * 4
    assert owner.tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp", ".fgb"])
def test_every_vector_format_gives_the_same_labels(tmp_path, suffix):
    square = on_map(shapely.box(3, 4, 8, 9))
    crs = "EPSG:32633"
    if suffix == ".geojson":  # is in longitude and latitude by definition
        square, crs = to_lonlat(square), "EPSG:4326"
    path = write_vectors(tmp_path / f"labels{suffix}", [square], {"class": ["Wald"]}, crs=crs)

    labels = open_labels(path).on(make_grid())

    assert labels.classes.names == ("Wald",)
    assert (labels.row.min(), labels.row.max(), labels.col.min(), labels.col.max()) == (4, 8, 3, 7)
    assert len(labels) == 25


def to_lonlat(geometry):
    from rasterio.warp import transform

    return shapely.transform(
        geometry, lambda xy: np.column_stack(transform(CRS.from_epsg(32633), CRS.from_epsg(4326), xy[:, 0], xy[:, 1]))
    )


def test_labels_in_another_crs_land_on_the_same_pixels(tmp_path):
    shapes = [on_map(polygon) for polygon in random_polygons(seed=11)]
    names = {"class": ["a"] * len(shapes)}
    there = write_vectors(tmp_path / "utm.gpkg", shapes, names)
    elsewhere = write_vectors(tmp_path / "degrees.gpkg", [to_lonlat(s) for s in shapes], names, crs="EPSG:4326")
    grid = make_grid()

    np.testing.assert_array_equal(
        to_image(open_labels(elsewhere).on(grid), grid), to_image(open_labels(there).on(grid), grid)
    )


def test_a_feature_that_the_scenes_crs_cannot_hold_is_outside_and_the_rest_is_used(tmp_path):
    shapes = [to_lonlat(on_map(pixel(4, 4))), shapely.box(10, 95, 11, 96), to_lonlat(on_map(pixel(7, 4)))]
    path = write_vectors(tmp_path / "labels.gpkg", shapes, {"class": ["a", "a", "a"]}, crs="EPSG:4326")

    labels = open_labels(path).on(make_grid())

    assert labels.col.tolist() == [4, 7]
    assert labels.group.tolist() == [0, 2]
    assert labels.report.features_outside == 1


def test_broken_coordinates_are_counted_and_label_nothing(tmp_path):
    x, y = NORTH_UP @ (3, 3)
    shapes = [
        shapely.Polygon([(x, y), (np.inf, y), (x, y - 300)]),
        shapely.Point(np.nan, y),
        shapely.Polygon([(x, y), (1e300, y), (x, y - 300)]),
        on_map(pixel(4, 4)),
    ]
    path = write_vectors(tmp_path / "labels.fgb", shapes, {"class": ["a"] * 4})

    labels = open_labels(path).on(make_grid())

    assert (labels.row.tolist(), labels.col.tolist()) == ([4], [4])
    assert labels.report.features_without_geometry == 2


def test_coordinates_that_fit_no_crs_are_reported(tmp_path):
    path = write_vectors(tmp_path / "labels.gpkg", [shapely.box(10, 95, 11, 96)], {"class": ["a"]}, crs="EPSG:4326")

    with pytest.raises(LabelError, match="cannot be transformed from EPSG:4326 to the scene's EPSG:32633"):
        open_labels(path).on(make_grid())


def write_without_crs(folder: Path) -> Path:
    return write_vectors(folder / "labels.shp", [on_map(pixel(4, 4))], {"class": ["a"]}, crs=None)


def test_a_file_without_crs_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(LabelError, match=r"states no CRS; say which with --labels-crs, for instance EPSG:32633"):
        open_labels(write_without_crs(tmp_path)).on(make_grid())


def test_the_user_can_say_the_crs_of_a_file_without_one(tmp_path):
    labels = open_labels(write_without_crs(tmp_path), crs="EPSG:32633").on(make_grid())

    assert (labels.row.tolist(), labels.col.tolist()) == ([4], [4])


def test_a_geopackage_of_undefined_crs_counts_as_without(tmp_path):
    path = write_vectors(
        tmp_path / "labels.gpkg",
        [on_map(pixel(4, 4))],
        {"class": ["a"]},
        crs='LOCAL_CS["Undefined Cartesian SRS",UNIT["metre",1]]',
    )

    with pytest.raises(LabelError, match="states no CRS"):
        open_labels(path).on(make_grid())


def test_a_crs_that_contradicts_the_file_is_refused(tmp_path):
    path = write_vectors(tmp_path / "labels.gpkg", [on_map(pixel(4, 4))], {"class": ["a"]})

    with pytest.raises(LabelError, match="states the CRS EPSG:32633, --labels-crs says EPSG:4326"):
        open_labels(path, crs="EPSG:4326")


def test_an_unknown_crs_is_named(tmp_path):
    with pytest.raises(LabelError, match="'EPSG:99999999' is not a CRS"):
        open_labels(write_without_crs(tmp_path), crs="EPSG:99999999")


def test_labels_and_scene_both_without_crs_share_their_coordinates(tmp_path):
    labels = open_labels(write_without_crs(tmp_path)).on(make_grid(crs=None))

    assert (labels.row.tolist(), labels.col.tolist()) == ([4], [4])


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        (make_grid(crs=None), "has a transform but no CRS"),
        (make_grid(Affine.identity()), "has no georeference; label it with a raster of its own size"),
        (make_grid(Affine(0, 0, 5, 0, 0, 5)), "pixels of zero size"),
        (
            Grid(
                lines=5, samples=5, crs=UTM33, ground_control_points=(GroundControlPoint(row=0, col=0, x=1, y=2),) * 4
            ),
            "placed by 4 ground control points only",
        ),
    ],
)
def test_a_scene_on_which_labels_cannot_be_placed_is_refused_with_the_reason(tmp_path, grid, reason):
    path = write_vectors(tmp_path / "labels.gpkg", [on_map(pixel(4, 4))], {"class": ["a"]})

    with pytest.raises(LabelError, match=reason):
        open_labels(path).on(grid)


def write_columns(folder: Path, columns: dict) -> Path:
    count = len(next(iter(columns.values())))
    return write_vectors(folder / "labels.gpkg", [on_map(pixel(n, 1)) for n in range(count)], columns)


def test_an_unknown_column_is_answered_with_those_there_are(tmp_path):
    path = write_columns(tmp_path, {"crop": ["a", "b"], "year": [2020, 2021], "area": [1.5, 2.5]})

    with pytest.raises(LabelError, match=r"no column 'corn'; columns: crop \(text\), year \(integer\), area \(real\)"):
        open_labels(path, field="corn")


def test_a_column_may_be_named_in_another_case(tmp_path):
    path = write_columns(tmp_path, {"Crop": ["a", "b"], "year": [2020, 2021]})

    assert open_labels(path, field="crop").classes.names == ("a", "b")


def test_two_columns_that_could_be_the_class_need_a_choice(tmp_path):
    path = write_columns(tmp_path, {"crop": ["a", "b"], "year": [2020, 2021]})

    with pytest.raises(LabelError, match=r"name one with --field; columns: crop \(text\), year \(integer\)"):
        open_labels(path)


@pytest.mark.parametrize(
    "columns",
    [{"crop": ["a", "b"], "area": [1.5, 2]}, {"crop": ["a", "b"], "id": [1, 2]}, {"Class": ["a", "b"], "year": [1, 2]}],
)
def test_the_only_sensible_column_needs_no_naming(tmp_path, columns):
    assert open_labels(write_columns(tmp_path, columns)).classes.names == ("a", "b")


def test_text_classes_get_ids_in_natural_order_whatever_the_order_of_features(tmp_path):
    path = write_columns(tmp_path, {"class": ["soil 10", "soil 2", "Ähre", "soil 2", "asphalt"]})

    assert open_labels(path).classes.names == ("asphalt", "soil 2", "soil 10", "Ähre")


@given(st.lists(st.text(), unique=True))
def test_natural_order_is_an_order_of_any_names(names):
    assert natural_order(names) == natural_order(reversed(names))
    assert sorted(natural_order(names)) == sorted(names)


def test_composed_and_decomposed_accents_are_one_class(tmp_path):
    path = write_columns(tmp_path, {"class": ["Fl\u00e4che", "Fla\u0308che "]})

    assert open_labels(path).classes.names == ("Fl\u00e4che",)


def test_integers_keep_their_value_and_zero_or_less_is_no_class(tmp_path):
    path = write_columns(tmp_path, {"class": [7, 3, 0, -9999, None, 300]})

    labels = open_labels(path).on(make_grid())

    assert labels.classes.ids == (3, 7, 300)
    assert labels.classes.names == ("3", "7", "300")
    assert labels.class_id.tolist() == [7, 3, 300]
    assert labels.report.features_without_class == 3


def test_whole_numbers_stored_as_reals_are_classes(tmp_path):
    path = write_columns(tmp_path, {"code": [1.0, 2.0, None]})

    assert open_labels(path, field="code").classes.ids == (1, 2)


@pytest.mark.parametrize(
    ("values", "reason"), [([1.0, 2.5], "2.5 is not a whole number"), ([1, 70_000], "class id 70000 is too large")]
)
def test_numbers_that_are_no_class_ids_are_refused(tmp_path, values, reason):
    path = write_columns(tmp_path, {"code": values})

    with pytest.raises(LabelError, match=reason):
        open_labels(path, field="code")


def test_a_column_of_dates_is_no_class(tmp_path):
    path = write_columns(tmp_path, {"day": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")})

    with pytest.raises(LabelError, match="column 'day' holds dates; a class is text or a whole number"):
        open_labels(path, field="day")


def test_the_only_layer_with_geometries_is_taken_and_several_are_listed(tmp_path):
    path = write_vectors(tmp_path / "labels.gpkg", [on_map(pixel(1, 1))], {"class": ["a"]}, layer="fields")
    write_vectors(path, [], {"note": ["x"]}, layer="table", append=True)
    assert open_labels(path).classes.names == ("a",)

    write_vectors(path, [on_map(pixel(1, 1))], {"class": ["b"]}, layer="trees", append=True)
    with pytest.raises(LabelError, match="name one with --layer; layers: fields, "):
        open_labels(path)
    with pytest.raises(LabelError, match="no layer 'woods'; layers: fields"):
        open_labels(path, layer="woods")
    assert open_labels(path, layer="trees").classes.names == ("b",)
    with pytest.raises(LabelError, match="into a separate file; layers: fields, "):
        open_outlines(str(path))


def test_a_file_that_only_points_to_others_is_refused(tmp_path):
    path = tmp_path / "labels.gpkg"
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )

    with pytest.raises(LabelError, match="only points to other files"):
        open_labels(path)


@pytest.mark.parametrize(
    "content", [b"", b"no vectors here", b"SQLite format 3\x00" + bytes(200), b'{"type": "FeatureCollection"']
)
def test_a_file_that_is_no_vector_file_gives_one_line(tmp_path, content):
    path = tmp_path / "labels.gpkg"
    path.write_bytes(content)

    with pytest.raises(LabelError, match=r"labels\.gpkg cannot be read as vector labels: ") as caught:
        open_labels(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said_to_be_missing():
    with pytest.raises(LabelError, match=r"nowhere\.gpkg does not exist"):
        open_labels("nowhere.gpkg")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_any_mix_of_geometries_gives_what_gdal_burns_one_by_one(seed):
    random = np.random.default_rng(seed)
    shapes = [
        *random_polygons(seed, count=3),
        shapely.LineString(random.uniform((-9, -9), (69, 49), (3, 2))),
        shapely.Point(random.uniform((0, 0), (60, 40))),
    ]
    parts, owner = explode(np.array(shapes, dtype=object))

    claims = burn(parts, (40, 60))

    expected = [
        rasterize([shape], out_shape=(40, 60), transform=Affine.translation(0, 0), dtype="uint8") for shape in shapes
    ]
    for number, image in enumerate(expected):
        mine = np.zeros(40 * 60, dtype=np.uint8)
        mine[claims.pixel[owner[claims.part] == number]] = 1
        np.testing.assert_array_equal(mine.reshape(40, 60), image)


def test_berlin_polygons_label_its_enmap_scene(real_data):
    grid = Grid(lines=80, samples=60, transform=Affine(30, 0, 383472.37, 0, -30, 5818302.35), crs=UTM33)

    labels = open_labels(real_data / "berlin/enmap80x60/LandCov_BerlinUrbanGradient.shp", field="Level_2").on(grid)

    assert labels.classes.names == ("Low vegetation", "Other", "Pavement", "Roof", "Soil", "Tree")
    assert 700 < len(labels) < 1000
    assert len(np.unique(labels.group)) > 100


def test_berlin_points_fall_on_its_enmap_scene(real_data):
    grid = Grid(lines=80, samples=60, transform=Affine(30, 0, 383472.37, 0, -30, 5818302.35), crs=UTM33)

    labels = open_labels(real_data / "berlin/landcover_berlin_point.gpkg", field="level_2").on(grid)

    assert len(labels) > 0
    assert labels.report.features == 5


def test_polygons_that_cross_themselves_are_used_and_said(tmp_path):
    bow_tie = on_map(shapely.Polygon([(2, 2), (8, 8), (8, 2), (2, 8)]))
    outside = on_map(shapely.Polygon([(202, 2), (208, 8), (208, 2), (202, 8)]))
    path = write_vectors(tmp_path / "labels.gpkg", [bow_tie, outside, on_map(pixel(20, 4))], {"class": ["a", "a", "b"]})

    found = open_labels(path).on(make_grid())

    assert (found.class_id == 1).sum() > 4
    assert found.report.features_invalid == 1
    assert found.report.about_invalid().startswith("1 feature has a polygon whose outline crosses itself")


@pytest.mark.parametrize("left", [179.5, -180.5])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4269", "EPSG:32701"])
def test_labels_on_both_sides_of_the_180th_meridian_are_found(left: float, crs: str, tmp_path: Path) -> None:
    grid = make_grid(Affine(0.01, 0, left, 0, -0.01, -16), 100, 100, CRS.from_epsg(4326).to_wkt())
    shapes = [pixel(20, 30), pixel(70, 30), shapely.box(45, 50, 55, 60)]  # the last lies across
    drawn = [on_map(shape, Affine(0.01, 0, 179.5, 0, -0.01, -16)) for shape in shapes]
    if crs == "EPSG:32701":
        drawn = [shapely.transform(shape, lambda xy: np.column_stack(project(WGS84, crs, *xy.T))) for shape in drawn]
    else:  # two as most files have them, the last as drawn
        drawn[1] = shapely.transform(drawn[1], lambda xy: xy - [360, 0])
    write_vectors(tmp_path / "a.gpkg", drawn, {"class": ["a", "b", "c"]}, crs=crs)

    image = to_image(open_labels(tmp_path / "a.gpkg").on(grid), grid)

    assert image[30, 20] == 1
    assert image[30, 70] == 2
    np.testing.assert_array_equal(np.argwhere(image == 3), np.argwhere(np.pad(np.ones((10, 10)), ((50, 40), (45, 45)))))


def test_a_polygon_around_half_the_earth_stays_as_it_is(tmp_path: Path) -> None:
    grid = make_grid(Affine(1, 0, -150, 0, -1, 50), 100, 300, CRS.from_epsg(4326).to_wkt())
    write_vectors(tmp_path / "a.gpkg", [shapely.box(-140, -40, 140, 40)], {"class": ["a"]}, crs="EPSG:4269")
    assert len(open_labels(tmp_path / "a.gpkg").on(grid)) == 280 * 80
