"""Spectral attention: every form is the plain one, whatever goes in."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from hsigeo.kernels import choice
from hsigeo.kernels.attention import BandLogits, attention_weights
from hsigeo.kernels.attention.plain import plain_weights
from hsigeo.kernels.choice import VARIABLE
from hsigeo.model.plain import PlainNetwork

RELATIVE = 1e-5
"""What the contract promises where logits are of usual size."""


@pytest.fixture
def cpu(monkeypatch):
    """The kernel cpu is asked for, so that no test passes because plain was compared with plain."""
    pytest.importorskip("numba")
    monkeypatch.setenv(VARIABLE, "cpu")


def draw(pixels: int, heads: int, bands: int, *, size: float = 1.0) -> tuple[torch.Tensor, BandLogits]:
    torch.manual_seed(pixels * heads * bands)
    shapes = (heads,), (heads, bands), (heads, bands), (heads, bands, bands)
    return torch.randn(pixels, bands), BandLogits(*(size * torch.randn(shape) for shape in shapes))


def exact(values: torch.Tensor, logits: BandLogits) -> torch.Tensor:
    """The plain form in float64."""
    return plain_weights(values.double(), *(part.double() for part in logits))


def logits_of(values: torch.Tensor, logits: BandLogits) -> torch.Tensor:
    query, key = values[:, None, :, None], values[:, None, None, :]
    product, keys, queries, places = logits
    return query * key * product[:, None, None] + query * keys[:, None] + queries[..., None] * key + places


@pytest.mark.parametrize("bands", [1, 2, 3, 16, 31, 32, 33, 200, 512])
@pytest.mark.parametrize(("pixels", "heads"), [(1, 1), (5, 3), (3, 16)])
def test_compiled_loops_give_the_plain_weights(cpu, pixels, heads, bands):
    values, logits = draw(pixels, heads, bands)
    found = attention_weights(values, logits)
    torch.testing.assert_close(found.double(), exact(values, logits), rtol=RELATIVE, atol=0)
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(pixels, heads))


@pytest.mark.parametrize("product", [0.0, 1e-38, 1e-7, 1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("size", [0.0, 1.0])
def test_a_product_may_be_as_small_or_large_as_it_likes_beside_keys_and_queries(cpu, product, size):
    values, logits = draw(3, 2, 33, size=size)
    logits = logits._replace(product=torch.tensor([product, -product]))
    found = attention_weights(values, logits)
    torch.testing.assert_close(found.double(), exact(values, logits), rtol=RELATIVE, atol=0)


@pytest.mark.parametrize("kernel", ["cpu", "plain"])
@pytest.mark.parametrize("bands", [2, 63, 64])
@pytest.mark.parametrize("shape", ["all", "product", "keys", "queries", "places"])
def test_logits_of_ten_thousand_overflow_nowhere(monkeypatch, kernel, bands, shape):
    if kernel == "cpu":
        pytest.importorskip("numba")
    monkeypatch.setenv(VARIABLE, kernel)
    values, logits = draw(4, 2, bands)
    parts = {name: part if shape in {name, "all"} else 0 * part for name, part in logits._asdict().items()}
    largest = logits_of(values, BandLogits(**parts)).abs().max()
    logits = BandLogits(**{name: part * (1e4 / largest) for name, part in parts.items()})
    found = attention_weights(values, logits)
    assert torch.isfinite(found).all()
    # A logit of 1e4 in float32 is known to within half of 2^-10, four of them are added, and the exponential is as
    # wrong, relatively, as its exponent is absolutely.
    torch.testing.assert_close(found.double(), exact(values, logits), rtol=4e-3, atol=4e-3)


def test_a_bound_that_is_much_too_loose_costs_no_digits(cpu):
    values, logits = draw(3, 2, 40)
    values[:, 0] = 300.0
    # What the outlier adds to every row is taken off again where nobody can foresee it.
    logits = logits._replace(places=logits.places - (logits_of(values[:1], logits)[0] > 50) * 1e5)
    assert logits_of(values, logits).amax(dim=-1).median() < 100
    # Places of 7e4, in exponents of two, are known to within half of 2^-7.
    torch.testing.assert_close(attention_weights(values, logits).double(), exact(values, logits), rtol=3e-3, atol=1e-6)


def test_rows_may_lie_anywhere(cpu):
    values, logits = draw(3, 2, 40)
    moved = logits._replace(places=logits.places - 1000 * torch.arange(1.0, 41)[:, None], keys=logits.keys + 1000)
    torch.testing.assert_close(
        attention_weights(values, moved), attention_weights(values, logits), rtol=1e-2, atol=1e-5
    )


@pytest.mark.parametrize(("pixels", "heads", "bands"), [(1, 1, 1), (5, 3, 31), (6, 2, 64), (2, 16, 33)])
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_gradients_are_those_of_the_plain_form(cpu, pixels, heads, bands, size):
    values, logits = draw(pixels, heads, bands, size=size)
    ours = [part.requires_grad_() for part in (values, *logits)]
    theirs = [part.detach().double().requires_grad_() for part in ours]
    wanted = torch.randn(pixels, heads, bands)
    (attention_weights(ours[0], BandLogits(*ours[1:])) * wanted).sum().backward()
    (plain_weights(*theirs) * wanted).sum().backward()
    for our, their in zip(ours, theirs, strict=True):
        scale = float(their.grad.abs().max())
        torch.testing.assert_close(our.grad.double(), their.grad, rtol=1e-4 * size, atol=2e-6 * size * scale)


def test_gradients_of_extreme_logits_are_finite(cpu):
    values, logits = draw(3, 2, 20, size=1e4)
    parts = [part.requires_grad_() for part in (values, *logits)]
    attention_weights(parts[0], BandLogits(*parts[1:])).square().sum().backward()
    assert all(torch.isfinite(part.grad).all() for part in parts)


def test_gradients_of_weights_are_the_same_whether_values_want_theirs(cpu):
    found = []
    for wants in (False, True):
        values, logits = draw(4, 2, 20)
        parts = [part.requires_grad_() for part in logits]
        attention_weights(values.requires_grad_(wants), BandLogits(*parts)).square().sum().backward()
        found.append([part.grad for part in parts])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_a_pixel_gets_the_same_bits_in_any_company_and_with_any_threads(cpu, monkeypatch):
    compiled = pytest.importorskip("hsigeo.kernels.attention.compiled")
    monkeypatch.setattr(compiled, "_WORTH_A_THREAD", 1)
    values, logits = draw(13, 2, 31)
    values[3] *= 1e4  # a pixel that needs care, among those that do not
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            parts = [part.clone().requires_grad_() for part in logits]
            weights = attention_weights(values, BandLogits(*parts))
            weights.square().sum().backward()
            found.append([weights.detach(), *(part.grad for part in parts)])
        assert all(torch.equal(one, other) for run in found[1:] for one, other in zip(found[0], run, strict=True))
    finally:
        torch.set_num_threads(before)
    alone = torch.cat([attention_weights(values[pixel : pixel + 1], logits) for pixel in range(13)])
    assert torch.equal(alone, found[0][0])


def test_what_is_not_finite_shows_in_its_own_pixel_only(cpu):
    values, logits = draw(5, 2, 31)
    clean = attention_weights(values, logits)
    values[1, 7], values[3, 0] = torch.nan, torch.inf
    found = attention_weights(values, logits)
    assert found[[1, 3]].isnan().all()
    assert torch.equal(found[[0, 2, 4]], clean[[0, 2, 4]])


def test_no_pixels_give_no_weights(cpu):
    _, logits = draw(1, 2, 5)
    assert attention_weights(torch.empty(0, 5), logits).shape == (0, 2, 5)


def test_other_types_are_computed_as_they_are(cpu):
    values, logits = draw(3, 2, 9)
    found = attention_weights(values.double(), BandLogits(*(part.double() for part in logits)))
    assert torch.equal(found, exact(values, logits))


def test_many_logits_are_made_in_parts(monkeypatch):
    plain = sys.modules[plain_weights.__module__]
    values, logits = draw(7, 2, 9)
    whole = plain_weights(values, *logits)
    monkeypatch.setattr(plain, "_LOGITS_AT_ONCE", 2 * 2 * 9 * 9)
    torch.testing.assert_close(plain_weights(values, *logits), whole)


def make_network(bands: int = 30) -> PlainNetwork:
    torch.manual_seed(0)
    return PlainNetwork(bands=bands, classes=4, width=16, heads=4, prototypes=12).eval()


def test_a_network_works_without_numba(monkeypatch):
    pytest.importorskip("numba")
    network, spectra = make_network(), torch.rand(9, 30)
    with torch.no_grad():
        fast = network(spectra)
        monkeypatch.setitem(sys.modules, "numba", None)
        choice._works.cache_clear()
        try:
            torch.testing.assert_close(network(spectra), fast, rtol=1e-5, atol=1e-6)
        finally:
            choice._works.cache_clear()


def test_an_export_holds_the_plain_form(cpu):
    onnxruntime = pytest.importorskip("onnxruntime")
    network, spectra, file = make_network(), torch.rand(3, 30), io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(network, (spectra,), file, dynamo=False, input_names=["spectra"], opset_version=18)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"spectra": spectra.numpy()})
    np.testing.assert_allclose(found, network(spectra).detach().numpy(), rtol=1e-4, atol=1e-5)


INTERPRETED = """
import torch
from hsigeo.kernels.attention.cuda import cuda_gradients, cuda_weights
from hsigeo.kernels.attention.plain import plain_weights

for pixels, heads, bands in ((1, 1, 1), (5, 2, 17)):
    torch.manual_seed(0)
    shapes = (pixels, bands), (heads,), (heads, bands), (heads, bands), (heads, bands, bands)
    inputs = [torch.randn(shape) for shape in shapes]
    exact = [part.double().requires_grad_() for part in inputs]
    wanted = torch.randn(pixels, heads, bands)
    weights = plain_weights(*exact)
    gradients = torch.autograd.grad((weights * wanted).sum(), exact)
    torch.testing.assert_close(cuda_weights(*inputs).double(), weights, rtol=1e-5, atol=0)
    found = cuda_gradients(*inputs, gradient=wanted, wants_values=True)
    for our, their in zip(found, gradients, strict=True):
        torch.testing.assert_close(our.double(), their, rtol=1e-4, atol=2e-6 * float(their.abs().max()))
    assert cuda_gradients(*inputs, gradient=wanted, wants_values=False)[0] is None
inputs[1:] = [1e4 * part for part in inputs[1:]]
assert torch.isfinite(cuda_weights(*inputs)).all()
"""


def test_triton_programs_give_the_plain_weights_and_gradients():
    pytest.importorskip("triton", reason="Triton comes with CUDA builds of torch")
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", INTERPRETED],
        env={"TRITON_INTERPRET": "1", "PATH": "", "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert not run.returncode, run.stderr
