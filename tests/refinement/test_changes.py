from __future__ import annotations

import json

import numpy as np
import pytest

from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError
from hsigeo.refinement.changes import read_changes, recode

CLASSES = ClassTable.from_names(["Oak & elm", "Wasser <süß>", "水", "3"])


def table(tmp_path, text, name="changes.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_classes_with_the_same_new_name_become_one_in_any_language(tmp_path):
    path = table(tmp_path, "class,name,color\nWasser <süß>,Вода,#0000ff\n水,Вода,\n")

    recoding = recode(CLASSES, read_changes(path))

    assert recoding.classes.names == ("Oak & elm", "Вода", "3")
    assert recoding.classes.ids == (1, 2, 4)
    assert recoding.classes.entries[1].color == (0, 0, 255)
    np.testing.assert_array_equal(recoding.to_new, [0, 1, 2, 2, 4])


def test_a_class_renamed_to_another_joins_it(tmp_path):
    recoding = recode(CLASSES, read_changes(table(tmp_path, 'class;name\n1;"水"\n')))

    assert recoding.classes.names == ("水", "Wasser <süß>", "3")
    np.testing.assert_array_equal(recoding.to_new, [0, 1, 2, 1, 4])


def test_a_name_comes_before_an_id(tmp_path):
    recoding = recode(CLASSES, read_changes(table(tmp_path, "class,id\n3,0\n")))

    assert recoding.classes.names == ("Oak & elm", "Wasser <süß>", "水")
    assert recoding.to_new[4] == 0


def test_json_says_the_same_as_csv(tmp_path):
    rows = [{"class": "水", "name": "wet", "color": [1, 2, 3], "id": 700}, {"class": 1, "color": "#a0B0c0"}]
    path = table(tmp_path, json.dumps(rows), "changes.json")

    recoding = recode(CLASSES, read_changes(path))

    assert recoding.classes.id_of("wet") == 700
    assert recoding.classes.dtype == "uint16"
    assert recoding.classes.entries[0].color == (160, 176, 192)
    assert recoding.to_json(CLASSES)[1] == {
        "from": {"id": 3, "name": "水"},
        "to": {"id": 700, "name": "wet", "color": [1, 2, 3]},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class,name\nBirke,Baum\n", "no class 'Birke'"),
        ("class,name\n水,a\n水,b\n", "twice"),
        ("class,colour\n水,#000000\n", "no column 'colour'"),
        ("class,color\n水,blue\n", "#rrggbb"),
        ("class,id\n水,70000\n", "65535"),
        ("class,id\n水,-1\n", "65535"),
        ("name\nx\n", "column class"),
        ("class,name\n水,a,b\n", "more values"),
        ("class,name,id\n1,x,5\n2,x,6\n", "several ids"),
        ("class,id\n1,2\n", "ids are not unique"),
    ],
)
def test_what_is_no_table_of_changes_is_one_line(tmp_path, text, message):
    with pytest.raises(LabelError, match=message):
        recode(CLASSES, read_changes(table(tmp_path, text)))


@pytest.mark.parametrize("text", ["{}", "[1]", "[" * 100_000, "nonsense"])
def test_hostile_json_is_one_line(tmp_path, text):
    with pytest.raises(LabelError):
        read_changes(table(tmp_path, text, "changes.json"))
