"""HDF5 files that are damaged, point elsewhere, or are read by many."""

from __future__ import annotations

import builtins
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from envi_files import make_encoded_cube
from products.nasa import write_emit

from hsigeo.errors import SceneError
from hsigeo.io import open_cube


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_emit(tmp_path / "a.nc", make_encoded_cube(4, 40, 9, "float32"))


def test_a_cut_download_is_said_to_be_cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SceneError, match="is truncated: download it again") as caught:
        open_cube(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_block_is_one_line(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        chunk = file["reflectance"].id.get_chunk_info(0)
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with pytest.raises(SceneError, match="cannot be read; it may be damaged"):
        open_cube(path).read(slice(None), slice(None))


def test_a_file_that_changed_since_is_not_read_as_if_it_had_not(path: Path) -> None:
    cube = open_cube(path)
    write_emit(path.with_name("b.nc"), make_encoded_cube(4, 41, 9, "float32")).replace(path)
    with pytest.raises(SceneError, match="has changed since"):
        cube.read(slice(None), slice(None))


def test_hdf5_of_no_known_product_is_described(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["measurements"] = [1, 2]
    with pytest.raises(SceneError, match=r"no product that hsigeo knows \(it holds measurements\)"):
        open_cube(tmp_path / "a.h5")


def test_without_h5py_the_message_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name == "h5py":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SceneError, match=r"pip install 'hsigeo\[sensors\]'"):
        open_cube(path)


@pytest.mark.parametrize("kind", ["external link", "external storage", "virtual"])
def test_pointers_out_of_the_file_are_refused(kind: str, path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["data"] = np.ones((40, 9, 4), np.float32)
    with h5py.File(path, "r+") as file:
        del file["reflectance"]
        if kind == "external link":
            file["reflectance"] = h5py.ExternalLink(str(secret), "data")
        elif kind == "external storage":
            file.create_dataset("reflectance", (40, 9, 4), "f4", external=[(str(secret), 0, 5760)])
        else:
            layout = h5py.VirtualLayout((40, 9, 4), "f4")
            layout[...] = h5py.VirtualSource(str(secret), "data", (40, 9, 4))
            file.create_virtual_dataset("reflectance", layout)
    with pytest.raises(SceneError, match=r"has no dataset reflectance|keeps its values in other files"):
        open_cube(path)


def test_text_that_is_no_text_is_one_line(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["spatial_ref"] = np.bytes_(b"GEOGCS[\xb9\xec")
        file.attrs["title"] = np.bytes_(b"\xb9")
    with pytest.raises(SceneError, match="is not a CRS") as caught:
        open_cube(path)
    assert "\n" not in str(caught.value)


def test_threads_read_the_same_as_one(path: Path) -> None:
    cube = open_cube(path)
    whole = cube.read(slice(None), slice(None))
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda row: cube.read(slice(row, row + 1), slice(None)), list(range(40)) * 5))
    for number, row in enumerate(rows):
        np.testing.assert_array_equal(row[:, 0], whole[:, number % 40])
