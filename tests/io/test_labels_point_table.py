"""The same points as a GeoPackage are the oracle."""

from __future__ import annotations

import numpy as np
import pyogrio
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS

from hsigeo.errors import LabelError
from hsigeo.grid import Grid
from hsigeo.io.labels import open_labels

GRID = Grid(lines=40, samples=30, transform=Affine(4, 1, 393_400, 1, -4, 5_670_000), crs="EPSG:32633")
NAMES = ("Wald (Buche)", "草地", "ماء")


@pytest.fixture
def points():
    """(point, 2) in the scene's CRS, and a class name for each; some lie outside."""
    rng = np.random.default_rng(5)
    cols, rows = rng.uniform(-2, 30, 50), rng.uniform(-2, 40, 50)
    x, y = GRID.transform * (cols, rows)
    return np.column_stack((x, y)), rng.choice(NAMES, 50)


def labelled(source):
    pixels = source.on(GRID)
    return pixels.row.tolist(), pixels.col.tolist(), pixels.class_id.tolist(), pixels.classes.names, pixels.report


def in_a_geopackage(path, xy, names, crs="EPSG:32633"):
    pyogrio.raw.write(
        path, shapely.to_wkb(shapely.points(xy)), [names.astype(object)], ["class"], geometry_type="Point", crs=crs
    )
    return labelled(open_labels(path))


@pytest.mark.parametrize(
    ("title", "delimiter", "decimal"),
    [("Easting,Northing", ",", "."), ("X;Y", ";", ","), ("Rechtswert\tHochwert", "\t", ",")],
)
def test_a_table_labels_the_pixels_that_a_geopackage_of_the_same_points_does(
    tmp_path, points, title, delimiter, decimal
):
    xy, names = points
    rows = [f"{x:.3f}{delimiter}{y:.3f}".replace(".", decimal) for x, y in xy]
    if decimal == ".":
        rows = [f"{x:.3f},{y:.3f}" for x, y in xy]
    lines = [f"{title}{delimiter}class", *(f"{row}{delimiter}{name}" for row, name in zip(rows, names, strict=True))]
    (tmp_path / "points.csv").write_text("\n".join(lines), encoding="utf-8-sig")

    source = open_labels(tmp_path / "points.csv", crs="EPSG:32633")

    assert labelled(source) == in_a_geopackage(tmp_path / "points.gpkg", xy, names)


@pytest.mark.parametrize("titles", [("lat", "lon"), ("Breite", "Länge"), ("纬度", "经度"), ("LATITUDE", "LONGITUDE")])
def test_longitude_and_latitude_need_no_crs_and_may_stand_in_any_order(tmp_path, points, titles):
    pyproj = pytest.importorskip("pyproj")
    xy, names = points
    lon, lat = pyproj.Transformer.from_crs(32633, 4326, always_xy=True).transform(*xy.T)
    table = [f"id,{titles[0]},class,{titles[1]}"]
    table += [f"{n},{b:.9f},{name},{a:.9f}" for n, (a, b, name) in enumerate(zip(lon, lat, names, strict=True))]
    (tmp_path / "points.csv").write_text("\n".join(table), encoding="utf-8")

    assert labelled(open_labels(tmp_path / "points.csv")) == in_a_geopackage(tmp_path / "points.gpkg", xy, names)


def test_whole_numbers_keep_their_value_and_colours_are_taken(tmp_path):
    x, y = GRID.transform * (3.5, 7.5)
    (tmp_path / "points.csv").write_text(f"x,y,class,color\n{x},{y},12,#1b7837\n,,3,\n{x},{y},,\n")

    pixels = open_labels(tmp_path / "points.csv", crs="EPSG:32633").on(GRID)

    assert (pixels.row.tolist(), pixels.col.tolist(), pixels.class_id.tolist()) == ([7], [3], [12])
    assert {entry.id: entry.color for entry in pixels.classes}[12] == (0x1B, 0x78, 0x37)
    assert pixels.report.features_without_geometry == 1
    assert pixels.report.features_without_class == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,class\n1,2,x\n", "no two columns are named like coordinates.*columns: a, b, class"),
        ("lon,lat,class\n393400,5670000,x\n", "'lon': 393400 is not within -180 and 360 degrees.*--labels-crs"),
        ("lon,lat,class\n13.1,52.1,x\n13°17',52.1,y\n", r"column 'lon', row 3: \"13°17'\" is not a coordinate"),
        ("lon,lat,class\nnan,inf,x\n", "row 2: 'nan' is not a coordinate"),
        ("lon,lat,kind,soil\n1,2,x,y\n", "more than one column could hold the class; name one with --field"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_placed_is_refused_in_one_line(tmp_path, text, said):
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(LabelError, match=said):
        open_labels(tmp_path / "points.csv")


def test_spreadsheets_and_layers_of_tables_are_refused(tmp_path):
    (tmp_path / "points.xlsx").write_text("PK")
    with pytest.raises(LabelError, match="is a spreadsheet, which hsigeo does not read; save it as CSV"):
        open_labels(tmp_path / "points.xlsx")
    (tmp_path / "points.csv").write_text("lon,lat,class\n1,2,x\n")
    with pytest.raises(LabelError, match="leave out --layer"):
        open_labels(tmp_path / "points.csv", layer="points")


def test_longitudes_may_count_to_360(tmp_path):
    grid = Grid(lines=9, samples=9, transform=Affine(30, 0, 533000, 0, -30, 5928200), crs=CRS.from_epsg(32629).to_wkt())
    found = []
    for number, place in enumerate(("-8.5,53.5", "351.5,53.5")):
        path = tmp_path / f"{number}.csv"
        path.write_text(f"lon,lat,class\n{place},bog\n")
        labels = open_labels(path).on(grid)
        found.append((labels.row.tolist(), labels.col.tolist()))
    # (533166.13, 5928010.09), as PROJ has it
    assert found == [([6], [5]), ([6], [5])]


def test_a_table_of_very_many_columns_is_refused_before_it_is_split(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("lon,lat,class" + ",x" * 10_000 + "\n13.4,51.1,Water\n")

    with pytest.raises(LabelError, match="more than 10000 columns"):
        open_labels(path)
