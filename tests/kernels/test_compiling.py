"""Compiled code is kept, and where it cannot be kept everything still works."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

compiling = pytest.importorskip("hsigeo.kernels.compiling", exc_type=ImportError)

PROGRAM = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from hsigeo.kernels.compiling import cache_folder, compiled, is_compiled

    {before}
    known = is_compiled()
    double = compiled("float64(float64)")({function})
    assert double(2.0) == 4.0
    folder = cache_folder()
    assert is_compiled() == (folder is not None and any(folder.rglob("*.nbc")))
    assert known or not sum(double.stats.cache_hits.values())
    hits = sum(double.stats.cache_hits.values())
    print(folder, hits, len(list(folder.rglob("*.nbc"))) if folder else 0)
    """
)


def run_program(path, environment, *, before="") -> list[str]:
    path.write_text("def double(x):\n    return 2 * x\n")
    program = path.with_name("program.py")
    program.write_text("from doubling import double\n" + PROGRAM.format(before=before, function="double"))
    said = subprocess.run(
        [sys.executable, str(program)], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    assert not said.stderr
    return said.stdout.split()


def test_the_second_start_finds_what_the_first_compiled(tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    folder, hits, files = run_program(tmp_path / "doubling.py", cache)
    assert folder.startswith(str(tmp_path / "cache" / "hsigeo" / "kernels-"))
    assert (hits, files) == ("0", "1")
    assert run_program(tmp_path / "doubling.py", cache) == [folder, "1", "1"]


def test_where_nothing_can_be_written_code_is_compiled_each_time(tmp_path):
    (tmp_path / "file").write_text("a file is no folder")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "file")}
    assert run_program(tmp_path / "doubling.py", cache) == ["None", "0", "0"]


def test_a_folder_that_anybody_may_write_is_not_used(tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    folder, _, _ = run_program(tmp_path / "doubling.py", cache)
    Path(folder).chmod(0o777)
    assert run_program(tmp_path / "doubling.py", cache) == ["None", "0", "0"]


def test_a_damaged_or_full_cache_is_passed_over(tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    run_program(tmp_path / "doubling.py", cache)
    (code,) = (tmp_path / "cache").rglob("*.nbc")
    code.write_bytes(b"not code")
    assert run_program(tmp_path / "doubling.py", cache)[1] == "0"
    full = (
        "import numba.core.caching as c\n"
        "c.IndexDataCacheFile.save = lambda *_: (_ for _ in ()).throw(OSError(28, 'full'))"
    )
    (code,) = (tmp_path / "cache").rglob("*.nbc")
    code.unlink()
    assert run_program(tmp_path / "doubling.py", cache, before=full)[1] == "0"


DAY = 86_400


def test_what_was_long_unused_goes_when_a_new_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    beside = tmp_path / "hsigeo"
    ages = {
        "kernels-0123456789abcdef": 91,
        "kernels-1123456789abcdef": 89,
        "kernels-0123456789abcdef.bak": 900,
        "kernels-0123": 900,
        "kernels-0123456789ABCDEF": 900,
        "other": 900,
    }
    for name in ages:
        (beside / name).mkdir(parents=True)
        (beside / name / "code.nbc").write_bytes(b"code")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    (beside / "kernels-2123456789abcdef").symlink_to(elsewhere)
    (beside / "kernels-3123456789abcdef").touch()
    foreign = beside / "kernels-4123456789abcdef"
    foreign.mkdir()
    if os.geteuid() == 0:
        os.chown(foreign, 12345, 12345)
        ages[foreign.name] = 900
    old = {**ages, "kernels-2123456789abcdef": 900, "kernels-3123456789abcdef": 900}
    for name, days in old.items():
        os.utime(beside / name, (time.time() - days * DAY,) * 2, follow_symlinks=False)

    folder = compiling.cache_folder.__wrapped__()

    left = {path.name for path in beside.iterdir()}
    assert left == {*old, foreign.name, folder.name} - {"kernels-0123456789abcdef"}
    assert (elsewhere / "mine").exists()


def test_a_folder_that_is_used_counts_as_used(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = compiling.cache_folder.__wrapped__()
    os.utime(folder, (time.time() - 900 * DAY,) * 2)
    other = tmp_path / "kernels-0123456789abcdef"
    other.mkdir()
    os.utime(other, (time.time() - 900 * DAY,) * 2)

    assert compiling.cache_folder.__wrapped__() == folder
    assert time.time() - folder.stat().st_mtime < DAY
    assert other.exists(), "only a new folder is an occasion to clear up"


def test_an_empty_cache_begins_with_the_code_that_was_shipped(tmp_path):
    shipped = {"NUMBA_CACHE_DIR": str(tmp_path / "prefix" / "share" / "hsigeo")}
    run_program(tmp_path / "doubling.py", shipped)
    before = f"sys.prefix = {str(tmp_path / 'prefix')!r}"
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    folder, hits, files = run_program(tmp_path / "doubling.py", cache, before=before)
    assert folder.startswith(str(tmp_path / "cache"))
    assert (hits, files) == ("1", "1")
    assert [path.name for path in (tmp_path / "cache" / "hsigeo").iterdir()] == [folder.rsplit("/", 1)[1]]
