from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import rasterio
import rasterio.shutil
from classifications import NAMES, make_result
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.io import open_map, write_map
from hsigeo.io.sidecars import Category, aux_path, make_aux_xml, make_qml, make_ramp_qml, qml_path, read_categories

TABLE = ClassTable.from_names(NAMES)


def test_sidecars_have_the_names_that_gdal_and_qgis_look_for():
    assert aux_path(Path("d/map.tif")) == Path("d/map.tif.aux.xml")
    assert qml_path(Path("d/map.v2.tif")) == Path("d/map.v2.qml")


names = st.text(min_size=1, max_size=30).filter(str.strip)
colors = st.tuples(*[st.integers(0, 255)] * 3)
tables = st.lists(
    st.tuples(st.integers(1, 300), names, colors), unique_by=(lambda e: e[0], lambda e: e[1]), max_size=8
).map(lambda entries: ClassTable(tuple(ClassEntry(id=n, name=name, color=c) for n, name, c in entries)))


@given(tables)
def test_any_names_survive_the_way_through_the_auxiliary_file(tmp_path_factory, table):
    raster = tmp_path_factory.mktemp("aux") / "map.tif"
    aux_path(raster).write_bytes(make_aux_xml(table))

    found = read_categories(raster)

    for entry in table:
        readable = "".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in entry.name)
        if readable == entry.name and entry.name.split() == [entry.name]:
            assert found[entry.id] == Category(name=entry.name, color=entry.color)
    assert found[0].name == "unclassified"


@given(tables)
def test_the_qgis_style_is_xml_with_exactly_these_classes(table):
    entries = ET.fromstring(make_qml(table)).findall("pipe/rasterrenderer/colorPalette/paletteEntry")

    assert [int(entry.get("value")) for entry in entries] == list(table.ids)
    assert [entry.get("color") for entry in entries] == ["#{:02x}{:02x}{:02x}".format(*e.color) for e in table]


def test_the_style_of_numbers_is_a_ramp_that_ends_where_it_was_told():
    renderer = ET.fromstring(make_ramp_qml(0, 3)).find("pipe/rasterrenderer")

    assert (renderer.get("classificationMin"), renderer.get("classificationMax")) == ("0", "3")
    values = [float(item.get("value")) for item in renderer.findall("rastershader/colorrampshader/item")]
    assert values == [0, 0.75, 1.5, 2.25, 3]


def test_classes_come_from_the_auxiliary_file_where_a_map_has_no_tag(tmp_path):
    write_map(make_result(), tmp_path / "map.tif")
    rasterio.shutil.copy(tmp_path / "map.tif", tmp_path / "plain.tif", driver="GTiff")
    with rasterio.open(tmp_path / "plain.tif", "r+") as dataset:
        dataset.update_tags(HSIGEO="")
    aux_path(tmp_path / "plain.tif").write_bytes(aux_path(tmp_path / "map.tif").read_bytes())

    assert open_map(tmp_path / "plain.tif").classes == TABLE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<PAMDataset>",
        b"<PAMDataset/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><PAMDataset/>',
        b'<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable/></PAMRasterBand></PAMDataset>',
        b'<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable><FieldDefn><Usage>5</Usage></FieldDefn>'
        b"<FieldDefn><Usage>2</Usage></FieldDefn><Row><F>99999999</F><F>a</F></Row><Row><F>x</F><F>a</F></Row>"
        b"<Row><F>1</F></Row></GDALRasterAttributeTable></PAMRasterBand></PAMDataset>",
        b"\xff\xfe\x00garbage",
    ],
)
def test_a_sidecar_that_makes_no_sense_counts_as_none(tmp_path, content):
    aux_path(tmp_path / "map.tif").write_bytes(content)

    assert read_categories(tmp_path / "map.tif") == {}


def test_gdal_reads_names_and_attribute_table(tmp_path):
    write_map(make_result(), tmp_path / "map.tif")

    # What GDAL writes beside a copy is what it has read beside the original.
    rasterio.shutil.copy(tmp_path / "map.tif", tmp_path / "copy.tif", driver="GTiff")

    document = ET.parse(tmp_path / "copy.tif.aux.xml")
    names = [item.text for item in document.iterfind("PAMRasterBand/CategoryNames/Category")]
    assert names == ["unclassified", *NAMES]
    rows = document.findall("PAMRasterBand/GDALRasterAttributeTable/Row")
    found = [[cell.text for cell in row] for row in rows]
    assert found == [[str(entry.id), entry.name, *map(str, entry.color)] for entry in TABLE]
    assert document.find("PAMRasterBand/GDALRasterAttributeTable").get("tableType") == "thematic"


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not installed")
def test_gdalinfo_shows_the_names(tmp_path):
    write_map(make_result(), tmp_path / "map.tif")

    shown = subprocess.run(["gdalinfo", tmp_path / "map.tif"], capture_output=True, check=True, text=True).stdout

    assert [f"{number}: {name}" in shown for number, name in enumerate(["unclassified", *NAMES])] == [True] * 6
