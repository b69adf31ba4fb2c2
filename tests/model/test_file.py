"""Model files: reproducible, self-describing, and not to be fooled."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_spectra import make_labelled_spectra, make_model
from safetensors.torch import save_file

from hsigeo.errors import ModelError, ModelNotFoundError, OutputExistsError
from hsigeo.model import encode_model, load_model, predict_probabilities, write_model
from hsigeo.training.learning import train_on_spectra


@pytest.fixture
def model_file(tmp_path) -> Path:
    path = tmp_path / "model.safetensors"
    write_model(make_model(names=["Wald (Laubbäume)", "水", 'say "grass" & <soil>']), path)
    return path


def edit_card(path: Path, change) -> None:
    """Change the JSON card in place, keeping the file a valid safetensors file."""
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    card = json.loads(header["__metadata__"]["hsigeo"])
    change(card)
    header["__metadata__"]["hsigeo"] = json.dumps(card)
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + raw[8 + length :])


def test_a_model_comes_back_as_it_was(model_file):
    loaded, original = load_model(model_file), make_model(names=["Wald (Laubbäume)", "水", 'say "grass" & <soil>'])
    spectra = np.random.default_rng(0).random((50, 12), dtype=np.float32)
    np.testing.assert_array_equal(predict_probabilities(loaded, spectra), predict_probabilities(original, spectra))
    assert loaded.card.to_json() == original.card.to_json()
    assert loaded.digest == original.digest
    assert loaded.path == str(model_file)


def test_the_same_model_gives_the_same_bytes():
    assert encode_model(make_model()) == encode_model(make_model())


def test_loading_leaves_the_callers_random_state_alone(model_file):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_model(model_file)
    torch.testing.assert_close(torch.rand(3), expected)


def test_a_model_of_format_1_says_what_it_said_and_is_written_as_it_was():
    path = Path(__file__).with_name("files") / "consensus_format_1.safetensors"
    loaded = load_model(path)
    flat = np.repeat(np.array([[0.27], [0.31], [0.4]], dtype=np.float32), 12, axis=1)
    said = [[0.602238, 0.397762, 0.0], [0.020302, 0.979691, 0.000007], [0.000006, 0.673677, 0.326317]]  # by its maker
    np.testing.assert_allclose(predict_probabilities(loaded, flat), said, atol=1e-6)
    assert loaded.card.format_version == 1
    assert encode_model(loaded) == path.read_bytes()


def test_a_model_of_format_2_says_what_it_said_and_is_written_as_it_was():
    path = Path(__file__).with_name("files") / "consensus_format_2.safetensors"
    loaded = load_model(path)
    assert loaded.card.format_version == 2
    assert encode_model(loaded) == path.read_bytes()
    # Trained on these by its maker, and by this version from the same spectra without a scene.
    samples = make_labelled_spectra(24)
    found = predict_probabilities(train_on_spectra(samples, check=False), samples.spectra)
    np.testing.assert_allclose(predict_probabilities(loaded, samples.spectra), found, atol=1e-6)


def test_only_what_format_1_cannot_say_is_written_in_format_2():
    model = train_on_spectra(make_labelled_spectra(24), check=False)
    assert model.card.format_version == model.card.to_json()["format_version"] == 2
    assert make_model().card.to_json()["format_version"] == 1


def test_an_existing_model_is_not_overwritten_unasked(model_file):
    before = model_file.read_bytes()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_model(make_model(seed=1), model_file)
    assert model_file.read_bytes() == before
    write_model(make_model(seed=1), model_file, overwrite=True)
    assert model_file.read_bytes() != before


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"no\.safetensors: there is no such model file"):
        load_model(tmp_path / "no.safetensors")


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.999))
def test_a_truncated_file_is_refused(share):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cut.safetensors"
        encoded = encode_model(make_model())
        path.write_bytes(encoded[: int(share * len(encoded))])
        with pytest.raises(ModelError, match=r"cut\.safetensors"):
            load_model(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_noticed(position, flip):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edited.safetensors"
        encoded = bytearray(encode_model(make_model()))
        encoded[position % len(encoded)] ^= flip
        path.write_bytes(bytes(encoded))
        try:
            loaded = load_model(path)
        except ModelError:
            return
        # The safetensors header has blanks and such that carry nothing; then the model must be the same.
        assert loaded.digest == make_model().digest


def test_a_foreign_safetensors_file_is_named_as_such(tmp_path):
    save_file({"weight": torch.zeros(3)}, str(tmp_path / "foreign.safetensors"))
    with pytest.raises(ModelError, match="no hsigeo model; train one"):
        load_model(tmp_path / "foreign.safetensors")


def test_a_pickle_is_never_opened(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match="not a complete hsigeo model file"):
        load_model(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(format_version=4), "format version 4.*upgrade"),
        (lambda card: card.update(format_version=0), "format version 0"),
        (lambda card: card.update(format="other"), "another format"),
        (lambda card: card.update(variant="future"), "variant 'future'.*knows"),
        (lambda card: card["bands"].update(count=10**9), "bands.count is 1000000000"),
        (lambda card: card["bands"].update(wavelength_nm=[1.0]), "bands.wavelength_nm"),
        (lambda card: card["bands"].update(wavelength_nm=[float("nan")] * 12), "not a number"),
        (lambda card: card["bands"].update(trained_on_index=[99] * 12), "outside its training scenes"),
        (lambda card: card.update(classes=[{"id": 0, "name": "a", "color": [0, 0, 0]}]), "class table is broken"),
        (lambda card: card.update(hyperparameters={"width": 10**7}), "sensible range"),
        (lambda card: card.update(hyperparameters={"width": 8, "heads": 0, "prototypes": 5}), "among 0 heads"),
        (lambda card: card.update(hyperparameters={"depth": 8}), "do not make a network"),
        (lambda card: card.update(hyperparameters={"width": 16, "heads": 2, "prototypes": 5}), "do not fit its card"),
        (lambda card: card.update(temperature=0), "temperature is 0"),
        (lambda card: card.update(classes=[*card["classes"][:2]]), "do not fit its card"),
        (lambda card: card.pop("bands"), "bands is None"),
        (lambda card: card["classes"][0].update(name="Moor"), "was changed after it was written"),
    ],
)
def test_an_edited_card_is_refused_with_the_field_that_is_wrong(model_file, change, message):
    edit_card(model_file, change)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(model_file)
    assert str(model_file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_that_may_not_be_read_is_not_called_missing(tmp_path, monkeypatch):
    write_model(make_model(), tmp_path / "model.safetensors")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ModelError, match="permission denied"):
        load_model(tmp_path / "model.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_a_card_with_values_that_are_no_json_is_refused(model_file, value):
    edit_card(model_file, lambda card: card.update(remark=value))
    with pytest.raises(ModelError, match="value that is no JSON"):
        load_model(model_file)
