"""pystac reads and validates what is written; core schemas come with it, extensions are checked by `stac_schemas`."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import numpy as np
import pystac
import pytest
from campaigns import CLASSES, make_ids, make_line_grid, make_probabilities_of, write_line
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.validation.stac_validator import JsonSchemaSTACValidator
from stac_schemas import ITEM

from hsigeo.catalogue import write_catalogue
from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError, OutputExistsError
from hsigeo.grid import Grid
from hsigeo.lines.mapped_line import open_lines
from hsigeo.mosaic import write_mosaic

NAMES = ("ang20200712t201415", "ang20200712t203011")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A campaign of two lines with layers, a mosaic, and what else lies about."""
    home = tmp_path / "Harz 2020"
    home.mkdir()
    for number, name in enumerate(NAMES):
        grid = make_line_grid(60, 30, east=380_000 + 70 * number)
        ids = make_ids(grid, number)
        write_line(
            home / f"{name}_map.tif",
            grid,
            ids,
            confidence=ids * 0.1,
            probabilities=make_probabilities_of(ids),
            metadata={
                "scene": f"/archive/{name}_rfl_v2.hdr",
                "model_sha256": "ab" * 32,
                "software": "hsigeo 0.1.0",
            },
        )
    lines, _ = open_lines(sorted(home.glob("*_map.tif")))
    write_mosaic(lines, home / "campaign.tif")
    (home / "manifest.json").write_text("{}")
    (home / ".half.partial-1.tif").write_bytes(b"II*\0")
    (home / "notes.txt").write_text("weather was fine")
    return home


def documents(home: Path) -> dict[str, dict]:
    return {
        path.name: json.loads(path.read_text("utf-8")) for path in home.glob("*.json") if path.name != "manifest.json"
    }


def test_every_map_and_mosaic_has_an_item_that_pystac_finds(folder):
    result = write_catalogue(folder)

    collection = pystac.Collection.from_file(folder / "collection.json")
    items = {item.id: item for item in collection.get_items()}
    assert set(items) == {"campaign", *(f"{name}_map" for name in NAMES)}
    assert len(result.items) == 3
    assert set(items["campaign"].assets) >= {"map", "lines", "style", "names"}
    assert set(items[f"{NAMES[0]}_map"].assets) >= {"map", "confidence", "probabilities"}
    assert "manifest" in collection.assets
    for item in items.values():
        assert item.get_collection().id == "Harz-2020"
        for asset in item.assets.values():
            assert Path(asset.get_absolute_href()).is_file()


def test_items_and_collection_are_valid(folder):
    write_catalogue(folder, license="CC-BY-4.0")

    validator = JsonSchemaSTACValidator()
    for document in documents(folder).values():
        kind = pystac.STACObjectType.COLLECTION if document["type"] == "Collection" else pystac.STACObjectType.ITEM
        assert validator.validate_core(document, kind, "1.1.0")
        if kind == pystac.STACObjectType.ITEM:
            jsonschema.Draft202012Validator(ITEM).validate(document)


def test_the_folder_can_be_moved(folder, tmp_path):
    write_catalogue(folder)

    moved = Path(shutil.move(folder, tmp_path / "elsewhere"))

    collection = pystac.Collection.from_file(moved / "collection.json")
    assets = [asset for item in collection.get_items() for asset in item.assets.values()]
    assert assets
    assert all(Path(asset.get_absolute_href()).is_relative_to(moved) for asset in assets)
    assert all(Path(asset.get_absolute_href()).is_file() for asset in assets)
    text = "".join(path.read_text("utf-8") for path in moved.glob("*.stac.json"))
    assert str(tmp_path) not in text


def test_classes_have_names_for_programs_titles_for_people_and_colours(folder):
    write_catalogue(folder)

    item = pystac.Item.from_file(folder / f"{NAMES[0]}_map.stac.json")
    classes = ClassificationExtension.ext(item.assets["map"]).classes

    assert [entry.value for entry in classes] == [0, *CLASSES.ids]
    assert [entry.title for entry in classes[1:]] == list(CLASSES.names)
    assert [entry.name for entry in classes] == ["unclassified", "oak-elm", "wasser-suss", "class-3", "soil"]
    assert [entry.color_hint for entry in classes[1:]] == ["{:02X}{:02X}{:02X}".format(*e.color) for e in CLASSES]


def test_names_for_programs_stay_apart(tmp_path):
    grid = make_line_grid(6, 6)
    classes = ClassTable.from_names(["Oak & elm", "oak elm", "unclassified", "水", "火"])
    write_line(tmp_path / "a_map.tif", grid, np.ones(grid.shape), classes=classes)

    write_catalogue(tmp_path)

    item = json.loads((tmp_path / "a_map.stac.json").read_text("utf-8"))
    names = [entry["name"] for entry in item["assets"]["map"]["classification:classes"]]
    assert len(set(names)) == 6


def test_place_time_and_origin_are_stated(folder):
    write_catalogue(folder)

    item = pystac.Item.from_file(folder / f"{NAMES[1]}_map.stac.json")
    projection = ProjectionExtension.ext(item)
    grid = make_line_grid(60, 30, east=380_070)

    assert item.datetime == datetime(2020, 7, 12, 20, 30, 11, tzinfo=UTC)
    assert projection.code == "EPSG:32633"
    assert projection.shape == [60, 30]
    assert projection.transform == list(grid.transform)[:6]
    assert item.properties["processing:software"] == {"hsigeo": "0.1.0"}
    assert f"{NAMES[1]}_rfl_v2" in item.properties["processing:lineage"]
    mosaic = pystac.Item.from_file(folder / "campaign.stac.json")
    assert mosaic.common_metadata.start_datetime == datetime(2020, 7, 12, 20, 14, 15, tzinfo=UTC)
    assert mosaic.common_metadata.end_datetime == datetime(2020, 7, 12, 20, 30, 11, tzinfo=UTC)


def test_a_scene_without_a_date_in_its_name_says_that_the_time_is_another(tmp_path):
    grid = make_line_grid(6, 6)
    write_line(tmp_path / "line_1_map.tif", grid, np.ones(grid.shape), metadata={"scene": "line_1.hdr"})

    write_catalogue(tmp_path)

    item = pystac.Item.from_file(tmp_path / "line_1_map.stac.json")
    assert item.properties["hsigeo:datetime_is"] == "when the map was written"
    assert item.datetime.timestamp() == pytest.approx((tmp_path / "line_1_map.tif").stat().st_mtime, abs=1)


def test_checksums_are_those_of_the_files(folder):
    write_catalogue(folder)

    item = json.loads((folder / "campaign.stac.json").read_text("utf-8"))

    for asset in item["assets"].values():
        content = (folder / asset["href"]).read_bytes()
        assert asset["file:size"] == len(content)
        assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()


def test_an_older_catalogue_is_replaced_only_if_asked(folder):
    write_catalogue(folder)
    before = documents(folder)

    with pytest.raises(OutputExistsError):
        write_catalogue(folder)
    write_catalogue(folder, overwrite=True)

    assert documents(folder) == before


def test_a_broken_map_is_named_and_the_others_are_there(folder):
    (folder / "broken_map.tif").write_bytes((folder / "campaign.tif").read_bytes()[:200])

    result = write_catalogue(folder)

    assert len(result.items) == 3
    assert any(note.startswith("broken_map.tif has no item") for note in result.notes)


def test_a_map_without_a_place_is_an_item_without_geometry(tmp_path):
    with pytest.warns(match="no geotransform"):
        write_line(tmp_path / "a_map.tif", Grid(lines=5, samples=4), np.ones((5, 4)))

    write_catalogue(tmp_path)

    document = json.loads((tmp_path / "a_map.stac.json").read_text("utf-8"))
    assert document["geometry"] is None
    assert "bbox" not in document
    assert JsonSchemaSTACValidator().validate_core(document, pystac.STACObjectType.ITEM, "1.1.0")


def test_a_hostile_tag_gives_a_valid_item(tmp_path):
    grid = make_line_grid(6, 6)
    metadata = {
        "scene": ["not", "text"],
        "software": {"a": 1},
        "model_sha256": 7,
        "kind": "x" * 10_000,
        "lines": [3, {"scene": 5}],
        "rule": "r" * 10_000,
    }
    write_line(tmp_path / "a_map.tif", grid, np.ones(grid.shape), metadata=metadata)

    write_catalogue(tmp_path)

    document = json.loads((tmp_path / "a_map.stac.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(ITEM).validate(document)
    assert len(json.dumps(document)) < 10_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda home: shutil.rmtree(home), "is not a folder"),
        (lambda home: [path.unlink() for path in home.glob("*.tif")], "holds no map"),
    ],
)
def test_where_there_is_nothing_to_catalogue_it_says_so(folder, change, words):
    change(folder)

    with pytest.raises(OutputError, match=words):
        write_catalogue(folder)


def test_a_licence_is_an_identifier(folder):
    with pytest.raises(OutputError, match="licence"):
        write_catalogue(folder, license="all mine, hands off")


def test_a_mosaic_names_the_maps_it_was_made_from(folder):
    write_catalogue(folder)

    item = pystac.Item.from_file(folder / "campaign.stac.json")

    assert {link.get_absolute_href() for link in item.get_links("derived_from")} == {
        str(folder / f"{name}_map.stac.json") for name in NAMES
    }


def test_large_files_have_a_size_and_no_checksum(folder, monkeypatch):
    monkeypatch.setattr("hsigeo.catalogue.item._HASHED_BYTES", 10)

    write_catalogue(folder)

    asset = json.loads((folder / "campaign.stac.json").read_text("utf-8"))["assets"]["map"]
    assert asset["file:size"] == (folder / "campaign.tif").stat().st_size
    assert "file:checksum" not in asset
