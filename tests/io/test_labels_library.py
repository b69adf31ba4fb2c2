from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from envi_files import DATA_TYPES, header_text

from hsigeo.errors import LabelError
from hsigeo.io.labels import is_spectral_library, open_labels, open_spectral_library

NAMES = ["red tile", "lawn", "asphalt, old", "pond"]
TABLE = 'name,level 1,level 2\nred tile,built,roof\nlawn,green,grass\n"asphalt, old",built,road\npond,water,water\n'
STORED = np.arange(20).reshape(4, 5) * 400  # (spectrum, band), reflectance x 10000


def write_library(
    folder: Path,
    *,
    stored: np.ndarray = STORED,
    dtype: str = "int16",
    byte_order: int = 0,
    offset: int = 0,
    data_name: str = "lib.sli",
    table: str | None = TABLE,
    **extra,
) -> Path:
    order = "<>"[byte_order]
    content = bytes(offset) + stored.astype(np.dtype(dtype).newbyteorder(order)).tobytes()
    (folder / data_name).write_bytes(content)
    fields = {
        "samples": stored.shape[1],
        "lines": stored.shape[0],
        "bands": 1,
        "header offset": offset,
        "file type": "ENVI Spectral Library",
        "data type": DATA_TYPES[dtype],
        "interleave": "bsq",
        "byte order": byte_order,
        "reflectance scale factor": 10000,
        "wavelength units": "Micrometers",
        "wavelength": [0.4, 0.5, 0.6, 0.7, 0.8],
        **extra,
    }
    (folder / "lib.hdr").write_text(header_text(fields))
    if table is not None:
        (folder / "lib.csv").write_text(table, encoding="utf-8")
    return folder / data_name


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "int32", "float32", "float64", "uint16", "uint32", "int64", "uint64"]
)
@pytest.mark.parametrize("byte_order", [0, 1])
def test_spectra_of_any_type_and_byte_order_become_reflectance(tmp_path, dtype, byte_order):
    stored = STORED if dtype != "uint8" else STORED // 40
    path = write_library(tmp_path, stored=stored, dtype=dtype, byte_order=byte_order, offset=16)

    library = open_spectral_library(path, field="level 1")

    assert library.spectra.dtype == np.float32
    np.testing.assert_allclose(library.spectra, stored / 10_000, rtol=1e-6)
    np.testing.assert_allclose(library.bands.wavelength, [400, 500, 600, 700, 800])


@pytest.mark.parametrize("data_name", ["lib.sli", "lib", "lib.SLI", "lib.img"])
def test_a_library_opens_by_its_header_or_its_data_whatever_the_ending(tmp_path, data_name):
    path = write_library(tmp_path, data_name=data_name)

    assert len(open_spectral_library(path, field="level 1")) == 4
    assert len(open_spectral_library(tmp_path / "lib.hdr", field="level 1")) == 4


def test_rows_are_matched_by_name_in_any_order_and_with_rows_to_spare(tmp_path):
    table = "id,kind,spectrum\n1,water,pond\n2,roof,red tile\n3,other,unused\n4,grass,lawn\n5,road,tar\n"
    names = ["red tile", "lawn", "tar", "pond"]
    path = write_library(tmp_path, table=table, **{"spectra names": names})

    library = open_spectral_library(path, field="kind")

    assert [library.classes.names[i - 1] for i in library.class_id] == ["roof", "grass", "road", "water"]
    assert library.notes == ()


def test_rows_without_the_names_are_taken_in_order_and_that_is_said(tmp_path):
    library = open_spectral_library(write_library(tmp_path), field="level 2")

    assert [library.classes.names[i - 1] for i in library.class_id] == ["roof", "grass", "road", "water"]
    assert "taken in the order of the spectra" in library.notes[0]


@pytest.mark.parametrize(
    "table",
    [
        "name;class\na;Dach\nb;Wiese\nc;Straße\nd;Teich\n",
        "name\tclass\r\na\tDach\r\nb\tWiese\r\nc\tStraße\r\nd\tTeich\r\n",
        '\ufeffname,class\n\na,Dach\nb,Wiese\n"c","Straße"\nd,Teich',
    ],
    ids=["semicolon", "tab", "byte-order mark"],
)
def test_tables_of_any_dialect_are_read(tmp_path, table):
    library = open_spectral_library(write_library(tmp_path, table=table), field="class")

    assert library.classes.names == ("Dach", "Straße", "Teich", "Wiese")


def test_a_table_in_another_encoding_is_read_once_that_is_named(tmp_path):
    path = write_library(tmp_path)
    (tmp_path / "lib.csv").write_bytes("name,class\na,x\nb,Straße\nc,x\nd,x\n".encode("latin-1"))

    with pytest.raises(LabelError, match=r"lib\.csv, line 3 is not UTF-8 text; name its encoding with --encoding"):
        open_spectral_library(path, field="class")
    assert open_spectral_library(path, field="class", encoding="latin-1").classes.names == ("Straße", "x")


def test_numbers_are_class_ids_and_empty_cells_no_class(tmp_path):
    path = write_library(tmp_path, table="name,code\na,3\nb,0\nc,\nd,7\n")

    library = open_spectral_library(path, field="code")

    assert library.class_id.tolist() == [3, 0, 0, 7]
    assert library.classes.ids == (3, 7)


def test_each_spectrum_is_its_own_group_unless_a_column_says_otherwise(tmp_path):
    path = write_library(tmp_path)

    assert open_spectral_library(path, field="level 2").group.tolist() == [0, 1, 2, 3]
    assert open_spectral_library(path, field="level 2", group_field="level 1").group.tolist() == [0, 1, 0, 2]
    with pytest.raises(LabelError, match="no column 'site' to group by; columns: name, level 1, level 2"):
        open_spectral_library(path, field="level 2", group_field="site")


def test_no_data_is_nan(tmp_path):
    path = write_library(tmp_path, **{"data ignore value": 800})

    spectra = open_spectral_library(path, field="level 1").spectra

    assert np.isnan(spectra).sum() == 1
    assert np.isnan(spectra[0, 2])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"file type": "ENVI Standard"}, "is not a spectral library: its 'file type' is ENVI Standard"),
        ({"lines": 5}, "has 40 bytes; 5 spectra of 5 bands .int16. need 50"),
        ({"data type": 6}, "line 7: data type 6 is not one that hsigeo reads"),
        ({"reflectance scale factor": 0}, "'0' is not a factor to divide by"),
        ({"bands": 2}, "a spectral library has 1 band"),
        ({"samples": None}, "has no 'samples'"),
        ({"table": None}, "has no table of classes beside it: there is no lib.csv"),
        ({"table": ""}, "lib.csv is empty"),
        ({"table": "name,class\na,x\n"}, "has 1 rows for 4 spectra"),
        ({"table": "a,a\n1,2\n"}, "has more than one column 'a'"),
    ],
)
def test_what_is_wrong_with_a_library_is_said_in_one_line(tmp_path, change, reason):
    path = write_library(tmp_path, **change)

    with pytest.raises(LabelError, match=reason) as caught:
        open_spectral_library(path)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(LabelError, match=r"no column 'level_9'; columns: level 1 \(text\), level 2 \(text\)"):
        open_spectral_library(
            write_library(
                tmp_path,
                **{
                    "spectra names": ["red tile", "lawn", "x", "pond"],
                    "table": "name,level 1,level 2\nred tile,a,b\nlawn,a,b\nx,a,b\npond,a,b\n",
                },
            ),
            field="level_9",
        )


def test_a_missing_library_is_said_to_be_missing(tmp_path):
    with pytest.raises(LabelError, match="does not exist"):
        open_spectral_library(tmp_path / "lib.sli")
    (tmp_path / "lib.sli").touch()
    with pytest.raises(LabelError, match=r"neither lib\.sli\.hdr nor lib\.hdr is there"):
        open_spectral_library(tmp_path / "lib.sli")


def test_a_library_is_told_from_other_files_and_has_no_place_on_a_map(tmp_path):
    path = write_library(tmp_path)

    assert is_spectral_library(path)
    assert not is_spectral_library(tmp_path / "lib.csv.txt")
    with pytest.raises(LabelError, match="its spectra have no place on a map"):
        open_labels(path)


def test_santa_barbara_is_read_with_its_polygons_as_groups(real_data):
    library = open_spectral_library(
        real_data / "santa_barbara/santa_barbara.sli", field="Level_2", group_field="Polygon_Unit_ID"
    )

    assert library.spectra.shape == (2006, 224)
    assert library.classes.names == ("GV", "NPV", "paved", "ROCK", "roof", "SOIL", "turf", "water")
    assert 0 <= library.spectra.min() < library.spectra.max() < 1.5
    assert len(np.unique(library.group)) == 152


@pytest.mark.parametrize(
    ("name", "field"), [("library_berlin.sli", "level_2"), ("SpecLib_BerlinUrbanGradient.sli", "level 2")]
)
def test_berlin_libraries_are_read_as_spectral_python_reads_them(real_data, name, field):
    spectral = pytest.importorskip("spectral")
    path = real_data / "berlin/speclib" / name

    library = open_spectral_library(path, field=field)

    reference = spectral.open_image(str(path.with_suffix(".hdr")))
    np.testing.assert_allclose(library.spectra, reference.spectra / 10_000, rtol=1e-6)
    assert list(library.names) == [" ".join(text.split()) for text in reference.names]


def test_the_gamsberg_library_has_no_class_table_and_says_so_until_given_one(real_data):
    folder = real_data / "gamsberg_hyperion"

    with pytest.raises(LabelError, match=r"there is no gamsberg_field_library\.csv"):
        open_spectral_library(folder / "gamsberg_field_library")
    library = open_spectral_library(
        folder / "gamsberg_field_library", field="Name", table=folder / "gamesberg_field_library_color_mod.csv"
    )
    assert library.spectra.shape == (27, 2151)
    assert len(library.classes) == 27
