"""Class colours come from the label file where it names them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from vector_files import write_vectors

from hsigeo.classes import ClassTable
from hsigeo.io import open_labels
from hsigeo.io.labels.colors import with_colors

BOXES = [shapely.box(0, k, 1, k + 1) for k in range(4)]


@pytest.mark.parametrize("title", ["color", "Colour"])
def test_a_colour_column_colours_the_classes(tmp_path, title):
    columns = {"crop": ["rye", "oat", "rye", "hay"], title: ["#102030", "c0ffee", None, "plaid"]}
    labels = open_labels(write_vectors(tmp_path / "a.gpkg", BOXES, columns))
    by_name = {entry.name: entry.color for entry in labels.classes}
    assert by_name["rye"] == (0x10, 0x20, 0x30)
    assert by_name["oat"] == (0xC0, 0xFF, 0xEE)
    assert by_name["hay"] not in {by_name["rye"], by_name["oat"]}


def test_colours_can_be_the_classes_if_asked_for(tmp_path):
    path = write_vectors(tmp_path / "a.gpkg", BOXES, {"color": ["red", "blue", "red", "blue"]})
    assert open_labels(path, field="color").classes.names == ("blue", "red")


def test_a_class_without_a_colour_gets_one_that_is_free():
    classes = ClassTable.from_names(["a", "b", "c"])
    first = classes.entries[0].color
    tinted = with_colors(classes, np.array([3, 3]), ["#{:02x}{:02x}{:02x}".format(*first), "#000000"])
    assert tinted.entries[2].color == first
    assert len({entry.color for entry in tinted}) == 3
