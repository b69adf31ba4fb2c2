"""Files, folders, patterns and lists become scenes."""

from __future__ import annotations

import pytest

from hsigeo.campaign.inputs import expand_scenes
from hsigeo.errors import SceneNotFoundError


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "lines"
    (folder / "deep").mkdir(parents=True)
    for name in (
        "b.hdr",
        "b.img",
        "a.hdr",
        "a.tif",
        "c.nc",
        "a_obs.hdr",
        "a_map.tif",
        ".x.hdr",
        "notes.txt",
        "deep/d.hdr",
    ):
        (folder / name).touch()
    return folder


def test_a_folder_stands_for_its_scenes_without_companions_maps_and_data_files(lines):
    assert expand_scenes(["lines"]) == ["lines/a.hdr", "lines/b.hdr", "lines/c.nc"]


def test_a_pattern_that_the_shell_did_not_expand_is_expanded(lines):
    assert expand_scenes(["lines/?.hdr"]) == ["lines/a.hdr", "lines/b.hdr"]
    assert expand_scenes(["lines/**/*.hdr"]) == ["lines/a.hdr", "lines/b.hdr", "lines/deep/d.hdr"]


def test_a_file_with_a_star_in_its_name_is_itself(lines):
    (lines / "odd[1].hdr").touch()
    assert expand_scenes(["lines/odd[1].hdr"]) == ["lines/odd[1].hdr"]


def test_a_list_may_hold_all_of_these_and_comments(lines, tmp_path):
    (tmp_path / "list.txt").write_text("# tonight\nlines/b.hdr\n\n  lines/?.nc  \n", encoding="utf-8")
    assert expand_scenes(["@list.txt"]) == ["lines/b.hdr", "lines/c.nc"]


def test_what_is_not_there_is_left_to_whoever_opens_it(lines):
    assert expand_scenes(["none.hdr"]) == ["none.hdr"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\n# nothing\n", "names no scene"),
        (b"\xff\xfe", "not text"),
        (b"@list.txt", "another list"),
    ],
)
def test_a_list_that_is_none_is_refused(lines, tmp_path, content, message):
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(SceneNotFoundError, match=message):
        expand_scenes(["@list.txt"])


def test_a_pattern_without_a_match_is_refused(lines):
    with pytest.raises(SceneNotFoundError, match=r"no file matches lines/\*\.h5"):
        expand_scenes(["lines/*.h5"])
