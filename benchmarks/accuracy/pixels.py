"""Labelled spectra of real scenes, each with the piece of ground it belongs to.

The order of pixels and the numbers of groups are part of the benchmark: the folds follow from them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio
import rasterio.features
import scipy.io
import shapely
import xarray as xr
from affine import Affine
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.labels import open_labels, open_spectral_library
from hsigeo.io.scene_reader import open_scene
from hsigeo.scene import grid_of, spectral_axis

__all__ = [
    "Ground",
    "Located",
    "Pixels",
    "join",
    "locate_berlin",
    "read_berlin",
    "read_berlin_ground",
    "read_indian_pines",
    "read_jasper_ridge",
    "read_jasper_ridge_ground",
    "read_potsdam",
    "read_potsdam_ground",
    "read_santa_barbara",
]

WHOLLY_COVERED = 0.995
"""Share of a pixel that polygons must cover; not 1, for they are rasterised on a fine grid."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Labelled spectra of one source.

    Parameters
    ----------
    spectra
        (pixel, band) float32, reflectance 0-1, finite.
    labels
        (pixel,) int64, class index from 0.
    groups
        (pixel,) int64: the tile, block or polygon a pixel lies in; a split never divides one.
    wavelengths
        (band,) float64, nm; where two spectrometers of a sensor overlap they need not ascend.
    """

    spectra: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    wavelengths: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """Spectra of the scenes of a source, labelled or not.

    Parameters
    ----------
    spectra
        (pixel, band) float32, finite.
    groups
        (pixel,) int64, numbered as those of the labelled pixels.
    """

    spectra: NDArray[np.float32]
    groups: NDArray[np.int64]

    def beside(self, pixels: Pixels, train: NDArray[np.bool_], *, most: int) -> NDArray[np.float32]:
        """Spectra, `most` at the most, of groups that train and of those without labels; never of any others."""
        others = np.setdiff1d(pixels.groups, pixels.groups[train])
        usable = np.flatnonzero(~np.isin(self.groups, others))
        chosen: NDArray[np.intp] = np.random.default_rng(0).permutation(usable)[:most]
        return np.ascontiguousarray(self.spectra[chosen])


def join(first: Pixels, second: Pixels) -> Pixels:
    """Both as one; the groups of `second` follow those of `first`."""
    return Pixels(
        spectra=np.concatenate([first.spectra, second.spectra]),
        labels=np.concatenate([first.labels, second.labels]),
        groups=np.concatenate([first.groups, second.groups + first.groups.max() + 1]),
        wavelengths=first.wavelengths,
    )


def read_potsdam(data: Path, listing: str) -> Pixels:
    """EnMAP Potsdam, the tiles of `listing` (``train_files.csv`` or ``validation_files.csv``); groups are tiles."""
    folder = data / "enmap_potsdam"
    spectra, labels, groups = [], [], []
    for number, (image, mask) in enumerate(_tiles(folder / listing)):
        scene = open_scene(folder / image)
        bands = spectral_axis(scene)
        pixels = open_labels(folder / mask).on(grid_of(scene))
        found = scene.to_numpy()[bands.good][:, pixels.row, pixels.col].T  # (pixel, band)
        valid = np.isfinite(found).all(axis=1)
        spectra.append(found[valid])
        labels.append(pixels.class_id[valid].astype(np.int64) - 1)
        groups.append(np.full(int(valid.sum()), number, dtype=np.int64))
    return Pixels(
        spectra=np.concatenate(spectra),
        labels=np.concatenate(labels),
        groups=np.concatenate(groups),
        wavelengths=_centres(bands.wavelength, folder)[bands.good],
    )


def read_potsdam_ground(data: Path, listing: str, *, pixels: int = 600) -> Ground:
    """So many pixels of each tile of `listing`, drawn at random."""
    folder = data / "enmap_potsdam"
    spectra = []
    for image, _ in _tiles(folder / listing):
        scene = open_scene(folder / image)
        found = scene.to_numpy()[spectral_axis(scene).good].reshape(-1, scene.sizes["y"] * scene.sizes["x"]).T
        found = found[np.isfinite(found).all(axis=1)]
        spectra.append(found[np.random.default_rng(0).permutation(len(found))[:pixels]])
    groups = np.repeat(np.arange(len(spectra)), [len(found) for found in spectra])
    return Ground(spectra=np.concatenate(spectra), groups=groups)


def _tiles(listing: Path) -> list[tuple[str, str]]:
    """Image and label file of each tile, in the order in which groups are numbered."""
    with listing.open(newline="") as lines:
        return sorted((row["image"], row["mask"]) for row in csv.DictReader(lines))


def read_berlin(data: Path, *, block: int = 10, fine: int = 10) -> Pixels:
    """EnMAP Berlin and its land cover polygons; groups are square blocks of `block` pixels.

    Where polygons cover a pixel whole, its class is the one with the largest share of it (measured on a grid `fine`
    times finer); other pixels are left out, as are classes with fewer than ten pixels (soil, other).
    """
    place = locate_berlin(data, fine=fine)
    return Pixels(
        spectra=np.ascontiguousarray(place.scene.to_numpy()[:, place.row, place.col].T),
        labels=place.labels,
        groups=_blocks(place.row, place.col, block),
        wavelengths=_centres(spectral_axis(place.scene).wavelength, data / "berlin" / "enmap80x60"),
    )


def read_berlin_ground(data: Path, *, block: int = 10) -> Ground:
    """All pixels of the scene."""
    cube = locate_berlin(data).scene.to_numpy()
    row, col = np.nonzero(np.isfinite(cube).all(axis=0))
    return Ground(spectra=np.ascontiguousarray(cube[:, row, col].T), groups=_blocks(row, col, block))


@dataclass(frozen=True, kw_only=True, eq=False)
class Located:
    """Labelled pixels of one scene.

    Parameters
    ----------
    scene
        (band, y, x).
    row, col, labels
        (pixel,) int64; labels from 0.
    classes
        Their names.
    """

    scene: xr.DataArray
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def locate_berlin(data: Path, *, fine: int = 10) -> Located:
    """The pixels of `read_berlin`, with their places."""
    folder = data / "berlin" / "enmap80x60"
    scene = open_scene(folder / "EnMAP_BerlinUrbanGradient.bsq")
    grid, cube = grid_of(scene), scene.to_numpy()
    classes, names, share = _cover(folder / "LandCov_BerlinUrbanGradient.shp", grid.transform, grid.shape, fine)
    covered = (share.sum(axis=0) > WHOLLY_COVERED) & np.isfinite(cube).all(axis=0)
    majority = classes[share.argmax(axis=0)]
    kept = [number for number in np.unique(majority[covered]) if (majority[covered] == number).sum() >= 10]
    row, col = np.nonzero(covered & np.isin(majority, kept))
    return Located(
        scene=scene,
        row=row,
        col=col,
        labels=np.searchsorted(kept, majority[row, col]).astype(np.int64),
        classes=tuple(names[number] for number in kept),
    )


def _cover(
    polygons: Path, transform: Affine, shape: tuple[int, int], fine: int
) -> tuple[NDArray[np.int64], dict[int, str], NDArray[np.float32]]:
    """(feature,) class number, the classes' names, and (feature, y, x) share of each pixel that a feature covers."""
    meta, _, shapes, columns = pyogrio.raw.read(polygons, columns=["Level_2_ID", "Level_2"])
    found = dict(zip(meta["fields"], columns, strict=True))
    classes = found["Level_2_ID"]
    names = {int(number): str(name) for number, name in zip(classes, found["Level_2"], strict=True)}
    height, width = shape
    share = np.zeros((len(shapes), height, width), dtype=np.float32)
    for number, outline in enumerate(shapes):
        mask = rasterio.features.rasterize(
            [shapely.from_wkb(outline)], (height * fine, width * fine), transform=transform @ Affine.scale(1 / fine)
        )
        share[number] = mask.reshape(height, fine, width, fine).mean(axis=(1, 3))
    return np.asarray(classes, dtype=np.int64), names, share


def read_santa_barbara(data: Path, level: str) -> Pixels:
    """AVIRIS pixels of Santa Barbara (without the field spectra), classes of `level`; groups are polygons.

    Classes with fewer than 20 pixels or four polygons are left out.
    """
    folder = data / "santa_barbara"
    library = open_spectral_library(folder / "santa_barbara.sli", field=level, group_field="Polygon_Unit_ID")
    with (folder / "santa_barbara.csv").open(newline="") as lines:
        airborne = np.array([row["source"] != "asd" for row in csv.DictReader(lines)])
    names = np.array(["", *library.classes.names])[library.class_id]  # ids of a library count from 1
    kept = [
        name
        for name in np.unique(names[airborne])
        if name
        and (airborne & (names == name)).sum() >= 20
        and len(np.unique(library.group[airborne & (names == name)])) >= 4
    ]
    known = airborne & np.isin(names, kept)
    wavelengths = _centres(library.bands.wavelength, folder)
    order = np.argsort(wavelengths, kind="stable")  # here the spectrometers' bands interleave
    return Pixels(
        spectra=library.spectra[known][:, order],
        labels=np.searchsorted(kept, names[known]).astype(np.int64),
        groups=library.group[known],
        wavelengths=wavelengths[order],
    )


def read_indian_pines(data: Path) -> Pixels:
    """The 695 labelled spectra of Indian Pines, scaled 0-1 per band by their publisher; each is a group of its own.

    Their 200 bands are the sensor's 220 without the water bands 104-108, 150-163 and 220.
    """
    folder = data / "indian_pines"
    spectra = scipy.io.loadmat(folder / "Train_X.mat")["Train_X"]
    labels = scipy.io.loadmat(folder / "TrLabel.mat")["TrLabel"].ravel().astype(np.int64)
    centres = np.loadtxt(folder / "92AV3C.spc", skiprows=2)[:, 0]
    return Pixels(
        spectra=np.ascontiguousarray(spectra, dtype=np.float32),
        labels=labels - labels.min(),
        groups=np.arange(len(labels)),
        wavelengths=np.delete(centres, np.r_[103:108, 149:163, 219]),
    )


def read_jasper_ridge(data: Path, *, purity: float = 0.6, block: int = 10) -> Pixels:
    """Jasper Ridge; a pixel is labelled where one abundance exceeds `purity`; groups are square blocks."""
    folder = data / "jasper_ridge"
    scene = scipy.io.loadmat(folder / "JasperRidge2_R198.mat")
    abundance = scipy.io.loadmat(folder / "JasperRidge2_end4.mat")["A"]  # (class, pixel)
    known = abundance.max(axis=0) > purity
    col, row = np.divmod(np.arange(abundance.shape[1]), 100)  # stored by columns of 100 lines
    bands = scene["SlectBands"].ravel().astype(np.float64)
    return Pixels(
        spectra=np.ascontiguousarray(scene["Y"].T[known] / 1e4, dtype=np.float32),
        labels=abundance.argmax(axis=0)[known].astype(np.int64),
        groups=_blocks(row, col, block)[known],
        wavelengths=380.0 + (bands - 1) * (2500.0 - 380.0) / 223,
    )


def read_jasper_ridge_ground(data: Path, *, block: int = 10) -> Ground:
    """All pixels of the scene."""
    scene = scipy.io.loadmat(data / "jasper_ridge" / "JasperRidge2_R198.mat")["Y"]
    col, row = np.divmod(np.arange(scene.shape[1]), 100)
    spectra = np.ascontiguousarray(scene.T / 1e4, dtype=np.float32)
    return Ground(spectra=spectra, groups=_blocks(row, col, block))


def _blocks(row: NDArray[np.int64], col: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """The number of the square block of `block` pixels that a pixel lies in."""
    return row // block * 1000 + col // block


def _centres(wavelengths: NDArray[np.float64] | None, where: Path) -> NDArray[np.float64]:
    if wavelengths is None:
        raise SceneError(f"{where}: the header gives no wavelengths, as the published one does; get the original files")
    return wavelengths
