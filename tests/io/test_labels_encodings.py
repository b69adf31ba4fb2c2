"""Class names in any encoding are read as they were written, or refused; they are never other names."""

from __future__ import annotations

import codecs
import zipfile

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.errors import LabelError
from hsigeo.io.labels import open_labels
from hsigeo.io.text_encoding import decode_text

NAMES = {
    "GBK": ("水体", "草地"),
    "Shift-JIS": ("森林", "水田"),
    "cp1251": ("вода", "лес"),
    "cp1252": ("Gehölz", "Straße"),
}


def write_table(path, names, encoding, mark=b""):
    rows = [f"{13 + n},52.5,{name}" for n, name in enumerate(names)]
    path.write_bytes(mark + "\n".join(["lon,lat,class", *rows]).encode(encoding))
    return path


def write_shapefile(path, names, encoding, *, language=0, cpg=None, title="class"):
    """As GDAL writes it, with the language number and the `.cpg` of our choice."""
    points = shapely.to_wkb(shapely.points([(13, 52), (14, 52)]))
    values = [np.array(names, dtype=object)]
    pyogrio.raw.write(
        path,
        points,
        values,
        [title],
        geometry_type="Point",
        crs="EPSG:4326",
        encoding=encoding,
        driver="ESRI Shapefile",
    )
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = language
    path.with_suffix(".dbf").write_bytes(table)
    return path


@pytest.mark.parametrize("encoding", NAMES)
def test_a_table_in_another_encoding_is_refused_until_that_is_named(tmp_path, encoding):
    path = write_table(tmp_path / "points.csv", NAMES[encoding], encoding)

    with pytest.raises(LabelError, match=r"points\.csv, line 2 is not UTF-8 text; name its encoding with --encoding"):
        open_labels(path)
    assert open_labels(path, encoding=encoding).classes.names == NAMES[encoding]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ],
)
def test_a_byte_order_mark_says_what_a_table_is_in(tmp_path, encoding, mark):
    path = write_table(tmp_path / "points.csv", NAMES["GBK"], encoding, mark)

    assert open_labels(path).classes.names == NAMES["GBK"]
    assert open_labels(path, encoding="cp1251").classes.names == NAMES["GBK"]


def test_utf_16_without_a_mark_is_not_taken_for_ascii(tmp_path):
    path = write_table(tmp_path / "points.csv", ("soil", "water"), "utf-16-le")

    with pytest.raises(LabelError, match=r"it has NUL characters; name its encoding with --encoding.*UTF-16-LE"):
        open_labels(path)
    assert open_labels(path, encoding="UTF-16-LE").classes.names == ("soil", "water")


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", ""])
def test_an_encoding_that_is_none_is_refused(tmp_path, name):
    path = write_table(tmp_path / "points.csv", ("soil", "water"), "utf-8")
    with pytest.raises(LabelError, match=f"--encoding {name}: no encoding of that name"):
        open_labels(path, encoding=name)


@given(st.binary(max_size=40), st.sampled_from([None, "gbk", "utf-16", "utf-7", "idna", "cp1252", "undefined"]))
def test_any_bytes_are_text_or_one_error(content, encoding):
    try:
        said = decode_text(content, encoding, where="file")
    except LabelError as error:
        said = str(error)
    assert "\0" not in said


@pytest.mark.parametrize(("language", "cpg"), [(0, None), (0x57, None), (0, "KLINGON"), (0, "")])
@pytest.mark.parametrize("encoding", NAMES)
def test_a_shapefile_that_does_not_say_its_encoding_is_refused_until_that_is_named(tmp_path, encoding, language, cpg):
    path = write_shapefile(tmp_path / "l.shp", NAMES[encoding], encoding, language=language, cpg=cpg)

    with pytest.raises(LabelError, match="column 'class': the text is not UTF-8; name its encoding with --encoding"):
        open_labels(path)
    assert open_labels(path, encoding=encoding).classes.names == NAMES[encoding]


@pytest.mark.parametrize(("language", "cpg"), [(0x4D, None), (0, "GBK"), (0, "936"), (0x57, "936")])
def test_a_shapefile_that_says_its_encoding_is_read_as_it_says(tmp_path, language, cpg):
    path = write_shapefile(tmp_path / "l.shp", NAMES["GBK"], "GBK", language=language, cpg=cpg)
    assert open_labels(path).classes.names == NAMES["GBK"]


def test_a_shapefile_in_utf_8_need_not_say_so(tmp_path):
    path = write_shapefile(tmp_path / "l.shp", NAMES["GBK"], "UTF-8", title="类")
    labels = open_labels(path)
    assert (labels.classes.names, labels.field) == (NAMES["GBK"], "类")


@pytest.mark.parametrize("cpg", ["UTF-8", "SHIFT-JIS"])
def test_a_shapefile_that_states_the_wrong_encoding_is_refused_and_can_be_corrected(tmp_path, cpg):
    path = write_shapefile(tmp_path / "l.shp", NAMES["cp1251"], "cp1251", cpg=cpg)

    with pytest.raises(LabelError, match="not in the encoding"):
        open_labels(path)
    assert open_labels(path, encoding="cp1251").classes.names == NAMES["cp1251"]


def test_a_shapefile_in_an_archive_is_read_as_one_outside(tmp_path):
    for number, cpg in enumerate([None, "GBK"]):
        write_shapefile(tmp_path / f"l{number}.shp", NAMES["GBK"], "GBK", cpg=cpg)
        with zipfile.ZipFile(tmp_path / f"l{number}.zip", "w") as archive:
            for part in tmp_path.glob(f"l{number}.[!z]*"):
                archive.write(part, part.name)

    with pytest.raises(LabelError, match="the text is not UTF-8"):
        open_labels(tmp_path / "l0.zip")
    assert open_labels(tmp_path / "l0.zip", encoding="GBK").classes.names == NAMES["GBK"]
    assert open_labels(tmp_path / "l1.zip").classes.names == NAMES["GBK"]


def test_formats_that_are_utf_8_take_no_other_encoding(tmp_path):
    points = shapely.to_wkb(shapely.points([(13, 52)]))
    values = [np.array(["草地"], dtype=object)]
    pyogrio.raw.write(tmp_path / "l.gpkg", points, values, ["class"], geometry_type="Point", crs="EPSG:4326")
    with pytest.raises(LabelError, match="GPKG files are always UTF-8; leave out --encoding"):
        open_labels(tmp_path / "l.gpkg", encoding="GBK")
    (tmp_path / "l.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(LabelError, match="leave out --encoding"):
        open_labels(tmp_path / "l.png", encoding="GBK")


def test_class_names_of_an_envi_header_are_not_guessed_and_the_rest_of_it_is(tmp_path):
    text = (
        "ENVI\ndescription = {µ}\nsamples = 2\nlines = 1\nbands = 1\ndata type = 1\ninterleave = bsq\nbyte order = 0\n"
        "file type = ENVI Classification\nclasses = 3\nclass names = {none, %s, %s}\n"
    )
    (tmp_path / "l.img").write_bytes(b"\1\2")

    (tmp_path / "l.hdr").write_bytes((text % ("soil", "water")).encode("cp1252"))
    assert open_labels(tmp_path / "l.hdr").classes.names == ("soil", "water")

    # 亇 ends in a byte that is a brace in ASCII: the text must be decoded before it is taken apart.
    (tmp_path / "l.hdr").write_bytes((text.replace("µ", "u") % ("草地", "亇")).encode("GBK"))
    with pytest.raises(LabelError, match="class names are not UTF-8 text; name its encoding with --encoding"):
        open_labels(tmp_path / "l.hdr")
    assert open_labels(tmp_path / "l.hdr", encoding="GBK").classes.names == ("草地", "亇")
