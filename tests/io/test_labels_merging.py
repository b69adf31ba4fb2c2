from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.io.labels import merge_class_tables, relabel
from hsigeo.labels import LabelledPixels


def table(**ids: int) -> ClassTable:
    return ClassTable(tuple(ClassEntry(id=number, name=name, color=(number, 0, 0)) for name, number in ids.items()))


def numbered(*ids: int) -> ClassTable:
    return ClassTable(tuple(ClassEntry(id=number, name=str(number), color=(number, 0, 0)) for number in ids))


def test_tables_that_agree_keep_their_ids():
    classes, mappings = merge_class_tables([table(roof=1, tree=4), table(tree=4, water=6)])

    assert classes == table(roof=1, tree=4, water=6)
    assert mappings == [{1: 1, 4: 4}, {4: 4, 6: 6}]


def test_tables_that_disagree_are_numbered_anew_by_name():
    classes, mappings = merge_class_tables([table(roof=1, tree=2), table(grass=1, tree=2, roof=3)])

    assert classes.names == ("grass", "roof", "tree")
    assert mappings == [{1: 2, 2: 3}, {1: 1, 2: 3, 3: 2}]


def test_a_raster_without_names_takes_those_of_another_file():
    classes, mappings = merge_class_tables([numbered(1, 2, 5), table(roof=1, tree=2)])

    assert classes.names == ("roof", "tree", "5")
    assert mappings[0] == {1: 1, 2: 2, 5: 5}


def test_classes_that_would_share_a_colour_get_new_ones():
    red = [ClassTable((ClassEntry(id=n, name=name, color=(255, 0, 0)),)) for n, name in ((1, "a"), (2, "b"))]

    classes, _ = merge_class_tables(red)

    assert len({entry.color for entry in classes}) == 2


def test_pixels_are_renumbered_to_the_common_table():
    classes, mappings = merge_class_tables([table(roof=1, tree=2), table(tree=1)])
    position = np.arange(3)
    pixels = LabelledPixels(
        row=position, col=position, class_id=np.array([1, 1, 1], dtype=np.int32), group=position, classes=table(tree=1)
    )

    moved = relabel(pixels, classes, mappings[1])

    assert [classes.names[i - 1] for i in moved.class_id] == ["tree"] * 3
    assert moved.class_id.dtype == np.int32


tables = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 6), max_size=6).filter(
        lambda ids: len(set(ids.values())) == len(ids)
    ),
    min_size=1,
    max_size=4,
)


@given(tables)
def test_one_name_is_one_id_and_one_id_is_one_name_afterwards(names_to_ids):
    sources = [table(**ids) for ids in names_to_ids]

    classes, mappings = merge_class_tables(sources)

    for source, mapping in zip(sources, mappings, strict=True):
        for entry in source:
            assert classes.id_of(entry.name) == mapping[entry.id]
    assert set(classes.names) == {name for ids in names_to_ids for name in ids}
