from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hsigeo.atomic import check_output, filled_on_success, made_folder, replaced_on_success, replaced_together
from hsigeo.errors import OutputError, OutputExistsError, SceneError


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_output_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    with replaced_on_success(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".tif"
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names_in(tmp_path) == ["map.tif"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SceneError("bad"), RuntimeError("bug"), GeneratorExit])
def test_nothing_is_left_when_the_block_ends_early(tmp_path: Path, interruption: BaseException) -> None:
    with pytest.raises(interruption if isinstance(interruption, type) else type(interruption)):  # noqa: SIM117
        with replaced_on_success(tmp_path / "map.tif") as temporary:
            temporary.write_text("half")
            temporary.with_name(temporary.name + ".aux.xml").write_text("side file")
            raise interruption
    assert names_in(tmp_path) == []


def test_names_of_any_length_and_language_are_written_or_refused_in_words(tmp_path: Path) -> None:
    for stem in ("x" * 236, "草" * 78):
        with replaced_on_success(tmp_path / f"{stem}.tif") as temporary:
            temporary.with_name(temporary.name + ".aux.xml").touch()
        assert (tmp_path / f"{stem}.tif").exists()
    with pytest.raises(OutputError, match="is a name of 304 bytes; give one of at most 240"):
        check_output(tmp_path / f"{'草' * 100}.tif")


def test_existing_output_is_refused_and_kept(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    target.write_text("old")
    with pytest.raises(OutputExistsError, match="--overwrite"), replaced_on_success(target):
        pass
    assert target.read_text() == "old"


def test_existing_output_survives_a_failed_overwrite(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), replaced_on_success(target, overwrite=True) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    with replaced_on_success(target, overwrite=True) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_output_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    with pytest.raises(OutputExistsError, match="appeared"), replaced_on_success(target) as temporary:
        temporary.write_text("mine")
        target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert names_in(tmp_path) == ["map.tif"]


def test_missing_folder_and_folder_as_output_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        check_output(tmp_path / "nowhere" / "map.tif")
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path)
    with pytest.raises(OutputError, match="not a regular file"):
        check_output("/dev/null", overwrite=True)


def test_unwritable_folder_is_refused_before_the_block_runs() -> None:
    # /proc refuses new files even to root, whom permissions do not stop.
    with pytest.raises(OutputError, match="cannot be written"), replaced_on_success("/proc/map.tif"):
        pytest.fail("the block must not run")


def test_disk_full_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no space is left") as caught, replaced_on_success(tmp_path / "map.tif"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == []


def test_error_about_another_file_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), replaced_on_success(tmp_path / "map.tif"):
        open(tmp_path / "elsewhere")  # noqa: SIM115, PTH123


def test_link_as_output_writes_what_it_points_at(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "map.tif"
    link.symlink_to(tmp_path / "disk" / "map.tif")
    with replaced_on_success(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "disk" / "map.tif").read_text() == "new"


def test_a_folder_that_is_not_writable_is_named_before_any_work(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match=r"map\.tif cannot be written: the folder .* is not writable"):
        check_output(tmp_path / "map.tif")


def test_what_a_killed_process_left_of_the_same_output_is_cleared_away(tmp_path: Path) -> None:
    killed = (
        "import os, signal, sys\nfrom hsigeo.atomic import replaced_on_success\n"
        "with replaced_on_success(sys.argv[1]) as temporary:\n"
        "    temporary.with_name(temporary.name + '.blocks.tif').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed, tmp_path / "map.tif"], check=False)
    assert len(names_in(tmp_path)) == 2
    twice = {"path": tmp_path / "map.tif", "overwrite": True}
    with replaced_on_success(**twice) as mine, replaced_on_success(**twice):
        assert mine.exists()  # that of a process at work stays
        assert len(names_in(tmp_path)) == 2
    assert names_in(tmp_path) == ["map.tif"]


def test_files_that_belong_together_are_put_in_place_together_and_in_order(tmp_path: Path, monkeypatch) -> None:
    paths = [tmp_path / name for name in ("map.tif", "map.tif.aux.xml", "map.qml")]
    synced, renamed = [], []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino) or sync(descriptor))
    monkeypatch.setattr(Path, "replace", lambda file, to: renamed.append((to, len(synced))) or rename(file, to))
    with replaced_together(paths) as files:
        for file in files:
            file.write_text(file.suffix)
        assert not any(path.exists() for path in paths)
    assert renamed == [(path, 3) for path in paths]  # none before all are on the disk
    assert len(synced) == 4  # and their folder, once
    assert [path.read_text() for path in paths] == [".tif", ".xml", ".qml"]


def test_of_files_that_belong_together_none_is_put_in_place_where_one_may_not_be(tmp_path: Path) -> None:
    paths = [tmp_path / "map.tif", tmp_path / "map.qml"]
    with pytest.raises(OutputExistsError, match=r"map\.qml appeared"), replaced_together(paths):
        paths[1].write_text("somebody else's")
    assert names_in(tmp_path) == ["map.qml"]
    message = r"map\.qml cannot be written: no space"
    with pytest.raises(OutputError, match=message), replaced_together(paths, overwrite=True) as files:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(files[1]))
    assert names_in(tmp_path) == ["map.qml"]


@pytest.mark.parametrize("interruption", [None, KeyboardInterrupt, SceneError("bad")])
def test_folders_that_were_made_for_nothing_are_removed(tmp_path: Path, interruption: BaseException | None) -> None:
    def work() -> None:
        with made_folder(tmp_path / "there" / "a" / "b"):
            assert (tmp_path / "there" / "a" / "b").is_dir()
            if interruption is not None:
                raise interruption

    (tmp_path / "there").mkdir()
    if interruption is None:
        work()
    else:
        with pytest.raises(interruption if isinstance(interruption, type) else type(interruption)):
            work()
    assert names_in(tmp_path) == ["there"]
    assert names_in(tmp_path / "there") == []


def test_folders_that_hold_something_or_were_there_stay(tmp_path: Path) -> None:
    with made_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "map.tif").touch()
    with made_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "map.tif").unlink()
    assert names_in(tmp_path / "a") == ["b"]


def test_a_folder_that_cannot_be_made_leaves_none_above_it(tmp_path: Path) -> None:
    name = "x" * 300
    with pytest.raises(OutputError, match=r"cannot be made: .*File name too long"), made_folder(tmp_path / "a" / name):
        pass
    assert names_in(tmp_path) == []


def test_a_folder_is_filled_at_once_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), filled_on_success(tmp_path) as stage:
        (stage / "a").write_text("new")
        raise KeyboardInterrupt
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"

    with filled_on_success(tmp_path) as stage:
        (stage / "a").write_text("new")
        (stage / "b").write_text("new")
    assert names_in(tmp_path) == ["a", "b"]
    assert (tmp_path / "a").read_text() == "new"


def test_errors_name_the_folder_that_is_filled_and_not_the_hidden_one(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught, filled_on_success(tmp_path) as stage:
        raise OutputError(f"{stage / 'a'} cannot be written")
    assert str(caught.value) == f"{tmp_path / 'a'} cannot be written"


def test_what_a_killed_process_left_of_a_folder_is_cleared_away(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; from pathlib import Path; from hsigeo.atomic import filled_on_success\n"
            "with filled_on_success(Path(sys.argv[1])) as stage: (stage / 'a').touch(); os._exit(9)",
            str(tmp_path),
        ],
        check=False,
    )
    assert done.returncode == 9
    assert len(names_in(tmp_path)) == 1
    with filled_on_success(tmp_path):
        pass
    assert names_in(tmp_path) == []
