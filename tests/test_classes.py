"""Class tables and palettes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.classes import ClassEntry, ClassTable, make_palette

NAMES = st.lists(st.text(min_size=1).filter(str.strip), unique=True, max_size=20)


@given(NAMES)
def test_a_table_survives_json_in_any_language(names):
    table = ClassTable.from_names(names)
    assert ClassTable.from_json(json.loads(json.dumps(table.to_json()))) == table


def test_entries_are_kept_in_order_of_id():
    table = ClassTable((ClassEntry(id=7, name="b", color=(1, 2, 3)), ClassEntry(id=2, name="a", color=(0, 0, 0))))
    assert table.ids == (2, 7)
    assert table.id_of("b") == 7


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        [1],
        [{"id": "1", "name": "a", "color": [0, 0, 0]}],
        [{"id": 0, "name": "a", "color": [0, 0, 0]}],
        [{"id": 1, "name": "", "color": [0, 0, 0]}],
        [{"id": 1, "name": "a", "color": [0, 0, 256]}],
        [{"id": 1, "name": "a", "color": [0, 0]}],
        [{"id": 1, "name": "a", "color": [0, 0, 0]}, {"id": 1, "name": "b", "color": [0, 0, 0]}],
        [{"id": 1, "name": "a", "color": [0, 0, 0]}, {"id": 2, "name": "a", "color": [0, 0, 0]}],
    ],
)
def test_a_broken_document_is_refused(document):
    with pytest.raises(ValueError, match=r"class"):
        ClassTable.from_json(document)


@pytest.mark.parametrize(("count", "dtype"), [(1, "uint8"), (255, "uint8"), (256, "uint16")])
def test_the_map_type_is_the_smallest_that_holds_every_id(count, dtype):
    assert ClassTable.from_names(f"c{k}" for k in range(count)).dtype == dtype


@pytest.mark.parametrize("count", [0, 1, 7, 8, 40, 300])
def test_palettes_have_distinct_colours_and_never_black(count):
    palette = make_palette(count)
    assert len(palette) == len(set(palette)) == count
    assert (0, 0, 0) not in palette
