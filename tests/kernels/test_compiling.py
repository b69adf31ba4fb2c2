"""Compiled code is kept, and where it cannot be kept everything still works."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("numba")

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


def test_an_empty_cache_begins_with_the_code_that_was_shipped(tmp_path):
    shipped = {"NUMBA_CACHE_DIR": str(tmp_path / "prefix" / "share" / "hsigeo")}
    run_program(tmp_path / "doubling.py", shipped)
    before = f"sys.prefix = {str(tmp_path / 'prefix')!r}"
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    folder, hits, files = run_program(tmp_path / "doubling.py", cache, before=before)
    assert folder.startswith(str(tmp_path / "cache"))
    assert (hits, files) == ("1", "1")
    assert [path.name for path in (tmp_path / "cache" / "hsigeo").iterdir()] == [folder.rsplit("/", 1)[1]]
