"""Which kernel runs, and what happens where one cannot."""

import importlib
import subprocess
import sys
from dataclasses import replace

import pytest
from labelled_spectra import make_model

from hsigeo.errors import HsigeoError, KernelError
from hsigeo.kernels import choice
from hsigeo.kernels.choice import VARIABLE, choose_kernel, describe_kernel
from hsigeo.model import is_large
from hsigeo.model.consensus import ConsensusNetwork
from hsigeo.model.model import LARGE_SCENE


@pytest.fixture(autouse=True)
def _nothing_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    choice._works.cache_clear()
    yield
    choice._works.cache_clear()


@pytest.fixture
def without(monkeypatch):
    """Make packages impossible to import."""

    def hide(*names):
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_a_cpu_gets_compiled_loops_where_numba_is(without):
    pytest.importorskip("numba")
    assert choose_kernel("cpu") == "cpu"
    assert describe_kernel("cpu").startswith("cpu (numba ")


def test_without_compilers_everything_is_plain(without):
    without("numba", "triton")
    assert choose_kernel("cpu") == choose_kernel("cuda") == describe_kernel("cpu") == "plain"


def test_other_devices_are_plain():
    assert choose_kernel("mps") == "plain"


def test_what_is_asked_for_is_done(monkeypatch):
    monkeypatch.setenv(VARIABLE, "plain")
    assert choose_kernel("cpu") == choose_kernel("cuda") == "plain"


@pytest.mark.parametrize(
    ("asked", "device", "said"),
    [
        ("fast", "cpu", "HSIGEO_KERNEL is 'fast', which is not a kernel; use one of plain, cpu, cuda or unset"),
        ("cuda", "cpu", "HSIGEO_KERNEL=cuda works on the device cuda, and this runs on cpu"),
        ("cpu", "cuda", "HSIGEO_KERNEL=cpu works on the device cpu, and this runs on cuda"),
        ("cpu", "cpu", "HSIGEO_KERNEL=cpu needs numba, which does not work here"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(monkeypatch, without, asked, device, said):
    without("numba")
    monkeypatch.setenv(VARIABLE, asked)
    with pytest.raises(KernelError) as caught:
        choose_kernel(device)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, HsigeoError)


def test_choosing_nothing_imports_no_compiler():
    code = "import sys, hsigeo.kernels.choice; print([n for n in ('numba', 'triton', 'torch') if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("kernel", ["plain", "cpu"])
def test_the_map_says_with_which_kernel_it_was_made(kernel, monkeypatch):
    monkeypatch.setenv(VARIABLE, kernel)
    if kernel == "cpu":
        pytest.importorskip("numba")
    local = importlib.import_module("hsigeo.campaign.local")
    assert local.LocalEngine().kernel(large=False).split()[0] == kernel


@pytest.mark.parametrize(("pixels", "kernel"), [(LARGE_SCENE - 1, "plain"), (LARGE_SCENE, choose_kernel("cpu"))])
def test_small_scenes_are_not_worth_compiling_for(pixels, kernel, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    network = ConsensusNetwork(bands=12, classes=3, window=4, width=2, shapes=1, prototypes=3, linear_percent=50)
    model = replace(make_model(), network=network)
    assert choose_kernel("cpu", large=is_large(model, pixels)) == kernel
