"""The row of a line comes back from its page as it was, and nothing else comes back as a row."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.io.png import encode_png
from hsigeo.report.findings import Findings
from hsigeo.report.index.campaign import make_campaign
from hsigeo.report.index.row import ClassPart, Row, Thumbnail, format_row, parse_row
from hsigeo.report.index.summary import summarise

PICTURE = Thumbnail(
    png=base64.b64encode(encode_png(np.full((4, 3, 5), 200, dtype=np.uint8))).decode(),
    width=5,
    height=3,
    says="Class map of a line",
)
ROW = Row(
    name="line",
    map_name="line_map.tif",
    unit="ha",
    pixels=100,
    classes=(ClassPart(name="Wald & Öd", color="#00ff7f", pixels=60, area=2.5),),
    unknown=0.02,
    unsure=0.3,
    agreement=0.9,
    excess=-0.01,
    accuracy=0.8,
    held_out=0.97,
    model="m.safetensors (0123456789ab)",
    cautions=("the header gives no unit",),
    pictures=(PICTURE,),
    outline=((13.0, 52.0), (13.1, 52.0), (13.05, 52.1)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def test_a_row_comes_back_to_the_last_digit() -> None:
    assert parse_row(format_row(ROW)) == ROW
    bare = Row(name="水", map_name="水.tif", unit="pixels", pixels=1, classes=())
    assert parse_row(format_row(bare)) == bare


def test_the_row_says_what_the_page_says(full: tuple[Findings, str]) -> None:
    findings = full[0]
    row = summarise(findings)
    assert row.name == "map"
    assert row.pixels == 184 * 100
    assert sum(part.pixels for part in row.classes) == findings.classified[0]
    assert [part.name for part in row.classes] == [entry.name for entry in findings.by_area]
    assert findings.unknown is not None
    assert row.unknown == findings.unknown[1] / row.pixels
    assert findings.found.evaluation is not None
    assert row.accuracy == findings.found.evaluation.accuracy.overall
    assert len(row.pictures) == 2
    assert max(row.pictures[0].width, row.pictures[0].height) <= 144
    assert parse_row(format_row(row)) == row


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixels", 0),
        ("pixels", 59),
        ("unit", "acres"),
        ("classes", [{"name": "a", "color": "red;background:url(//x)", "pixels": 1, "area": 1}]),
        ("classes", [{"name": "a", "color": "#00ff7f", "pixels": -1, "area": 1}]),
        ("classes", [{"name": "a", "color": "#00ff7f", "pixels": 1, "area": -1}]),
        ("pictures", [asdict(PICTURE) | {"png": "PHN2Zz4="}]),
        ("pictures", [asdict(PICTURE) | {"png": PICTURE.png + '" onload="'}]),
        ("pictures", [asdict(PICTURE) | {"png": "iVBORw0KGgo" + "A" * 300_000}]),
        ("pictures", [asdict(PICTURE) | {"width": 10**6}]),
        ("name", None),
    ],
)
def test_a_row_that_makes_no_sense_is_none(key: str, value: Any) -> None:
    assert parse_row(json.dumps(asdict(ROW) | {key: value})) is None


@pytest.mark.parametrize("value", [7, "x", [[1]], [["a", "b"]], [[1, 2], [1e9, 2]], [[True, 2]]])
def test_an_outline_that_makes_no_sense_is_left_out(value: Any) -> None:
    assert parse_row(json.dumps(asdict(ROW) | {"outline": value})) == replace(ROW, outline=())


@given(st.dictionaries(st.sampled_from(sorted(asdict(ROW))), JSON))
def test_anything_at_all_is_read_or_refused(document: dict[str, Any]) -> None:
    parse_row(json.dumps(document))
    found = parse_row(json.dumps(asdict(ROW) | document))
    assert found is None or parse_row(format_row(found)) == found


@pytest.mark.parametrize("text", ["", "[" * 100_000, "null", "[1]", "{}"])
def test_other_texts_are_no_row(text: str) -> None:
    assert parse_row(text) is None


def test_a_model_that_was_renamed_on_the_way_is_one_model() -> None:
    names = ["m.safetensors (0123456789ab)", "renamed model.safetensors (0123456789ab)", "other.safetensors (ba98)", ""]
    pages = [(f"{k}.html", replace(ROW, name=str(k), model=name)) for k, name in enumerate(names)]
    campaign = make_campaign("lines", pages, [], 0.0)
    assert len(campaign.models) == 2
