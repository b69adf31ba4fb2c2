"""The package as a whole: quick to import, documented, and fit to be shown."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import time
import typing
from pathlib import Path

import pytest

import hsigeo

REPOSITORY = Path(__file__).resolve().parents[1]
HSIGEO = Path(sys.executable).with_name("hsigeo")
HEAVY = ("torch", "xarray", "dask", "rioxarray", "rasterio", "pyogrio", "shapely", "matplotlib")
FUNCTIONS = sorted(name for name in hsigeo.__all__ if not name.startswith("__"))


def python(code: str) -> str:
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=REPOSITORY)
    return result.stdout


def tracked_text_files() -> list[Path]:
    """The project's own text files; nothing that git ignores, nothing binary."""
    skipped = {".git", ".venv", "build", "dist", "__pycache__", "hsigeo.egg-info"}
    suffixes = {".py", ".md", ".toml", ".txt", ".sh", ".hdr", ".yml", ".yaml", ""}
    return [
        path
        for path in REPOSITORY.rglob("*")
        if path.is_file()
        and path.suffix in suffixes | {".cuda"}
        and not any(part in skipped or part.endswith("_cache") for part in path.relative_to(REPOSITORY).parts)
    ]


def test_importing_hsigeo_loads_nothing_heavy() -> None:
    loaded = python("import hsigeo, sys; print(*sys.modules)").split()

    assert [name for name in HEAVY if name in loaded] == []


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from hsigeo.cli.main import _run, cli; _run(cli, args=['--help']); print('modules', *sys.modules)"
    )
    output = python(code)

    help_text, _, loaded = output.partition("modules ")
    assert "classify" in help_text
    assert [name for name in HEAVY if name in loaded.split()] == []


def test_loading_a_model_leaves_torchs_compiler_and_sympy_alone() -> None:
    code = (
        "import sys; from hsigeo.model import load_model; load_model('sample_scenes/line_1.safetensors'); "
        "print(*sys.modules)"
    )
    loaded = python(code).split()

    assert [name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in loaded] == []


def test_help_answers_at_once() -> None:
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([str(HSIGEO), "--help"], capture_output=True, check=True)
        durations.append(time.perf_counter() - start)

    # Promised is half a second; a busy test machine gets more, an accidental import of torch would take longer still.
    assert min(durations) < 1.0


def test_python_dash_m_is_the_same_command() -> None:
    by_module = subprocess.run(
        [sys.executable, "-m", "hsigeo", "--version"], capture_output=True, text=True, check=True
    )
    by_script = subprocess.run([str(HSIGEO), "--version"], capture_output=True, text=True, check=True)

    assert by_module.stdout == by_script.stdout == f"hsigeo {hsigeo.__version__}\n"


def test_the_version_is_that_of_the_installed_distribution() -> None:
    from importlib.metadata import version

    assert version("hsigeo") == hsigeo.__version__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_name_is_documented(name: str) -> None:
    documentation = inspect.getdoc(getattr(hsigeo, name))

    assert documentation
    assert documentation.splitlines()[0].rstrip().endswith((".", "…", ":", "?")), documentation.splitlines()[0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_has_complete_type_hints(name: str) -> None:
    function = getattr(hsigeo, name)
    if inspect.isclass(function):
        return
    parameters = inspect.signature(function).parameters

    assert all(p.annotation is not inspect.Parameter.empty for p in parameters.values())
    assert inspect.signature(function).return_annotation is not inspect.Signature.empty


def test_there_are_about_a_dozen_public_names() -> None:
    assert len(hsigeo.__all__) <= 16
    assert set(hsigeo.__all__) <= set(dir(hsigeo))


def test_no_module_hides_a_function() -> None:
    output = python(
        "import hsigeo, hsigeo.training, hsigeo.cli.classify\n"
        "import hsigeo.classification, hsigeo.evaluation\n"
        "print(*(callable(getattr(hsigeo, name)) for name in ('classify', 'evaluate', 'train') * 2))"
    )

    assert output.split() == ["True"] * 6


def test_type_checkers_see_every_public_name() -> None:
    stub = (Path(hsigeo.__file__).parent / "__init__.pyi").read_text(encoding="utf-8")

    assert set(re.findall(r" as (\w+)$", stub, re.MULTILINE)) | {"__version__"} == set(hsigeo.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        _ = hsigeo.clasify


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(hsigeo.__file__).parent / "py.typed").is_file()
    assert typing.get_type_hints(hsigeo.Grid)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["info", "no-such-scene.hdr"], 1),
        (["classify", "no-such-scene.hdr", "-o", "map.tif"], 1),
        (["train", "no-such-scene.hdr", "--labels", "no-such-labels.gpkg", "-o", "m.safetensors"], 1),
        (["evaluate", "no-such-map.tif", "--labels", "no-such-labels.gpkg"], 1),
        (["classify", "a.hdr", "b.hdr", "-o", "map.tif"], 2),
        (["clasify"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else f"exit {value}",
)
def test_errors_are_one_line_without_a_traceback(arguments: list[str], code: int, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HSIGEO_MODEL"}
    result = subprocess.run(
        [str(HSIGEO), *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )

    assert result.returncode == code
    assert "Traceback" not in result.stderr
    if code == 1:
        assert result.stderr.startswith("hsigeo: ")
        assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_no_file_names_a_package_registry_or_leaves_a_note_to_self() -> None:
    # Spelt in parts, so that this file does not find itself.
    words = ["py" + r"pi\.", "python" + "hosted", "download.py" + "torch", "TO" + "DO", "FIX" + "ME"]
    forbidden = re.compile("|".join(words))

    found = [
        f"{path.relative_to(REPOSITORY)}: {match.group()}"
        for path in tracked_text_files()
        if (match := forbidden.search(path.read_text(encoding="utf-8", errors="replace")))
    ]

    assert found == []
