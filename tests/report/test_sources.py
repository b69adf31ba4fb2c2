"""What belongs to a map is found by name, believed by digest, and otherwise left out with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from html_pages import find_faults, read_page
from reports import report_on, retag

from hsigeo.errors import LabelError, ModelError, SceneError
from hsigeo.report.sources import Given, find_belongings


def titles(page: str) -> list[str]:
    return [node.text for node in read_page(page)[0].all("h2")]


def reasons(page: str) -> str:
    return next((node.text for node in read_page(page)[0].all("ul") if node.attributes.get("class") == "missing"), "")


def test_everything_beside_the_map_is_found(classified: Any) -> None:
    found = find_belongings(str(classified.map), Given())
    assert found.scene is not None
    assert found.model is not None
    assert found.confidence == classified.folder / "map_confidence.tif"
    assert found.evaluation is not None
    assert found.evaluation_path == str(classified.folder / "accuracy.json")
    assert found.absences == ()


def test_files_are_found_where_the_folder_was_moved(classified: Any, tmp_path: Path) -> None:
    moved = classified.copy(tmp_path)
    hidden = classified.folder.rename(classified.folder.with_name("hidden"))
    try:
        found = find_belongings(str(moved.map), Given())
    finally:
        hidden.rename(classified.folder)
    assert found.scene is not None
    assert Path(found.scene.header.path).parent == moved.folder
    assert found.model is not None


def test_files_are_found_from_another_folder_than_the_map_was_made_in(
    classified: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by ``hsigeo classify copy/line_1.hdr -o copy/maps/new/map.tif``, looked at from elsewhere."""
    moved = classified.copy(tmp_path)
    retag(moved.map, scene="copy/line_1.hdr", model="copy/line_1.safetensors")
    path = moved.folder / "maps" / "new" / "map.tif"
    path.parent.mkdir(parents=True)
    moved.map.rename(path)
    monkeypatch.chdir("/")
    found = find_belongings(str(path), Given())
    assert found.scene is not None
    assert found.model is not None


def test_a_scene_with_other_pixels_is_left_out_and_an_error_where_it_was_named(classified: Any, tmp_path: Path) -> None:
    moved = classified.copy(tmp_path)
    data = bytearray((moved.folder / "line_1.img").read_bytes())
    data[1000] ^= 1
    (moved.folder / "line_1.img").write_bytes(data)
    scene = str(moved.folder / "line_1.hdr")
    retag(moved.map, scene=scene)
    _, page = report_on(moved.map)
    assert find_faults(page) == []
    assert titles(page)[0] == "The map"
    assert "is not the scene of this map: its pixels differ" in reasons(page)
    with pytest.raises(SceneError, match="its pixels differ"):
        find_belongings(str(moved.map), Given(scene=scene))


def test_a_map_whose_model_and_scene_are_gone_keeps_what_it_says_itself(classified: Any, tmp_path: Path) -> None:
    moved = classified.copy(tmp_path)
    retag(moved.map, scene="gone/scene.hdr", model="gone/model.safetensors")
    (moved.folder / "accuracy.json").unlink()
    (moved.folder / "map_confidence.tif").unlink()
    _, page = report_on(moved.map)
    assert find_faults(page) == []
    assert titles(page) == [
        "The map",
        "How accurate it is",
        "Whether its probabilities can be believed",
        "Where it comes from",
        "What this page does not show",
    ]
    for hint in ("--scene FILE", "--model FILE", "hsigeo evaluate", "--confidence"):
        assert hint in reasons(page)
    assert "On ground held out in training (5 folds, disjoint by polygons)" in read_page(page)[0].text


def test_another_model_is_not_asked_for_reasons(classified: Any, tmp_path: Path) -> None:
    moved = classified.copy(tmp_path)
    retag(moved.map, model_sha256="0" * 64)
    _, page = report_on(moved.map)
    assert "What decisions rest on" not in titles(page)
    assert "is not the model that made the map" in reasons(page)
    with pytest.raises(ModelError, match="is not the model"):
        find_belongings(str(moved.map), Given(model=str(moved.folder / "line_1.safetensors")))


def test_an_evaluation_of_an_earlier_map_is_not_used(classified: Any, tmp_path: Path) -> None:
    moved = classified.copy(tmp_path)
    path = moved.folder / "accuracy.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"map_fingerprint": "sha256-" + "0" * 64}))
    found = find_belongings(str(moved.map), Given())
    assert found.evaluation is None
    assert "accuracy.json is not used: the map has changed since it was evaluated" in found.absences[0].why
    with pytest.raises(LabelError, match="changed since it was evaluated"):
        find_belongings(str(moved.map), Given(evaluation=str(path)))
    del document["map_fingerprint"]
    path.write_text(json.dumps(document))
    assert "does not state the digest" in find_belongings(str(moved.map), Given()).absences[0].why


def test_figures_of_training_labels_are_not_called_independent(classified: Any, tmp_path: Path) -> None:
    moved = classified.copy(tmp_path)
    path = moved.folder / "accuracy.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"on_training_labels": True}))
    text = read_page(report_on(moved.map)[1])[0].text
    assert "Of 218 reference pixels that the model had not seen" not in text
    assert "how well the model remembers" in text
    assert "independent reference" not in text.partition("The scene and the map")[0].replace(
        "only an independent reference shows", ""
    )


def test_a_confidence_of_another_map_is_refused(classified: Any, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="is not the confidence of"):
        find_belongings(str(classified.map), Given(confidence=str(classified.map)))


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "[1]", '{"map": 3}', '{"map": "map.tif"}', "\x00", ""])
def test_other_json_files_beside_the_map_are_passed_by(classified: Any, tmp_path: Path, text: str) -> None:
    moved = classified.copy(tmp_path)
    for name in ("accuracy.json", "manifest.json", "agreement.json"):
        (moved.folder / name).write_text(text)
    assert find_belongings(str(moved.map), Given()).evaluation is None
